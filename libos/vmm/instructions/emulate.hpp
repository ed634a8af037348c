// Emulation: what a privileged or sensitive instruction does, done to the software copy of the machine.
//
// The deprivileged form calls `emulate` for every #GP, #UD and the like that guest code raised; what it answers says
// whether the machine's trap was one of virtualisation or the guest's own. The SVM form uses the same for
// instructions that it intercepts and the CPU does not take apart (no decode assists). `deliver_*` take the guest
// through its own IDT.
//
// Exactness: as on the CPU, an instruction that raises an exception has changed nothing; the order of checks is the
// manuals'. Not carried: call gates and task gates (#GP, as for a bad selector), transfers between segments in 32-bit
// code (`unsupported`), segment limits of data.  Source: SDM vol. 2 and vol. 3, 5 and 6; APM vol. 2, 4 and 8.
#pragma once

#include "libos/vmm/instructions/decoder.hpp"
#include "libos/vmm/instructions/machine.hpp"
#include "libos/vmm/instructions/sensitive.hpp"

namespace tessera::vmm {

enum class Ending : u8 {
    done,         ///< The guest goes on at the new rip.
    again,        ///< A repeated instruction did a part; rip still names it. Look for interrupts, then emulate it again.
    halted,       ///< HLT: done, and the CPU waits. With interrupts off it does for ever.
    exception,    ///< The guest's own: deliver it. rip is where the CPU would have it.
    ordinary,     ///< No sensitive instruction: nothing was done, and the trap was the guest's.
    unsupported,  ///< Nothing was done, and nobody knows how to.
};

struct Emulated {
    Ending ending;
    Sensitive what;
    Exception exception;  ///< With Ending::exception.
};

/// Fetch and decode the instruction at cs:rip, with the rights of the present level. False: `fault` is what fetching
/// or decoding raises.
bool fetch(const VirtualMachine& machine, Instruction& in, Exception& fault);
/// The same at another address, and the bytes: in.length of them.
bool fetch_at(const VirtualMachine& machine, u64 rip, u8 (&bytes)[kMaxInstructionLength], Instruction& in, Exception& fault);

/// Emulate the instruction at cs:rip, if it is one of the sensitive ones.  Cost: 200 to 400 instructions, memory apart.
Emulated emulate(const VirtualMachine& machine);
/// The same, when it has been decoded (rip still names it), and classified.
Emulated emulate(const VirtualMachine& machine, const Instruction& in, Sensitive what);
inline Emulated emulate(const VirtualMachine& machine, const Instruction& in) { return emulate(machine, in, classify(in)); }

/// Take a near call, jump or return (rip still names it), which is no sensitive instruction: for a rewriter or translator that
/// wants to know where it goes.  Not conditional ones, nor in 32-bit code: `unsupported`.
Emulated emulate_branch(const VirtualMachine& machine, const Instruction& in);

enum class Delivered : u8 {
    done,         ///< The guest goes on in its handler.
    ended,        ///< A triple fault: the virtual CPU has shut down. Nothing was changed.
    unsupported,  ///< Not in long mode.
};

/// Take the guest to its handler for an exception, of an instruction or otherwise. What goes wrong on the way is delivered instead:
/// as it is, as a double fault, or not at all (SDM vol. 3, table 6-5).
Delivered deliver_exception(const VirtualMachine& machine, Exception exception);

/// The same for an external interrupt. Only when cpu.may_interrupt(), or for an NMI. Ends a halt.
Delivered deliver_interrupt(const VirtualMachine& machine, u8 vector);

}  // namespace tessera::vmm
