#include "exokernel/arch/x86_64/svm.hpp"

#include "exokernel/arch/x86_64/control_block.hpp"
#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/fpu.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/arch/x86_64/svm_enter.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/panic.hpp"
#include "exokernel/core/refill.hpp"

namespace tessera::kernel {

namespace {

struct {
    bool there, nested, flush_by_asid, next_rip, protection_keys;
    u64 asids;
} svm;

/// What VMRUN and VMSAVE keep of ours.
struct alignas(kPageSize) HostBlocks {
    u8 by_run[kPageSize];
    u8 by_save[kPageSize];
};
HostBlocks host_blocks[kMaxCpus];

/// Is an event's instruction executed again, as rip still names it (INT n, INT3, INTO)? Injected it would return to itself.
constexpr bool is_made_again(u64 event) {
    const GuestEventType type{event >> 8 & 7};
    const u64 vector = event & 0xff;
    return type == GuestEvent::software || (type == GuestEvent::exception && (vector == kBreakpoint || vector == 4));
}

/// How often an instruction has missed: without end, where the tables have no room for all that it needs at once.
struct Tries {
    u64 rip, count;
};
constexpr u64 kMostTries = 64;

/// Another guest ran here before. With nested paging one can set CR4.PKE for itself and load PKRU, which nobody exchanges: no
/// monitor can have proposed that bit, so it is enough that nothing of it is left.
[[gnu::cold]] void forget_other(Cpu& cpu, const Guest& guest) {
    cpu.left = &guest;
    if (!svm.protection_keys) return;
    write_cr4(read_cr4() | cr4::kPke);
    write_protection_keys(0);
    write_cr4(read_cr4() & ~cr4::kPke);
}

/// Has the guest an address-space tag on this CPU, and is what is cached under it good?
bool has_tag(const Cpu& cpu, const Guest& guest, const Context& context) {
    return guest.translated == &context && guest.changes == context.changes && guest.cpu == &cpu &&
           guest.asid_generation == cpu.asid_generation;
}

[[gnu::cold]] void choose_tag(Cpu& cpu, Guest& guest, const Context& context) {
    if (guest.cpu != &cpu || guest.asid_generation != cpu.asid_generation) {
        if (cpu.next_asid == svm.asids || cpu.next_asid == 0) {
            cpu.next_asid = 1;  // 0 is the host's
            ++cpu.asid_generation;
        }
        guest.block->asid = static_cast<u32>(cpu.next_asid++);
        guest.cpu = &cpu;
        guest.asid_generation = cpu.asid_generation;
    }
    guest.translated = &context;
    guest.changes = context.changes;
    guest.block->tlb_control = svm.flush_by_asid ? 3 : 1;
}

enum class Missed {
    no,     ///< It exited for another reason, or no binding admits the access.
    again,  ///< It can go on.
    gone,   ///< It cannot: it is not loaded with that context any more.
};

/// What the guest's tables missed, filled from the S-TLB.
Missed settle(Cpu& cpu, Guest& guest, Context& context, Tries& tries) {
    ControlBlock& block = *guest.block;
    const PageFault fault{VirtAddr{block.exit_info[1]}, block.exit_info[0] & 0x1f};
    PageNumber page = page_of(fault.address);
    if (context.kind == ContextKind::shadow) {
        if (!is_canonical(fault.address.value)) return Missed::no;
        page.value &= kGuestPages - 1;
    }
    const Refill filled = refill(context, page, fault);
    if (filled == Refill::no) return Missed::no;
    if (filled == Refill::no_room) {
        Exclusive exclusive;
        if (!is_loaded(*cpu.env, guest, context)) return Missed::gone;  // taken by force while this CPU waited
        drop_tables(context);
    }
    if (block.rip != tries.rip) tries = {block.rip, 0};
    if (++tries.count == kMostTries) {
        block.exit_code = static_cast<u64>(GuestExit::interrupted);
        return Missed::no;
    }
    // What was being delivered when the access missed is delivered again.
    if ((block.exit_event & GuestEvent::kValid) && !is_made_again(block.exit_event)) block.event = block.exit_event;
    return Missed::again;
}

}  // namespace

void start_svm(Cpu& cpu) {
    const bool first = cpu.index == 0;
    const bool there = (cpuid(0x8000'0000).eax >= 0x8000'000a) && (cpuid(0x8000'0001).ecx & 1 << 2) != 0 &&
                       (read_msr(msr::kSvmControl) & 1 << 4) == 0;
    if (first) {
        svm.there = there;
        if (!there) return log("this CPU has no SVM: guests run in ring 3 only");
        const CpuId features = cpuid(0x8000'000a);
        svm.asids = features.ebx;
        svm.nested = (features.edx & 1 << 0) != 0;
        svm.next_rip = (features.edx & 1 << 3) != 0;
        svm.flush_by_asid = (features.edx & 1 << 6) != 0;
        svm.protection_keys = cpuid(0).eax >= 7 && (cpuid(7).ecx & 1 << 3) != 0;
        if (!svm.nested) log("this CPU has no nested paging");
        fill_permission_maps();
    }
    if (!svm.there) return;
    // A guest can set CR4.OSXSAVE: then it may have no more than the registers that FXSAVE keeps.
    if (cpuid(1).ecx & 1 << 26) {
        write_cr4(read_cr4() | cr4::kOsXsave);
        write_extended_control(0, 1);
        write_cr4(read_cr4() & ~cr4::kOsXsave);
    }
    write_msr(msr::kEfer, read_msr(msr::kEfer) | kEferSvm);
    write_msr(msr::kSvmHostSave, physical_of_image(host_blocks[cpu.index].by_run).value);
}

bool has_svm() { return svm.there; }

bool supports(ContextKind kind) {
    return kind == ContextKind::nested ? svm.nested : kind == ContextKind::shadow ? svm.there : true;
}

namespace {

/// Run until the guest exits; fills the state page.  Reply: the exit's code.  Errors: not_found (the place), bad_argument (a
/// proposal).
Result<u64> run_svm(Cpu& cpu, Guest& guest, u64 place) {
    Context& context = *TRY(find_place(guest, place));
    // The guest computes in the environment's registers, and what it does not own would trap to the kernel.
    if (!(cpu.attention & Cpu::kFpuLive)) [[unlikely]]
        fpu_enter(cpu);
    GuestState& state = *guest.state;
    ControlBlock& block = *guest.block;
    const u64 changed = guest.fresh ? kAllGuestParts : read_once(state.changed);
    if (changed != 0) [[unlikely]] {
        guest.fresh = true;  // until all of it was good, and stands in the control block
        TRY(take_proposals(guest, changed));
    }
    const u64 event = read_once(state.event), wishes = read_once(state.wishes);
    if (event != 0 && !is_event(event)) [[unlikely]]
        return Failure{Error::bad_argument, offsetof(GuestState, event)};
    const bool shadow = context.kind == ContextKind::shadow;
    if (shadow) TRY(check_shadowed(guest));

    const bool window = wishes & static_cast<u64>(GuestWish::window);
    if (const u64 way = u64{shadow} << 1 | u64{window}; changed != 0 || way != guest.way) [[unlikely]] {
        state.changed = 0;
        guest.fresh = false;
        guest.way = way;
        write_intercepts(guest, shadow, window);
    }
    block.interrupt_shadow = (wishes & static_cast<u64>(GuestWish::shadow)) != 0;
    block.event = event;
    (shadow ? block.cr3 : block.nested_root) = context.root;
    block.rip = read_once(state.rip);
    block.rsp = read_once(state.rsp);
    block.rax = read_once(state.rax);
    block.rflags = read_once(state.rflags);
    block.cr2 = read_once(state.cr2);

    // Exits that the S-TLB settles go no further. It ends with the slice, as a pending interrupt is an exit; but an event goes
    // before interrupts, and they wait behind STI: an instruction that keeps missing goes back to the monitor.
    // Who is notified from another CPU hears of it now (kick); notified just before, at the slice's end at the latest.
    __atomic_store_n(&cpu.env->in_guest, true, __ATOMIC_RELAXED);
    if (cpu.left != &guest) [[unlikely]]
        forget_other(cpu, guest);
    const u64 miss = shadow ? static_cast<u64>(GuestExit::exception) + kPageFault : static_cast<u64>(GuestExit::nested_fault);
    const u64 guest_block = physical(&block).value, host_block = physical_of_image(host_blocks[cpu.index].by_save).value;
    Missed missed = Missed::no;
    Tries tries{};
    do {
        block.tlb_control = 0;
        if (!has_tag(cpu, guest, context)) [[unlikely]]
            choose_tag(cpu, guest, context);
        svm_enter(state, guest_block, host_block);
        block.event = 0;
        missed = block.exit_code == miss ? settle(cpu, guest, context, tries) : Missed::no;
    } while (missed == Missed::again);
    __atomic_store_n(&cpu.env->in_guest, false, __ATOMIC_RELAXED);
    if (missed == Missed::gone) [[unlikely]]
        return Error::not_found;
    if (static_cast<u32>(block.exit_code) == ~u32{0}) [[unlikely]]
        forget_refused(guest);
    if (block.exit_code == static_cast<u64>(GuestExit::exception) + kMachineCheck) [[unlikely]]
        panic("machine check in a guest");
    state.rip = block.rip;
    state.rsp = block.rsp;
    state.rax = block.rax;
    state.rflags = block.rflags;
    state.cr2 = block.cr2;
    state.event = block.exit_event & GuestEvent::kValid ? block.exit_event : 0;
    state.wishes = (window ? static_cast<u64>(GuestWish::window) : 0) |
                   (block.interrupt_shadow & 1 ? static_cast<u64>(GuestWish::shadow) : 0);
    state.exit = block.exit_code;
    state.info[0] = block.exit_info[0];
    state.info[1] = block.exit_info[1];
    state.next_rip = svm.next_rip ? block.next_rip : 0;
    return block.exit_code;
}

}  // namespace

extern "C" [[gnu::zero_call_used_regs("all-gpr")]] SysReply svm_call(Guest& guest, u64 place) {
    Cpu& cpu = Cpu::here();
    ++cpu.caller().info->syscalls;
    const Result<u64> exit = run_svm(cpu, guest, place);
    return {exit.error(), exit.ok() ? exit.value() : exit.failure().detail};
}

}  // namespace tessera::kernel
