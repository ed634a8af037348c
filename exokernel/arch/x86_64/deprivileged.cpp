#include "exokernel/arch/x86_64/deprivileged.hpp"

#include "exokernel/arch/x86_64/descriptors.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/arch/x86_64/traps.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/refill.hpp"

namespace tessera::kernel {
namespace {

/// What a guest in ring 3 may have in its flags: the status bits, TF, DF, AC and ID. IF is always on, IOPL 0.
constexpr u64 kGuestFlags = 0x24'0dd5;

struct StateRegister {
    u64 GuestState::*state;
    u64 Registers::*trap;
};
constexpr StateRegister kRegisters[] = {
    {&GuestState::rax, &Registers::rax}, {&GuestState::rbx, &Registers::rbx}, {&GuestState::rcx, &Registers::rcx},
    {&GuestState::rdx, &Registers::rdx}, {&GuestState::rsi, &Registers::rsi}, {&GuestState::rdi, &Registers::rdi},
    {&GuestState::rbp, &Registers::rbp}, {&GuestState::r8, &Registers::r8},   {&GuestState::r9, &Registers::r9},
    {&GuestState::r10, &Registers::r10}, {&GuestState::r11, &Registers::r11}, {&GuestState::r12, &Registers::r12},
    {&GuestState::r13, &Registers::r13}, {&GuestState::r14, &Registers::r14}, {&GuestState::r15, &Registers::r15},
};

/// What a system call leaves as it was (abi/syscalls.hpp). In the others the monitor finds what is on its state page anyway.
constexpr u64 Registers::*kKept[] = {&Registers::rbx, &Registers::rbp, &Registers::r12, &Registers::r13, &Registers::r14, &Registers::r15};

/// This CPU is the monitor's again, but for its registers.
void restore_monitor(Cpu& cpu) {
    if (!(cpu.attention & Cpu::kNoBases)) {
        write_fs_base(cpu.guest->monitor_fs);
        write_gs_base(cpu.guest->monitor_gs);
    }
    cpu.guest = nullptr;
    __atomic_store_n(&cpu.env->in_guest, false, __ATOMIC_RELAXED);
    restore_traps();
    switch_context(cpu, cpu.env->context);
}

/// The guest has stopped, `frame` is the monitor's again, and so is everything else.
void leave_guest(Cpu& cpu, TrapFrame& frame, GuestExit exit, u64 error = 0, u64 address = 0) {
    Guest& guest = *cpu.guest;
    GuestState& state = *guest.state;
#pragma GCC unroll 15
    for (const StateRegister& reg : kRegisters) state.*reg.state = frame.regs.*reg.trap;
    state.rsp = frame.entry.rsp;
    state.rip = frame.entry.rip;
    state.rflags = frame.entry.rflags;
    state.exit = static_cast<u64>(exit);
    state.info[0] = error;
    state.info[1] = address;
    state.event = state.next_rip = 0;
    if (!(cpu.attention & Cpu::kNoBases)) {
        state.fs_base = guest.fs_base = read_fs_base();
        state.gs_base = guest.gs_base = read_gs_base();
    }
#pragma GCC unroll 6
    for (u64 i = 0; i < 6; ++i) frame.regs.*kKept[i] = guest.monitor_kept[i];
    frame.entry = guest.monitor;
    frame.regs.rax = static_cast<u64>(Error::ok);
    frame.regs.rdx = static_cast<u64>(exit);
    restore_monitor(cpu);
}

}  // namespace

Result<u64> enter_deprivileged(Cpu& cpu, Guest& guest, Context& context, TrapFrame& frame) {
    GuestState& state = *guest.state;
    const u64 rip = read_once(state.rip);
    if (!is_canonical(rip)) return Failure{Error::bad_argument, offsetof(GuestState, rip)};  // `iretq` itself would fault
    const bool has_bases = !(cpu.attention & Cpu::kNoBases);
    if (const u64 changed = read_once(state.changed); has_bases && (guest.fresh || (changed & static_cast<u64>(GuestPart::bases)))) {
        const u64 fs_base = read_once(state.fs_base), gs_base = read_once(state.gs_base);
        if (!is_canonical(fs_base)) return Failure{Error::bad_argument, offsetof(GuestState, fs_base)};
        if (!is_canonical(gs_base)) return Failure{Error::bad_argument, offsetof(GuestState, gs_base)};
        guest.fs_base = fs_base;
        guest.gs_base = gs_base;
    }
    state.changed = 0;
    guest.fresh = false;

#pragma GCC unroll 6
    for (u64 i = 0; i < 6; ++i) guest.monitor_kept[i] = frame.regs.*kKept[i];
    guest.monitor = frame.entry;
    if (has_bases) {
        guest.monitor_fs = read_fs_base();
        guest.monitor_gs = read_gs_base();
        write_fs_base(guest.fs_base);
        write_gs_base(guest.gs_base);
    }
#pragma GCC unroll 15
    for (const StateRegister& reg : kRegisters) frame.regs.*reg.trap = read_once(state.*reg.state);
    frame.entry = {rip, SELECTOR_USER_CODE, (read_once(state.rflags) & kGuestFlags) | USER_RFLAGS, read_once(state.rsp),
                   SELECTOR_USER_DATA};
    cpu.guest = &guest;
    __atomic_store_n(&cpu.env->in_guest, true, __ATOMIC_RELAXED);
    divert_traps_to_guest();
    switch_context(cpu, &context);
    return u64{0};
}

/// From guest_entry.S. What returns here goes on with the frame: in the guest, or in its monitor.
extern "C" void on_guest_trap(TrapFrame& frame) {
    forbid_user_access();
    Cpu& cpu = Cpu::here();
    if (!frame.entry.from_user() && !frame.entry.from_virtual_8086()) {
        restore_monitor(cpu);
        return on_trap(frame);  // the kernel's own: a panic, or the monitor's end
    }
    switch (const u64 vector = frame.vector) {
        case kPageFault: {
            if (frame.entry.from_virtual_8086()) break;
            const PageFault fault{VirtAddr{read_cr2()}, frame.error};
            Context& context = *cpu.context;
            switch (refill(context, page_of(fault.address), fault)) {
                case Refill::done: return;
                case Refill::no: return leave_guest(cpu, frame, GuestExit{static_cast<u64>(GuestExit::exception) + vector}, fault.error, fault.address.value);
                case Refill::no_room: break;
            }
            // Order: the monitor's again before others are stopped, as who waits for them may not come back.
            const Guest& guest = *cpu.guest;
            leave_guest(cpu, frame, GuestExit::interrupted);
            Exclusive exclusive;
            if (is_loaded(*cpu.env, guest, context)) drop_tables(context);  // else it was taken by force while this CPU waited
            return;
        }
        case VECTOR_SPURIOUS:
            return;
        case VECTOR_TIMER:
        case VECTOR_STOP:
            // As if it had come behind the monitor's call.
            leave_guest(cpu, frame, GuestExit::interrupted);
            frame.vector = vector;
            return on_trap(frame);
        case VECTOR_GUEST_SYSCALL:
            return leave_guest(cpu, frame, GuestExit::syscall);
        default:
            break;
    }
    // Virtual-8086 mode (returns_to_virtual_8086 in traps.cpp) ends here: the monitor sees the flag, and goes on without it.
    leave_guest(cpu, frame, GuestExit{static_cast<u64>(GuestExit::exception) + frame.vector}, frame.error);
}

}  // namespace tessera::kernel
