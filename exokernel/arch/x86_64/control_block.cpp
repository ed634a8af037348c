#include "exokernel/arch/x86_64/control_block.hpp"

#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

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
constexpr u64 kPriority = 0xf, kVirtualInterrupt = 1 << 8, kAnyPriority = u64{0x1f} << 16, kMaskVirtually = 1 << 24;

/// With shadow paging: PG, PE, and WP, without which the guest's ring 0 writes what is bound for reading.
constexpr u64 kCr0Shadow = u64{1} << 31 | 1 << 16 | 1, kCr4Pae = 1 << 5, kEferLong = 1 << 8 | 1 << 10;
constexpr u64 kCr0Known = 0xe005'003f, kCr4Known = 0x35'0fff, kEferKnown = 1 | 1 << 8 | 1 << 10 | 1 << 11;
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

}  // namespace

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

Result<u64> check_shadowed(const Guest& guest) {
    const ControlBlock& block = *guest.block;
    const auto refuse = [](u64 offset) { return Failure{Error::bad_argument, offset}; };
    if ((block.cr0 & kCr0Shadow) != kCr0Shadow) return refuse(offsetof(GuestState, cr0));
    // What the guest set for itself in a nested context counts too: with five levels its data would be tables.
    if (!(block.cr4 & kCr4Pae) || (block.cr4 & ~kCr4Known) != 0) return refuse(offsetof(GuestState, cr4));
    if ((block.efer & kEferLong) != kEferLong) return refuse(offsetof(GuestState, efer));
    return u64{0};
}

void write_intercepts(Guest& guest, bool shadow, bool window) {
    ControlBlock& block = *guest.block;
    block.intercept_cr = guest.intercept_cr | (shadow ? kShadowCr : 0);
    block.intercept_exceptions = guest.intercept_exceptions | kForcedExceptions | (shadow ? kShadowExceptions : 0);
    const u64 instructions = guest.intercept_instructions | kForcedInstructions | (window ? kWindow : 0);
    block.intercept_instructions[0] = static_cast<u32>(instructions);
    block.intercept_instructions[1] = static_cast<u32>(instructions >> 32);
    // The guest's priority (CR8) stands there, too, and is its own.
    block.interrupt_control = (block.interrupt_control & kPriority) | kMaskVirtually | (window ? kVirtualInterrupt | kAnyPriority : 0);
    block.nested_control = !shadow;
}

void fill_permission_maps() {
    fill_bytes(io_map, 0xff, sizeof io_map);
    fill_bytes(msr_map, 0xff, sizeof msr_map);
    // Two bits an MSR (APM vol. 2, 15.11). STAR to SFMASK, the bases of FS and GS, and those of SYSENTER travel with
    // VMLOAD and VMSAVE.
    constexpr u64 kSecondRange = 0x800 * 4;
    for (const u64 index : {u64{0x174}, u64{0x175}, u64{0x176}, kSecondRange + 0x81, kSecondRange + 0x82, kSecondRange + 0x83,
                            kSecondRange + 0x84, kSecondRange + 0x100, kSecondRange + 0x101, kSecondRange + 0x102})
        msr_map[index / 4] = static_cast<u8>(msr_map[index / 4] & ~(3 << (index % 4 * 2)));
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

void forget_refused(Guest& guest) {
    ControlBlock& block = *guest.block;
    zero_words(&block.es, (sizeof block - offsetof(ControlBlock, es)) / 8);
    initialise_control_block(guest);
    guest.fresh = true;
}

}  // namespace tessera::kernel
