#include "libos/vmm/paravirt/guest.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tessera::vmm::paravirt {
namespace {

constexpr u64 kInterruptFlag = 1 << 9;
/// Flags that are the guest's own: carry to direction, overflow, alignment check, and ID.
constexpr u64 kGuestFlags = 0x24'0dd5, kAlwaysFlags = 0x202;
constexpr u64 kCanonicalEnd = u64{1} << 47;
constexpr u64 kPageFaultVector = 14;
/// Bits of a page fault's error code (SDM vol. 3, 4.7).
constexpr u64 kFaultPresent = 1, kFaultWrite = 2, kFaultUser = 4, kFaultFetch = 16;

constexpr i64 answer_of(Error error) { return static_cast<i64>(error); }
constexpr i64 refuse(bool done) { return done ? 0 : answer_of(Error::refused); }

/// In TrapFrame's order, from r15 on.
constexpr u64 GuestState::*kRegisters[] = {
    &GuestState::r15, &GuestState::r14, &GuestState::r13, &GuestState::r12, &GuestState::r11, &GuestState::r10, &GuestState::r9, &GuestState::r8,
    &GuestState::rbp, &GuestState::rdi, &GuestState::rsi, &GuestState::rdx, &GuestState::rcx, &GuestState::rbx, &GuestState::rax};
static_assert(std::size(kRegisters) * sizeof(u64) == offsetof(TrapFrame, vector));

/// Call `each(word of the frame, register)` for all of them, without a loop: this is in the way of every trap.
template <class Each>
void for_registers(Each each) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (each(I, kRegisters[I]), ...); }(std::make_index_sequence<std::size(kRegisters)>());
}

}  // namespace

/// A frame where it lies, if that is within one page; what the guest may change meanwhile is read once.
volatile u64* Guest::words_at(u64 address, u64 count, bool write) {
    const u64 offset = address % kPageSize;
    if (address % sizeof(u64) != 0 || offset + count * sizeof(u64) > kPageSize) return nullptr;
    std::byte* page = memory_.page(address >> kPageShift, write);
    // Safety: whole words of one page.
    return page != nullptr ? reinterpret_cast<volatile u64*>(page + offset) : nullptr;
}

Next Guest::broken(const char* reason) {
    reason_ = reason;
    return Next::broken;
}

volatile SharedPage* Guest::shared() const {
    // Safety: a page is large enough, and at a page's border; the guest reads and writes it at any time.
    return reinterpret_cast<volatile SharedPage*>(memory_.page(memory_.frames() - 1, true));
}

bool Guest::start(StartInformation information, u64 entry, GuestState& state) {
    static_assert(sizeof(StartInformation) <= kPageSize);
    const u64 where = memory_end();
    information.version = kVersion;
    information.memory_end = where;
    information.shared_page = where + kPageSize;
    information.command_line[sizeof information.command_line - 1] = 0;
    if (!memory_.clear(where, 2 * kPageSize) || !memory_.write(where, information) || entry >= where) return false;
    volatile SharedPage* page = shared();
    if (page == nullptr) return false;
    page->events_masked = 1;
    for_registers([&](std::size_t, auto member) { state.*member = 0; });
    state.rdi = where;
    state.rip = entry;
    state.rsp = 0;
    state.rflags = kAlwaysFlags;
    return true;
}

// ---- traps and events -----------------------------------------------------------------------------------------------

/// Write a TrapFrame and go on at the trap entry.
Next Guest::trap(GuestState& state, u64 vector, u64 error) {
    volatile SharedPage* page = shared();
    if (page == nullptr) return broken("its shared page is gone");
    if (trap_entry_ == 0) return broken("a trap, and no trap entry is set");
    constexpr u64 kRedZone = 128, kReach = sizeof(TrapFrame) + sizeof(u64);
    const u64 top = (user_mode_ ? page->kernel_stack : state.rsp - kRedZone) & ~u64{15};
    const u64 where = top - sizeof(TrapFrame);
    // In the page if it is one: with room for the return address that a function expects below.
    TrapFrame elsewhere;
    volatile u64* words = top >= kReach ? words_at(top - kReach, kReach / sizeof(u64), true) : nullptr;
    const bool in_place = words != nullptr;
    if (in_place) *words++ = 0;
    else words = reinterpret_cast<u64*>(&elsewhere);
    for_registers([&](std::size_t i, auto member) { words[i] = state.*member; });
    volatile TrapFrame& frame = *reinterpret_cast<volatile TrapFrame*>(words);
    frame.vector = vector;
    frame.error = error;
    frame.rip = state.rip;
    frame.mode = user_mode_ ? kUserMode : kKernelMode;
    frame.rflags = (state.rflags & ~kInterruptFlag) | (page->events_masked == 0 ? kInterruptFlag : 0);
    frame.rsp = state.rsp;
    frame.reserved = 0;
    page->events_masked = 1;
    if (!in_place && (top < kReach || !memory_.write(where, elsewhere) || !memory_.write(top - kReach, u64{0})))
        return broken("its kernel stack is not in its memory");
    user_mode_ = false;
    state.rdi = where;
    state.rsp = where - sizeof(u64);
    state.rip = trap_entry_;
    state.rflags = kAlwaysFlags;
    return Next::run;
}

Next Guest::on_exception(GuestState& state, u64 vector, u64 error, u64 address) {
    volatile SharedPage* page = shared();
    if (page != nullptr && vector == kPageFaultVector) page->fault_address = address;
    return trap(state, vector, error);
}

Next Guest::go_on(GuestState& state) {
    volatile SharedPage* page = shared();
    if (page == nullptr) return broken("its shared page is gone");
    page->time = effects_.nanoseconds();
    // A program cannot mask events: what its kernel masked, it unmasks by leaving.
    if (page->events_masked != 0 || (page->pending & ~page->masked_channels) == 0) return Next::run;
    return trap_entry_ != 0 ? trap(state, kEventVector, 0) : Next::run;
}

void Guest::post(Event event) {
    volatile SharedPage* page = shared();
    if (page != nullptr) __atomic_fetch_or(&page->pending, bit(event), __ATOMIC_SEQ_CST);
}

void Guest::tick(u64 ticks) {
    volatile SharedPage* page = shared();
    if (page == nullptr) return;
    page->timer_ticks = page->timer_ticks + ticks;
    post(Event::timer);
}

bool Guest::has_events() const {
    volatile SharedPage* page = shared();
    return page != nullptr && (page->pending & ~page->masked_channels) != 0;
}

Next Guest::return_from_trap(GuestState& state) {
    TrapFrame elsewhere;
    const volatile u64* words = words_at(state.rdi, sizeof(TrapFrame) / sizeof(u64), false);
    if (words == nullptr) {
        const bool there = memory_.copy_in(std::as_writable_bytes(std::span(&elsewhere, 1)), state.rdi);
        words = there ? reinterpret_cast<const u64*>(&elsewhere) : nullptr;
    }
    const auto* frame = reinterpret_cast<const volatile TrapFrame*>(words);
    const u64 rip = words != nullptr ? frame->rip : kCanonicalEnd;
    if (rip >= kCanonicalEnd) {
        state.rax = static_cast<u64>(answer_of(Error::bad_argument));
        return Next::run;
    }
    const u64 flags = frame->rflags;
    user_mode_ = (frame->mode & 3) == kUserMode;
    state.rip = rip;
    state.rsp = frame->rsp;
    state.rflags = (flags & kGuestFlags) | kAlwaysFlags;
    for_registers([&](std::size_t i, auto member) { state.*member = words[i]; });
    volatile SharedPage* page = shared();
    if (page == nullptr) return broken("its shared page is gone");
    page->events_masked = flags & kInterruptFlag ? 0 : 1;
    return Next::run;
}

// ---- hypercalls -----------------------------------------------------------------------------------------------------

Next Guest::on_syscall(GuestState& state) {
    if (user_mode_) return trap(state, kSystemCallVector, 0);
    const auto number = static_cast<Hypercall>(state.rax);
    switch (number) {
        case Hypercall::return_from_trap:
            return return_from_trap(state);
        case Hypercall::take_events:
            state.rax = 0;
            return has_events() ? trap(state, kEventVector, 0) : Next::run;
        case Hypercall::wait:
            state.rax = 0;
            return has_events() ? Next::run : Next::wait;
        case Hypercall::yield:
            state.rax = 0;
            return Next::yield;
        case Hypercall::power_off:
            return state.rdi == 0 ? Next::off : Next::failed;
        default:
            state.rax = static_cast<u64>(answer(number, state.rdi, state.rsi));
            return Next::run;
    }
}

i64 Guest::answer(Hypercall number, u64 a, u64 b) {
    u64 frame = 0;
    switch (number) {
        case Hypercall::set_trap_entry:
            if (a == 0 || a >= memory_end()) return answer_of(Error::bad_argument);
            trap_entry_ = a;
            return 0;
        case Hypercall::create_root:
            return root_frame(a, frame) ? refuse(tables_.create_root(frame)) : answer_of(Error::bad_argument);
        case Hypercall::destroy_root:
            if (!root_frame(a, frame)) return answer_of(Error::bad_argument);
            return refuse(frame != root_ && tables_.destroy_root(frame));
        case Hypercall::switch_root: return switch_root(a);
        case Hypercall::update_entries: return update_entries(a, b);
        case Hypercall::set_timer: return effects_.set_timer(a), 0;
        case Hypercall::start_ring: return start_ring(a, b);
        case Hypercall::notify_ring:
            return a < static_cast<u64>(RingKind::count) && effects_.notify_ring(static_cast<RingKind>(a)) ? 0 : answer_of(Error::bad_argument);
        case Hypercall::print: return print(a, b);
        case Hypercall::zero_frames: return change_frames(a, b, true);
        case Hypercall::free_frames: return change_frames(a, b, false);
        default: return answer_of(Error::no_such_call);
    }
}

bool Guest::root_frame(u64 address, u64& frame) const {
    frame = address >> kPageShift;
    return address != 0 && address % kPageSize == 0 && address < memory_end();
}

i64 Guest::switch_root(u64 address) {
    u64 frame = 0;
    if (address != 0 && (!root_frame(address, frame) || !tables_.is_root(frame))) return answer_of(Error::bad_argument);
    root_ = frame;
    return 0;
}

i64 Guest::update_entries(u64 address, u64 count) {
    if (count > kMaxUpdates || !memory_.contains(address, count * sizeof(Update))) return answer_of(Error::bad_argument);
    i64 done = 0;
    std::array<Update, 16> part;
    while (count != 0) {
        const u64 now = std::min<u64>(count, part.size());
        if (!memory_.copy_in(std::as_writable_bytes(std::span(part).first(now)), address)) return answer_of(Error::bad_argument);
        for (u64 i = 0; i < now; ++i, ++done)
            if (!tables_.update(part[i])) return done != 0 ? done : answer_of(Error::refused);
        address += now * sizeof(Update), count -= now;
    }
    return done;
}

i64 Guest::change_frames(u64 address, u64 count, bool zero) {
    std::array<u64, kMaxFrames> list;
    if (count > kMaxFrames || !memory_.copy_in(std::as_writable_bytes(std::span(list).first(count)), address))
        return answer_of(Error::bad_argument);
    for (u64 i = 0; i < count; ++i) {
        u64 frame = 0;
        if (!root_frame(list[i], frame)) return answer_of(Error::bad_argument);
        if (tables_.is_table(frame)) return answer_of(Error::refused);
        if (!zero) effects_.free_frame(frame);
        else if (!effects_.zero_frame(frame)) return answer_of(Error::no_memory);
    }
    return 0;
}

i64 Guest::print(u64 address, u64 size) {
    std::array<char, kMaxPrint> text;
    if (size > kMaxPrint || !memory_.copy_in(std::as_writable_bytes(std::span(text).first(size)), address))
        return answer_of(Error::bad_argument);
    effects_.print({text.data(), size});
    return 0;
}

i64 Guest::start_ring(u64 kind, u64 address) {
    u64 frame = 0;
    if (kind >= static_cast<u64>(RingKind::count) || !root_frame(address, frame)) return answer_of(Error::bad_argument);
    const std::byte* bytes = tables_.is_table(frame) ? nullptr : memory_.page(frame, false);
    if (bytes == nullptr || !std::all_of(bytes, bytes + kPageSize, [](std::byte b) { return b == std::byte{}; }))
        return answer_of(Error::refused);
    return refuse(effects_.start_ring(static_cast<RingKind>(kind), frame));
}

// ---- page faults ----------------------------------------------------------------------------------------------------

bool Guest::find_page(u64 address, u64& error, Translation& translation) {
    const bool write = error & kFaultWrite, fetch = error & kFaultFetch;
    bool there;
    if (user_mode_) {
        there = tables_.walk(root_, address, translation);
    } else {
        const u64 frame = address >> kPageShift;
        there = frame < memory_.frames();
        translation = {frame, !tables_.is_table(frame), true, false};
    }
    if (there && (!write || translation.writable) && (!fetch || translation.executable) && (!user_mode_ || translation.user)) return true;
    error = (error & (kFaultWrite | kFaultFetch)) | (there ? kFaultPresent : 0) | (user_mode_ ? kFaultUser : 0);
    return false;
}

}  // namespace tessera::vmm::paravirt
