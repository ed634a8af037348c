#include "libos/vmm/deprivileged/processor.hpp"

#include <utility>

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/vmm/instructions/fpu.hpp"
#include "libos/vmm/monitor/guest_registers.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

/// In ring 3 what CR4 switches on in the real CPU is on for everybody; so the guest's has none of it.
constexpr CpuModel kModel = {
    .cr4_allowed = kSmallModel.cr4_allowed & ~(cr4::kUmip | cr4::kFsGsBase),
    .efer_allowed = kSmallModel.efer_allowed,
    .xcr0_allowed = 0,
    .physical_bits = kSmallModel.physical_bits,
    .has_rdtscp = false,
};

/// Instructions behind which the guest's kernel may be where it never was.
constexpr bool goes_elsewhere(Sensitive what) { return what >= Sensitive::syscall && what <= Sensitive::int1; }

constexpr bool has_error_code(u8 vector) {
    constexpr u64 kWithError = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;
    return kWithError >> vector & 1;
}

}  // namespace

DeprivilegedProcessor::DeprivilegedProcessor(Machine& machine, DeprivilegedPaging& paging, std::span<Site> sites, std::span<ScannedPage> pages)
    : machine_(machine),
      paging_(paging),
      shadow_(paging.shadow()),
      space_(machine.memory(), shadow_),
      rewritten_(machine.memory(), paging.contexts(), shadow_, space_, sites, pages),
      translated_(machine.memory(), paging.contexts(), shadow_, space_, paging.code_pages()),
      virtual_(make_long_mode_cpu(kModel, 0, 0)) {
    shadow_.set_watcher(*this);
}

Outcome DeprivilegedProcessor::open(CodeChoice code, u32 inline_after) {
    translates_ = code == CodeChoice::translate;
    inline_after_ = inline_after;
    if (translates_) TRY(translated_.open(inline_after));
    return cpu_.open(GuestForm::deprivileged);
}

// ---- In and out -----------------------------------------------------------------------------------------------

void DeprivilegedProcessor::load_root() {
    root_ = shadow_.load(PagingMode::of(virtual_.cr0, virtual_.cr3, virtual_.cr4, virtual_.efer, kModel.physical_bits));
    if (translates_) translated_.on_new_root();
}

const CpuModel& DeprivilegedProcessor::model() { return kModel; }

void DeprivilegedProcessor::start(const VirtualCpu& registers) {
    virtual_ = registers;
    fresh_code_ = true;
    load_root();
}

/// The real CPU gets what of the virtual one it may have. False: the machine has stopped.
bool DeprivilegedProcessor::enter() {
    GuestState& state = cpu_.state();
    if (is_rewritten() && std::exchange(fresh_code_, false)) rewritten_.scan(virtual_.rip);
    if (!translates_ && rewritten_.problem() != nullptr) translate_instead(rewritten_.problem());
    if (is_translated()) {
        if (!enter_translated()) return false;
    } else {
        store_registers(virtual_, state);
        state.rip = virtual_.rip;
        state.rflags = real_flags(virtual_);
    }
    if (fs_base_ != virtual_.fs.base || gs_base_ != virtual_.gs.base) {
        fs_base_ = state.fs_base = virtual_.fs.base;
        gs_base_ = state.gs_base = virtual_.gs.base;
        cpu_.propose(GuestPart::bases);
    }
    const bool open = alone_ != Alone::no || fpu_is_open(virtual_);
    state.wishes = open ? 0 : static_cast<u64>(GuestWish::no_fpu);
    if (alone_ == Alone::stepped) state.rflags |= rflags::kTrap;
    return machine_.is_running();
}

/// As `enter`, in the cache. A fault of fetching is delivered; what its handler fetches may fault in turn, without end: that takes time,
/// as everything does.
bool DeprivilegedProcessor::enter_translated() {
    const bool waiting = machine_.board().interrupt_pending(0);
    const bool same_place = goes_on_ && !fresh_code_ && translated_.go_on(parts(), waiting);
    goes_on_ = fresh_code_ = false;
    if (same_place) return true;
    if (!virtual_.is64()) return fail("its kernel runs 32-bit code, at", virtual_.rip), false;
    const TranslatedCode::Entered entered = translated_.enter(parts(), cpu_.state(), waiting);
    if (translated_.problem() != nullptr) return fail(translated_.problem()), false;
    if (entered.good) return true;
    raise(entered.fault);
    now_ = ticks();
    return false;
}

void DeprivilegedProcessor::leave() {
    const GuestState& state = cpu_.state();
    fs_base_ = virtual_.fs.base = state.fs_base;
    gs_base_ = virtual_.gs.base = state.gs_base;
    if (is_translated()) {
        translated_.leave(parts(), state);
    } else {
        load_registers(virtual_, state);
        virtual_.rip = state.rip;
        virtual_.rflags = virtual_flags(virtual_, state.rflags);
        virtual_.shadow = false;  // at least one instruction was made, or begun
    }
    if (alone_ == Alone::stepped) virtual_.rflags &= ~rflags::kTrap;
}

Turn DeprivilegedProcessor::run(u64 until) {
    const u64 begin = now_ = ticks();
    Turn turn = Turn::ended;
    while (machine_.is_running()) {
        if (machine_.is_due(now_)) machine_.advance(now_);
        deliver_pending();
        if (virtual_.halted) {
            machine_.advance(now_);
            deliver_pending();
            if (virtual_.halted) {
                turn = Turn::idle;
                break;
            }
        }
        if (now_ >= until) {
            turn = Turn::over;
            break;
        }
        if (!enter()) continue;
        const auto place = paging_.contexts().place(cpu_, root_, is_user());
        if (!place.ok()) {
            fail("there is no memory for another context");
            break;
        }
        const u64 filled = accounts().hits;
        const u64 entered = ticks();
        const auto exit = cpu_.run(place.value());
        now_ = ticks();
        counts_.filled += accounts().hits - filled;
        exits_.add_guest(now_ - entered);
        if (!exit.ok()) {
            fail("the kernel refuses the virtual CPU's state", static_cast<u64>(exit.error()));
            break;
        }
        exits_.count(exit.value(), cpu_.state());
        leave();
        handle(exit.value());
    }
    exits_.add_turn(ticks() - begin);
    return turn;
}

// ---- Exits ----------------------------------------------------------------------------------------------------

void DeprivilegedProcessor::handle(GuestExit exit) {
    constexpr u64 kFirst = static_cast<u64>(GuestExit::exception);
    const Alone was = std::exchange(alone_, Alone::no);
    if (was == Alone::stepped && exit == GuestExit{kFirst + kDebug}) return;
    if (exit == GuestExit{kFirst + kProtection} && is_rewritten()) [[likely]]
        if (const auto made = rewritten_.on_known(parts())) return on_replaced(*made, {});
    if (exit == GuestExit::interrupted) {
        goes_on_ = true;
        machine_.advance(now_);
        if (is_translated() && translated_.has_stepped(virtual_)) on_emulated(TranslatedCode::step(parts()), {});
        return;
    }
    if (exit == GuestExit::syscall) {
        // As if it had not been made yet: what it does is the emulator's, with the guest's registers.
        constexpr u64 kLength = 2;
        virtual_.rip -= kLength;
        return on_emulated(emulate(parts()), Exception::plain(kInvalidOpcode));
    }
    if (const u64 vector = static_cast<u64>(exit) - kFirst; vector < 32) return on_exception(static_cast<u8>(vector));
    fail("an exit that nobody handles", static_cast<u64>(exit));
}

void DeprivilegedProcessor::on_exception(u8 vector) {
    if (vector == kPageFault) return on_page_fault();
    if (vector == kDeviceMissing) return on_device_missing();
    const u32 error = static_cast<u32>(cpu_.state().info[0]);
    const Exception own = has_error_code(vector) ? Exception::with_error(vector, error) : Exception::plain(vector);
    if (vector == kProtection && is_translated() && translated_.wants_monitor()) return on_replaced(translated_.take(parts()), own);
    if (vector == kProtection && is_rewritten())
        if (const auto made = rewritten_.on_site(parts())) return on_replaced(*made, own);
    // What privileged instructions raise in ring 3. An exception of any other instruction is the guest's own.
    if (vector != kProtection && vector != kInvalidOpcode) return raise(own);
    Instruction in;
    Exception fault{};
    if (!fetch(parts(), in, fault)) return raise(fault);
    const Sensitive what = classify(in);
    if (what == Sensitive::none) return raise(own);
    if (is_rewritten()) rewritten_.remember(virtual_.rip, in, what);
    on_emulated(emulate(parts(), in, what), own);
}

/// What the guest's CPU would have executed, as WAIT without CR0.MP, is let through by itself.
void DeprivilegedProcessor::on_device_missing() {
    Instruction in;
    Exception fault{};
    if (!fetch(parts(), in, fault)) return raise(fault);
    const auto refusal = fpu_refusal(virtual_, fpu_kind(in));
    if (refusal) return raise(Exception::plain(*refusal));
    alone_ = is_translated() || (virtual_.rflags & rflags::kTrap) ? Alone::seen_to : Alone::stepped;
    if (is_translated()) translated_.run_alone();
}

/// As on_emulated; but it may have been a branch, which nobody but us had to do.
void DeprivilegedProcessor::on_replaced(const Emulated& made, Exception raised) {
    if (made.what == Sensitive::none) ++counts_.branches, fresh_code_ = true;
    on_emulated(made, raised);
}

/// `raised`: what the real CPU said to it, should it be none of the machine's instructions.
void DeprivilegedProcessor::on_emulated(const Emulated& made, Exception raised) {
    ++counts_.emulated[static_cast<u32>(made.what) % kSensitiveCount];
    switch (made.ending) {
    case Ending::done:
        fresh_code_ |= goes_elsewhere(made.what);
        return;
    case Ending::again: return;
    case Ending::halted:
        if (!virtual_.interrupts_enabled()) machine_.stop({End::power_off, "halted with interrupts off", 0});
        return;
    case Ending::exception: return raise(made.exception);
    case Ending::ordinary: return raise(raised);
    case Ending::unsupported: return fail("an instruction that nobody knows how to emulate, at", virtual_.rip);
    }
}

void DeprivilegedProcessor::raise(const Exception& exception) {
    ++counts_.exceptions;
    fresh_code_ = true;
    switch (deliver_exception(parts(), exception)) {
    case Delivered::done: return;
    case Delivered::ended:
        if (virtual_.idtr.limit == 0) return machine_.stop({End::reset, "reset by a triple fault", 0});
        return fail("a triple fault");
    case Delivered::unsupported: return fail("an exception outside of long mode, of vector", exception.vector);
    }
}

void DeprivilegedProcessor::deliver_pending() {
    Board& board = machine_.board();
    if (!board.interrupt_pending(0) || !virtual_.may_interrupt()) return;
    ++counts_.interrupts;
    fresh_code_ = true;
    alone_ = Alone::no;
    switch (deliver_interrupt(parts(), board.acknowledge(0))) {
    case Delivered::done: return;
    case Delivered::ended: return fail("a triple fault");
    case Delivered::unsupported: return fail("an interrupt outside of long mode");
    }
}

// ---- Pages and code --------------------------------------------------------------------------------------------

void DeprivilegedProcessor::on_page_fault() {
    const u64 error = cpu_.state().info[0], address = cpu_.state().info[1];
    const auto has = [error](AccessKind kind) { return (error & static_cast<u64>(kind)) != 0; };
    const Access access{.write = has(AccessKind::write), .fetch = has(AccessKind::fetch), .user = is_user()};
    goes_on_ = true;
    if (is_translated()) {
        const auto place = paging_.contexts().place(cpu_, root_, false);
        if (place.ok() && translated_.bind(place.value(), address, access, cpu_.state().rip)) return;
        // Nothing of the guest's is executed where it is: it goes on in the cache.
        if (access.fetch) return void(goes_on_ = false);
    }
    const ShadowDecision decision = shadow_.fault(address, access);
    switch (decision.verdict) {
    case ShadowVerdict::again: return;
    case ShadowVerdict::reflect: return raise(Exception::page_fault(address, decision.code));
    case ShadowVerdict::nowhere:
        return fail("memory that the machine does not have, at guest-physical", decision.mapping.guest_frame << kPageShift);
    case ShadowVerdict::bind: break;
    }
    if (address >> kPageShift >= kUserPages) return fail("an address that is the host's", address);
    bind(decision.mapping, access);
}

void DeprivilegedProcessor::bind(ShadowMapping mapping, const Access& access) {
    if (is_rewritten()) {
        if (access.fetch) rewritten_.scan(virtual_.rip);
        mapping = rewritten_.limit(mapping, access);
    } else if (translates_) {
        translated_.make_way(mapping.first, mapping.count);
        if (!is_user()) mapping.execute = false;
    }
    const auto place = paging_.contexts().place(cpu_, mapping.root, is_user());
    const u64 rip = is_translated() ? cpu_.state().rip : virtual_.rip;
    if (!place.ok() || !paging_.contexts().bind(place.value(), mapping, access.write, rip)) fail("there is no memory for it");
}

/// Rewriting does not do: the guest's kernel gets its bytes back, and goes on in the cache.
void DeprivilegedProcessor::translate_instead(const char* why) {
    rewritten_.give_back();
    for (u32 root = 0; root < kMaxRoots / 2; ++root) paging_.contexts().forget_root(root);
    if (!translated_.open(inline_after_).ok()) return fail("there is no memory for its translated code");
    translates_ = true;
    print("guest ", machine_.name(), ": ", why, ": it is translated from here on\n");
}

void DeprivilegedProcessor::on_write(u64 guest_frame) {
    if (translates_) return translated_.on_write(guest_frame, !is_user());
    rewritten_.on_write(guest_frame, !is_user());
}

u64 DeprivilegedProcessor::bytes_at_rip(u8 (&bytes)[kMaxInstructionLength]) {
    const u64 in_page = std::min<u64>(kMaxInstructionLength, kPageSize - virtual_.rip % kPageSize);
    Exception fault;
    if (!is_canonical(virtual_.rip) || !space_.read(virtual_.rip, bytes, in_page, {.fetch = true, .user = is_user()}, fault)) return 0;
    return in_page;
}

// ---- What is around the CPU ------------------------------------------------------------------------------------

u32 DeprivilegedProcessor::port_read(u16 port, u32 size) {
    if (machine_.board().is_timed(port)) machine_.advance(now_);
    return machine_.board().read_port(port, size);
}

void DeprivilegedProcessor::port_write(u16 port, u32 size, u32 value) {
    const bool timed = machine_.board().is_timed(port);
    if (timed) machine_.advance(now_);
    machine_.board().write_port(port, size, value);
    if (timed) machine_.look_at_time();
}

u64 DeprivilegedProcessor::time_stamp() { return ticks(); }

bool DeprivilegedProcessor::msr_read(u32 index, u64& value) {
    const std::optional<u64> found = machine_.board().read_msr(0, index);
    if (found) value = *found;
    return found.has_value();
}

bool DeprivilegedProcessor::msr_write(u32 index, u64 value) { return machine_.board().write_msr(0, index, value); }

}  // namespace tessera::vmm
