// The sensitive instructions of 64-bit mode, and what a monitor without hardware help does about each.
//
// Popek and Goldberg (CACM 1974) call an instruction *sensitive* when it shows or changes what the machine's owner
// decides about, and *privileged* when it traps outside of the owner's mode. A machine is virtualisable in the classical way
// when the first kind is part of the second. x86-64 is not: the entries here with AtCpl3::silent run in ring 3 and
// give the wrong answer (Robin and Irvine, USENIX Security 2000, have the list for 32 bits).
//
// One table, from which docs/sensitive-instructions.md is made; tests/system/sensitive.cpp executes every entry in ring
// 3 and holds what happens against what is said here.
#pragma once

#include <span>

#include "libos/vmm/instructions/instruction.hpp"

namespace tessera::vmm {

enum class Sensitive : u8 {
    none,
    // Flags and waiting
    cli, sti, pushf, popf, clac, stac, hlt, monitor, mwait,
    // Ports
    in, out, ins, outs,
    // Control registers and their like
    mov_from_cr, mov_to_cr, clts, lmsw, smsw, mov_from_dr, mov_to_dr, xgetbv, xsetbv, rdpkru, wrpkru, xsaves, xrstors,
    // Identity, model-specific registers, time
    cpuid, rdmsr, wrmsr, rdtsc, rdtscp, rdpid, rdpmc,
    // Descriptor tables
    sgdt, sidt, sldt, str, lgdt, lidt, lldt, ltr,
    // Segments
    lar, lsl, verr, verw, mov_from_segment, mov_to_segment, push_segment, pop_segment, load_far_pointer, read_base, write_base, swapgs,
    // Transfers of control between privilege levels or segments
    syscall, sysret, sysenter, sysexit, iret, far_return, far_jump, far_call, int_n, int3, int1,
    // Caches and translations
    invlpg, invpcid, invd, wbinvd,
    // Other owners of the machine
    vmx, svm, getsec, rsm,
    count
};
inline constexpr u32 kSensitiveCount = static_cast<u32>(Sensitive::count);

/// What an instruction does when ring 3 executes it, as Tessera sets up the CPU (CR4.UMIP and FSGSBASE on where there are,
/// OSXSAVE, PKE and TSD off, IOPL 0, no I/O permissions).
enum class AtCpl3 : u8 {
    silent,   ///< Runs, and does or shows something of the machine itself.
    gp,       ///< #GP
    ud,       ///< #UD
    ud_or_gp, ///< One of the two, depending on whether the CPU's owner switched the instruction on.
    db_or_ud, ///< #DB; QEMU's TCG does not know it.
    bp,       ///< #BP
    exit,     ///< Enters the kernel, which makes an exit of it.
};

/// What that takes of the CPU. Where it has not got it: the second word.
enum class Needs : u8 {
    nothing,
    umip,      ///< else silent
    fsgsbase,  ///< else #UD
    rdtscp,    ///< else #UD
    rdpid,     ///< else #UD
    invpcid,   ///< else #UD
};

/// What the monitor does in the deprivileged form.
enum class Remedy : u8 {
    trap,      ///< Lets it trap, and emulates it.
    replace,   ///< Puts a trapping byte in its place (rewrite.hpp) or translates the code around it (translate.hpp).
    exit,      ///< The kernel makes an exit of it.
    hide,      ///< The guest's CPU has not got it: #UD, as the machine's own trap says.
    harmless,  ///< Lets it run.
};

struct SensitiveInstruction {
    Sensitive id;
    const char* name;
    /// Machine code that executes one, in hex; it begins behind the bar. The code falls through to its end.
    const char* sample;
    AtCpl3 at_cpl3;
    Needs needs;
    Remedy remedy;
    const char* why;  ///< What it shows or changes, and why the remedy is the right one.
};

/// All of them, in the order of `Sensitive`, without `none`.
std::span<const SensitiveInstruction> sensitive_instructions();

/// Only when `id` is one.
const SensitiveInstruction& about(Sensitive id);

/// Which of them `in` is.  Cost: about 20 instructions.
Sensitive classify(const Instruction& in);

/// Must ring-3 code be kept from executing it?
inline bool must_be_replaced(Sensitive id) { return id != Sensitive::none && about(id).remedy == Remedy::replace; }

/// The bytes of a sample. `at`: where the sensitive instruction begins. Returns the length, 32 at most.
u32 assemble(const char* sample, u8* bytes, u32& at);

}  // namespace tessera::vmm
