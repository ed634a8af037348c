// Guests: what a monitor says to the kernel about a virtual CPU, and what it hears.
//
// A *guest* is one virtual CPU. Its physical memory, or its shadow page table, is a context of the monitor's, filled
// with ordinary bindings; which contexts it may run in is said once (`guest_load`), as gates are. `guest_run` goes on
// in the guest until something comes up that is not the kernel's to settle: that is an *exit*, an upcall that needs no
// save record, as the monitor goes on behind the call that it made, with the cause in rdx and the words in the state
// page. A miss that the context's S-TLB can fill never gets that far.
//
// Two forms. `deprivileged`: the guest runs in ring 3, every exception, interrupt and `syscall` is an exit. `svm`: the
// guest has a machine mode of its own (AMD64 APM vol. 2, chapter 15); the control block (abi/control_block.hpp) is the
// kernel's, which checks what the monitor proposes and forces what protects the machine. Both use one page of state
// and the same numbers for the same causes.
//
// The FPU's registers are the environment's, in either form: a monitor that computes with them exchanges them.
#pragma once

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera {

inline constexpr u64 kGuestsPerEnvironment = 8;  ///< Virtual CPUs.
inline constexpr u64 kContextsPerGuest = 64;     ///< Contexts that one is loaded with.
inline constexpr u64 kGuestFrames = 3;           ///< What one is made of: the state page, the control block, the kernel's part.

enum class GuestForm : u64 { deprivileged, svm };

/// Bits of GuestState::wishes.
enum class GuestWish : u64 {
    window = 1,  ///< svm: exit (interrupt_window) as soon as the guest would take an interrupt.
    shadow = 2,  ///< svm: no interrupt before the instruction behind the next one (STI, MOV SS). In and out.
    no_fpu = 4,  ///< deprivileged: CR0.TS is set: what needs the FPU's or SSE's registers, and WAIT, is an exception 7.
};

/// Bits of GuestState::changed: which of the proposals behind the first part are to be looked at. All are, before a
/// guest runs for the first time. svm only, but for `bases`.
enum class GuestPart : u64 {
    control = 1,     ///< cr0, cr3, cr4, efer, cpl.
    segments = 2,    ///< es to idtr; with fs, gs, ldtr and tr.
    registers = 4,   ///< star to sysenter_eip.
    intercepts = 8,  ///< intercept_* and tsc_offset.
    bases = 16,      ///< deprivileged: fs_base and gs_base.
};
inline constexpr u64 kAllGuestParts = 31;

/// A segment register, as the control block has it (APM vol. 2, 15.5.1: attributes are bits 55:52 and 47:40 of the
/// descriptor, put together).
struct GuestSegment {
    u16 selector;
    u16 attributes;
    u32 limit;
    u64 base;
};
static_assert(sizeof(GuestSegment) == 16);

/// The state page: the monitor writes it, runs the guest, and reads it. The first part goes both ways each time.
struct GuestState {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    u64 r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rflags;
    u64 cr2;          ///< svm. deprivileged: in info[1] of a page fault.
    u64 event;        ///< svm. In: an event to be injected (GuestEvent), or 0. Out: the event whose delivery was cut short.
    u64 wishes;       ///< GuestWish. Looked at each time.
    u64 changed;      ///< GuestPart: in; the kernel sets it to 0 when it has taken them.
    u64 exit;         ///< Out: GuestExit or another of the manual's codes.
    u64 info[2];      ///< Out: EXITINFO1 and EXITINFO2; deprivileged: error code and address.
    u64 next_rip;     ///< Out: the instruction behind the one that exited, where this CPU says so (NRIP save); else 0.
    u64 fs_base, gs_base;  ///< deprivileged: in as `bases`, and out.
    u64 reserved[4];
    // Proposals.
    u64 cr0, cr3, cr4, efer;
    u64 cpl;
    GuestSegment es, cs, ss, ds, fs, gs, ldtr, tr, gdtr, idtr;
    u64 star, lstar, cstar, sfmask, kernel_gs_base;
    u64 sysenter_cs, sysenter_esp, sysenter_eip;
    u32 intercept_cr;          ///< Bits 0-15: reads of CR0-15, 16-31: writes.
    u32 intercept_exceptions;  ///< One bit a vector.
    u64 intercept_instructions;  ///< The manual's two words, offset 0Ch low and 10h high.
    u64 tsc_offset;            ///< Added to what the guest reads.
};
static_assert(offsetof(GuestState, cr0) == 256 && sizeof(GuestState) <= kPageSize);

enum class GuestEventType : u64 { interrupt = 0, nmi = 2, exception = 3, software = 4 };

/// An event for EVENTINJ (APM vol. 2, 15.20), in one word.
struct GuestEvent {
    using enum GuestEventType;
    u64 bits;
    static constexpr u64 kValid = u64{1} << 31;
    static constexpr u64 kHasError = u64{1} << 11;
    static constexpr u64 make(GuestEventType type, u64 vector) { return kValid | static_cast<u64>(type) << 8 | vector; }
    static constexpr u64 make(u64 vector, u32 error) { return make(exception, vector) | kHasError | u64{error} << 32; }
};

/// Causes, by the manual's numbers (APM vol. 2, appendix C). `exception` and the accesses to control and debug registers
/// are the first of a range. Above `nested_fault`: what only the deprivileged form has.
enum class GuestExit : u64 {
    read_cr = 0x00,
    write_cr = 0x10,
    read_dr = 0x20,
    write_dr = 0x30,
    exception = 0x40,         ///< + vector. info[0]: the error code; a page fault's address in info[1].
    interrupted = 0x60,       ///< A physical interrupt. It is the kernel's, and has been served: run again.
    nmi = 0x61,
    smi = 0x62,
    init = 0x63,
    interrupt_window = 0x64,
    cr0_selective = 0x65,
    read_idtr = 0x66,
    read_gdtr = 0x67,
    read_ldtr = 0x68,
    read_tr = 0x69,
    write_idtr = 0x6a,
    write_gdtr = 0x6b,
    write_ldtr = 0x6c,
    write_tr = 0x6d,
    rdtsc = 0x6e,
    rdpmc = 0x6f,
    pushf = 0x70,
    popf = 0x71,
    cpuid = 0x72,
    rsm = 0x73,
    iret = 0x74,
    software_interrupt = 0x75,
    invd = 0x76,
    pause = 0x77,
    hlt = 0x78,
    invlpg = 0x79,
    invlpga = 0x7a,
    io = 0x7b,                ///< info[0]: port << 16 and what is done (15.10.2); info[1]: the next rip.
    msr = 0x7c,               ///< info[0]: 0 read, 1 write.
    task_switch = 0x7d,
    shutdown = 0x7f,          ///< A triple fault.
    vmrun = 0x80,
    vmmcall = 0x81,
    vmload = 0x82,
    vmsave = 0x83,
    stgi = 0x84,
    clgi = 0x85,
    skinit = 0x86,
    rdtscp = 0x87,
    icebp = 0x88,
    wbinvd = 0x89,
    monitor = 0x8a,
    mwait = 0x8b,
    xsetbv = 0x8d,
    nested_fault = 0x400,     ///< info[0]: error bits (15.25.6), info[1]: the guest-physical address.
    syscall = 0x500,          ///< deprivileged: `syscall`; rip is behind it, rcx and r11 as the instruction leaves them.
    invalid = ~u64{0},        ///< The CPU itself refuses the state.
};

/// What `guest_create` reads.
struct GuestSpec {
    VirtAddr frames;  ///< Capability for exactly kGuestFrames frames of the caller's own, which become kernel memory.  Rights: frames.use.
    GuestForm form;
};

/// What `guest_create` writes.
struct GuestGrant {
    Capability state;          ///< The state page.  Rights: read, write.
    Capability control_block;  ///< svm: the control block, to be bound readable.
};

}  // namespace tessera
