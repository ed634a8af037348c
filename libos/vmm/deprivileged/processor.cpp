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

DeprivilegedProcessor::DeprivilegedProcessor(Machine& machine, DeprivilegedPaging& paging, CodeChoice code, u32 inline_after, std::span<Site> sites,
                                             std::span<ScannedPage> pages)
    : machine_(machine),
      paging_(paging),
      shadow_(paging.shadow()),
      space_(machine.memory(), shadow_),
      rewritten_(machine.memory(), paging.contexts(), shadow_, space_, sites, pages),
      translated_(machine, paging, space_, inline_after),
      kernel_code_(code == CodeChoice::translate ? static_cast<KernelCode*>(&translated_) : &rewritten_),
      virtual_(make_long_mode_cpu(kModel, 0, 0)) {
    shadow_.set_watcher(*this);
}

Outcome DeprivilegedProcessor::open() {
    TRY(kernel_code_->open());
    return cpu_.open(GuestForm::deprivileged);
}

// ---- In and out -----------------------------------------------------------------------------------------------

void DeprivilegedProcessor::load_root() {
    root_ = shadow_.load(PagingMode::of(virtual_.cr0, virtual_.cr3, virtual_.cr4, virtual_.efer, kModel.physical_bits));
    onward_ = Onward::elsewhere;  // the next instruction may be another one here
    kernel_code_->on_new_root();
}

const CpuModel& DeprivilegedProcessor::model() { return kModel; }

void DeprivilegedProcessor::start(const VirtualCpu& registers) {
    virtual_ = registers;
    load_root();
}

/// The real CPU gets what of the virtual one it may have. False: it does not run yet, or the machine has stopped. A fault of fetching is delivered;
/// what its handler fetches may fault in turn, without end: that takes time, as everything does.
bool DeprivilegedProcessor::enter() {
    GuestState& state = cpu_.state();
    // The real CPU is in 64-bit mode, whatever the guest's code segment says.
    if (!virtual_.is64()) [[unlikely]] return fail("it runs 32-bit code, at", virtual_.rip), false;
    const Onward onward = std::exchange(onward_, Onward::behind);
    std::optional<Exception> fault = code().enter(parts_, state, onward);
    if (const char* const why = kernel_code_->problem()) [[unlikely]] {
        hand_over(why);
        fault = code().enter(parts_, state, onward);
    }
    if (fault) return raise(*fault), now_ = ticks(), false;
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

void DeprivilegedProcessor::leave() {
    const GuestState& state = cpu_.state();
    fs_base_ = virtual_.fs.base = state.fs_base;
    gs_base_ = virtual_.gs.base = state.gs_base;
    code().leave(parts_, state);
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
    if (exit == GuestExit{kFirst + kProtection}) [[likely]]
        if (const auto made = code().take(parts_))
            return on_replaced(*made, Exception::with_error(kProtection, static_cast<u32>(cpu_.state().info[0])));
    if (exit == GuestExit::interrupted) {
        onward_ = Onward::same;
        machine_.advance(now_);
        if (const auto step = code().take_step(parts_)) on_emulated(*step, {});
        return;
    }
    if (exit == GuestExit::syscall) {
        // As if it had not been made yet: what it does is the emulator's, with the guest's registers.
        constexpr u64 kLength = 2;
        virtual_.rip -= kLength;
        return on_emulated(emulate(parts_), Exception::plain(kInvalidOpcode));
    }
    if (const u64 vector = static_cast<u64>(exit) - kFirst; vector < 32) return on_exception(static_cast<u8>(vector));
    fail("an exit that nobody handles", static_cast<u64>(exit));
}

void DeprivilegedProcessor::on_exception(u8 vector) {
    if (vector == kPageFault) return on_page_fault();
    if (vector == kDeviceMissing) return on_device_missing();
    // The real CPU has none of the guest's breakpoints: it was TF.
    if (vector == kDebug) virtual_.dr[6] |= dr6::kSingleStep;
    const u32 error = static_cast<u32>(cpu_.state().info[0]);
    const Exception own = has_error_code(vector) ? Exception::with_error(vector, error) : Exception::plain(vector);
    // What privileged instructions raise in ring 3. An exception of any other instruction is the guest's own.
    if (vector != kProtection && vector != kInvalidOpcode) return raise(own);
    Instruction in;
    Exception fault{};
    if (!fetch(parts_, in, fault)) return raise(fault);
    const Sensitive what = classify(in);
    if (what == Sensitive::none) return raise(own);
    code().remember(virtual_.rip, in, what);
    on_emulated(emulate(parts_, in, what), own);
}

/// What the guest's CPU would have executed, as WAIT without CR0.MP, is let through by itself.
void DeprivilegedProcessor::on_device_missing() {
    Instruction in;
    Exception fault{};
    if (!fetch(parts_, in, fault)) return raise(fault);
    const auto refusal = fpu_refusal(virtual_, fpu_kind(in));
    if (refusal) return raise(Exception::plain(*refusal));
    alone_ = code().run_alone() || (virtual_.rflags & rflags::kTrap) ? Alone::seen_to : Alone::stepped;
}

/// As on_emulated; but it may have been a branch, which nobody but us had to do.
void DeprivilegedProcessor::on_replaced(const Emulated& made, Exception raised) {
    if (made.what == Sensitive::none) ++counts_.branches, onward_ = Onward::elsewhere;
    on_emulated(made, raised);
}

/// `raised`: what the real CPU said to it, should it be none of the machine's instructions.
void DeprivilegedProcessor::on_emulated(const Emulated& made, Exception raised) {
    ++counts_.emulated[static_cast<u32>(made.what) % kSensitiveCount];
    switch (made.ending) {
    case Ending::done:
        if (goes_elsewhere(made.what)) onward_ = Onward::elsewhere;
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
    onward_ = Onward::elsewhere;
    switch (deliver_exception(parts_, exception)) {
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
    onward_ = Onward::elsewhere;
    alone_ = Alone::no;
    switch (deliver_interrupt(parts_, board.acknowledge(0))) {
    case Delivered::done: return;
    case Delivered::ended: return fail("a triple fault");
    case Delivered::unsupported: return fail("an interrupt outside of long mode");
    }
}

// ---- Pages and code --------------------------------------------------------------------------------------------

void DeprivilegedProcessor::on_page_fault() {
    const u64 error = cpu_.state().info[0], address = cpu_.state().info[1], rip = cpu_.state().rip;
    const auto has = [error](AccessKind kind) { return (error & static_cast<u64>(kind)) != 0; };
    const Access access{.write = has(AccessKind::write), .fetch = has(AccessKind::fetch), .user = is_user()};
    onward_ = Onward::same;
    const auto place = paging_.contexts().place(cpu_, root_, is_user());
    if (!place.ok()) return fail("there is no memory for another context");
    if (code().on_missing(place.value(), address, access, rip)) return;
    const ShadowDecision decision = shadow_.fault(address, access);
    switch (decision.verdict) {
    case ShadowVerdict::again: return;
    case ShadowVerdict::reflect: return raise(Exception::page_fault(address, decision.code));
    case ShadowVerdict::nowhere:
        return fail("memory that the machine does not have, at guest-physical", decision.mapping.guest_frame << kPageShift);
    case ShadowVerdict::bind: break;
    }
    if (address >> kPageShift >= kUserPages) return fail("an address that is the host's", address);
    const ShadowMapping mapping = kernel_code_->limit(decision.mapping, access, rip);
    if (!paging_.contexts().bind(place.value(), mapping, access.write, rip)) fail("there is no memory for it");
}

/// The way that the kernel's code runs does not do: from here on it is translated, which always does.
void DeprivilegedProcessor::hand_over(const char* why) {
    if (!translated_.open().ok()) return fail("there is no memory for its translated code");
    print("guest ", machine_.name(), ": ", why, ": it is translated from here on\n");
    kernel_code_->report(machine_.name());
    kernel_code_->give_up();
    kernel_code_ = &translated_;
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
