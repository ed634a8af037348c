#include "exokernel/arch/x86_64/svm.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/panic.hpp"
#include "exokernel/core/refill.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {

extern "C" void svm_enter(GuestState* state, u64 guest_block, u64 host_block);

namespace {

constexpr u64 kEferSvm = 1 << 12;

struct {
    bool there, nested, flush_by_asid, next_rip;
    u64 asids;
} svm;

/// What VMRUN and VMSAVE keep of ours.
struct alignas(kPageSize) HostBlocks {
    u8 by_run[kPageSize];
    u8 by_save[kPageSize];
};
HostBlocks host_blocks[kMaxCpus];

/// Permission maps: a set bit is an exit.
alignas(kPageSize) u8 io_map[3 * kPageSize];
alignas(kPageSize) u8 msr_map[2 * kPageSize];

// Words of the control block (APM vol. 2, appendix B).
constexpr u64 instruction(u64 bit) { return u64{1} << bit; }
constexpr u64 kWindow = instruction(4);
/// INTR, NMI, SMI, INIT, RDPMC, RSM, INVD, INVLPGA, I/O, MSRs, task switch, FERR freeze, shutdown; VMRUN to SKINIT, WBINVD, XSETBV.
constexpr u64 kForcedInstructions = instruction(0) | instruction(1) | instruction(2) | instruction(3) | instruction(15) |
                                    instruction(19) | instruction(22) | instruction(26) | instruction(27) | instruction(28) |
                                    instruction(29) | instruction(30) | instruction(31) | u64{0x7f} << 32 | instruction(32 + 9) |
                                    instruction(32 + 13);
constexpr u32 kForcedExceptions = 1 << 1 | 1 << 17 | 1 << 18;  // debug, alignment check, machine check
/// With shadow paging: what says where translations come from, and the faults that they make.
constexpr u32 kShadowCr = 1 << 3 | 1 << 16 | 1 << 19 | 1 << 20;  // reads of CR3, writes of CR0, CR3, CR4
constexpr u32 kShadowExceptions = 1 << 14;
constexpr u64 kVirtualInterrupt = 1 << 8, kAnyPriority = u64{0x1f} << 16, kMaskVirtually = 1 << 24;

/// With shadow paging: PG, PE, and WP, without which the guest's ring 0 writes what is bound for reading.
constexpr u64 kCr0Shadow = u64{1} << 31 | 1 << 16 | 1, kCr4Pae = 1 << 5, kEferLong = 1 << 8 | 1 << 10;
constexpr u64 kCr0Known = 0xe005'003f, kCr4Known = 0x35'0fff & ~u64{1 << 12}, kEferKnown = 1 | 1 << 8 | 1 << 10 | 1 << 11;
constexpr u64 kPhysical = (u64{1} << 52) - 1;
constexpr u64 kPatAtReset = 0x0007'0406'0007'0406;
constexpr u64 kDebugStatus = 0xffff'0ff0, kDebugControl = 0x400;  // DR6, DR7 at reset

Failure refused(const GuestState& state, const void* member) {
    return Failure{Error::bad_argument, static_cast<u64>(static_cast<const u8*>(member) - reinterpret_cast<const u8*>(&state))};
}

/// Copy one proposal into the control block, if `good` says so of what was read.
#define PROPOSE(member, good)                                              \
    do {                                                                   \
        const u64 value = read_once(state.member);                         \
        if (!(good)) return refused(state, &state.member);                 \
        block.member = value;                                              \
    } while (false)

Result<u64> take_segment(const GuestState& state, const GuestSegment& from, GuestSegment& to) {
    u64 words[2];
    static_assert(sizeof words == sizeof to);
    copy_words(words, &from, sizeof words);
    GuestSegment segment;
    __builtin_memcpy(&segment, words, sizeof segment);
    if (segment.attributes >> 12 != 0 || !is_canonical(segment.base)) return refused(state, &from);
    to = segment;
    return u64{0};
}

/// The parts of the state page that `changed` names. What was taken before one was refused stays: the guest runs with none
/// of it until all of it is good.
Result<u64> take_proposals(Guest& guest, u64 changed) {
    const GuestState& state = *guest.state;
    ControlBlock& block = *guest.block;
    const auto has = [changed](GuestPart part) { return (changed & static_cast<u64>(part)) != 0; };
    if (has(GuestPart::control)) {
        PROPOSE(cr0, (value & ~kCr0Known) == 0);
        PROPOSE(cr3, (value & ~kPhysical) == 0);
        PROPOSE(cr4, (value & ~kCr4Known) == 0);
        PROPOSE(efer, (value & ~kEferKnown) == 0);
        block.efer |= kEferSvm;
        const u64 cpl = read_once(state.cpl);
        if (cpl > 3) return refused(state, &state.cpl);
        block.cpl = static_cast<u8>(cpl);
    }
    if (has(GuestPart::segments)) {
        TRY(take_segment(state, state.es, block.es));
        TRY(take_segment(state, state.cs, block.cs));
        TRY(take_segment(state, state.ss, block.ss));
        TRY(take_segment(state, state.ds, block.ds));
        TRY(take_segment(state, state.fs, block.fs));
        TRY(take_segment(state, state.gs, block.gs));
        TRY(take_segment(state, state.ldtr, block.ldtr));
        TRY(take_segment(state, state.tr, block.tr));
        TRY(take_segment(state, state.gdtr, block.gdtr));
        TRY(take_segment(state, state.idtr, block.idtr));
    }
    if (has(GuestPart::registers)) {
        PROPOSE(star, true);
        PROPOSE(lstar, is_canonical(value));
        PROPOSE(cstar, is_canonical(value));
        PROPOSE(sfmask, value >> 32 == 0);
        PROPOSE(kernel_gs_base, is_canonical(value));
        PROPOSE(sysenter_cs, value >> 32 == 0);
        PROPOSE(sysenter_esp, is_canonical(value));
        PROPOSE(sysenter_eip, is_canonical(value));
    }
    if (has(GuestPart::intercepts)) {
        guest.intercept_cr = read_once(state.intercept_cr);
        guest.intercept_exceptions = read_once(state.intercept_exceptions);
        guest.intercept_instructions = read_once(state.intercept_instructions) & ~kWindow;
        block.tsc_offset = read_once(state.tsc_offset);
    }
    return u64{0};
}

/// EVENTINJ as it may stand in the control block: a known type, no bits besides.
constexpr bool is_event(u64 event) {
    const GuestEventType type{event >> 8 & 7};
    const u64 vector = event & 0xff;
    if (!(event & GuestEvent::kValid) || (event & 0x7fff'f000) != 0) return false;
    if (!(event & GuestEvent::kHasError) && event >> 32 != 0) return false;
    return type == GuestEvent::interrupt || type == GuestEvent::nmi || type == GuestEvent::software ||
           (type == GuestEvent::exception && vector < 32 && vector != 2);
}

/// Is an event's instruction executed again, as rip still names it (INT n, INT3, INTO)? Injected it would return to itself.
constexpr bool is_made_again(u64 event) {
    const GuestEventType type{event >> 8 & 7};
    const u64 vector = event & 0xff;
    return type == GuestEvent::software || (type == GuestEvent::exception && (vector == kBreakpoint || vector == 4));
}
constexpr u64 kMostRedeliveries = 64;

/// The CPU refused the state. QEMU's TCG 7.2 leaves the host's own in the block then, which a monitor can read: nothing of it
/// stays, and everything is proposed again.
void forget_refused(Guest& guest) {
    ControlBlock& block = *guest.block;
    zero_words(&block.es, (sizeof block - offsetof(ControlBlock, es)) / 8);
    initialise_control_block(guest);
    guest.fresh = true;
}

/// An address-space tag on this CPU, and is what is cached under it still good?
void choose_tag(Cpu& cpu, Guest& guest, const Context& context) {
    bool stale = guest.translated != &context || guest.changes != context.changes;
    if (guest.cpu != &cpu || guest.asid_generation != cpu.asid_generation) {
        if (cpu.next_asid == svm.asids || cpu.next_asid == 0) {
            cpu.next_asid = 1;  // 0 is the host's
            ++cpu.asid_generation;
        }
        guest.block->asid = static_cast<u32>(cpu.next_asid++);
        guest.cpu = &cpu;
        guest.asid_generation = cpu.asid_generation;
        stale = true;
    }
    guest.translated = &context;
    guest.changes = context.changes;
    guest.block->tlb_control = !stale ? 0 : svm.flush_by_asid ? 3 : 1;
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
        if (!svm.nested) log("this CPU has no nested paging");
        fill_bytes(io_map, 0xff, sizeof io_map);
        fill_bytes(msr_map, 0xff, sizeof msr_map);
        // Two bits an MSR (APM vol. 2, 15.11). STAR to SFMASK, the bases of FS and GS, and those of SYSENTER travel with
        // VMLOAD and VMSAVE.
        constexpr u64 kSecondRange = 0x800 * 4;
        for (const u64 index : {u64{0x174}, u64{0x175}, u64{0x176}, kSecondRange + 0x81, kSecondRange + 0x82, kSecondRange + 0x83,
                                kSecondRange + 0x84, kSecondRange + 0x100, kSecondRange + 0x101, kSecondRange + 0x102})
            msr_map[index / 4] = static_cast<u8>(msr_map[index / 4] & ~(3 << (index % 4 * 2)));
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

void initialise_control_block(Guest& guest) {
    ControlBlock& block = *guest.block;
    block.intercept_dr = ~u32{0};
    block.io_map = physical_of_image(io_map).value;
    block.msr_map = physical_of_image(msr_map).value;
    block.dr6 = kDebugStatus;
    block.dr7 = kDebugControl;
    block.pat = kPatAtReset;
}

Result<u64> run_svm(Cpu& cpu, Guest& guest, Context& context) {
    GuestState& state = *guest.state;
    ControlBlock& block = *guest.block;
    const u64 changed = guest.fresh ? kAllGuestParts : read_once(state.changed);
    if (changed != 0) [[unlikely]] {
        guest.fresh = true;  // until all of it was good, and stands in the control block
        TRY(take_proposals(guest, changed));
    }
    const u64 event = read_once(state.event), wishes = read_once(state.wishes);
    if (event != 0 && !is_event(event)) return Failure{Error::bad_argument, offsetof(GuestState, event)};
    const bool shadow = context.kind == ContextKind::shadow;
    if (shadow) {
        if ((block.cr0 & kCr0Shadow) != kCr0Shadow) return Failure{Error::bad_argument, offsetof(GuestState, cr0)};
        // What the guest set for itself in a nested context counts too: with five levels its data would be tables.
        if (!(block.cr4 & kCr4Pae) || (block.cr4 & ~kCr4Known) != 0) return Failure{Error::bad_argument, offsetof(GuestState, cr4)};
        if ((block.efer & kEferLong) != kEferLong) return Failure{Error::bad_argument, offsetof(GuestState, efer)};
    }

    const bool window = wishes & static_cast<u64>(GuestWish::window);
    if (const u64 way = u64{shadow} << 1 | u64{window}; changed != 0 || way != guest.way) {
        state.changed = 0;
        guest.fresh = false;
        guest.way = way;
        block.intercept_cr = guest.intercept_cr | (shadow ? kShadowCr : 0);
        block.intercept_exceptions = guest.intercept_exceptions | kForcedExceptions | (shadow ? kShadowExceptions : 0);
        const u64 instructions = guest.intercept_instructions | kForcedInstructions | (window ? kWindow : 0);
        block.intercept_instructions[0] = static_cast<u32>(instructions);
        block.intercept_instructions[1] = static_cast<u32>(instructions >> 32);
        block.interrupt_control = kMaskVirtually | (window ? kVirtualInterrupt | kAnyPriority : 0);
        block.nested_control = !shadow;
    }
    block.interrupt_shadow = (wishes & static_cast<u64>(GuestWish::shadow)) != 0;
    block.event = event;
    if (shadow)
        block.cr3 = context.root;
    else
        block.nested_root = context.root;
    block.rip = read_once(state.rip);
    block.rsp = read_once(state.rsp);
    block.rax = read_once(state.rax);
    block.rflags = read_once(state.rflags);
    block.cr2 = read_once(state.cr2);

    // Exits that the S-TLB settles go no further. It ends with the slice, as a pending interrupt is an exit; but an event goes
    // before interrupts, so one whose delivery keeps missing goes back to the monitor.
    // Who is notified from another CPU hears of it now (kick); notified just before, at the slice's end at the latest.
    __atomic_store_n(&cpu.env->in_guest, true, __ATOMIC_RELAXED);
    for (u64 redelivered = 0;;) {
        choose_tag(cpu, guest, context);
        svm_enter(&state, physical(&block).value, physical_of_image(host_blocks[cpu.index].by_save).value);
        block.event = 0;
        const u64 wanted = shadow ? static_cast<u64>(GuestExit::exception) + kPageFault : static_cast<u64>(GuestExit::nested_fault);
        if (block.exit_code != wanted) break;
        const PageFault fault{VirtAddr{block.exit_info[1]}, block.exit_info[0] & 0x1f};
        if (shadow && !is_canonical(fault.address.value)) break;
        const Refill filled = refill(context, PageNumber{fault.address.value >> kPageShift & (shadow ? kGuestPages - 1 : ~u64{0})}, fault);
        if (filled == Refill::no) break;
        if (filled == Refill::no_room) {
            Exclusive exclusive;
            if (!is_loaded(*cpu.env, guest, context)) {  // taken by force while this CPU waited
                cpu.env->in_guest = false;
                return Error::not_found;
            }
            drop_tables(context);
        }
        // What was being delivered when the access missed is delivered again.
        if (!(block.exit_event & GuestEvent::kValid)) continue;
        if (++redelivered == kMostRedeliveries) {
            block.exit_code = static_cast<u64>(GuestExit::interrupted);
            break;
        }
        if (!is_made_again(block.exit_event)) block.event = block.exit_event;
    }
    __atomic_store_n(&cpu.env->in_guest, false, __ATOMIC_RELAXED);
    if (static_cast<u32>(block.exit_code) == ~u32{0}) [[unlikely]] forget_refused(guest);
    if (block.exit_code == static_cast<u64>(GuestExit::exception) + kMachineCheck) panic("machine check in a guest");
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

}  // namespace tessera::kernel
