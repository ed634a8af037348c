// How code of a guest's runs in ring 3. Its user's runs as it is. Its kernel's must be kept from what ring 3 must not execute:
// it runs where it is with bytes that trap (rewritten_code.hpp), or from a translation cache (translated_code.hpp).
//
//   enter   virtual CPU --> real registers       leave   the real CPU stopped --> virtual CPU, at an instruction's boundary
//
// What stands here is what becomes of code that runs as it is; the others say what is otherwise with them. The processor
// asks whichever it is, and knows no difference.
#pragma once

#include <optional>
#include <string_view>

#include "exokernel/abi/result.hpp"
#include "libos/vmm/instructions/emulate.hpp"
#include "libos/vmm/monitor/guest_registers.hpp"
#include "libos/vmm/shadow/shadow.hpp"

namespace tessera::vmm {

/// How a guest goes on.
enum class Onward : u8 {
    same,       ///< Where the real CPU stopped, as if nothing had been: the exit was no business of the guest's.
    behind,     ///< Behind what was done for it.
    elsewhere,  ///< Wherever it was put, and may never have been.
};

class GuestCode {
  public:
    /// It goes on at cpu.rip. Nothing, or the guest's own fault of fetching.
    virtual std::optional<Exception> enter(const VirtualMachine& machine, GuestState& state, Onward) {
        store_registers(machine.cpu, state);
        state.rip = machine.cpu.rip;
        state.rflags = real_flags(machine.cpu);
        return {};
    }
    /// The real CPU stopped. `machine.cpu` becomes the guest's state.
    virtual void leave(const VirtualMachine& machine, const GuestState& state) {
        VirtualCpu& cpu = machine.cpu;
        load_registers(cpu, state);
        cpu.rip = state.rip;
        cpu.rflags = virtual_flags(cpu, state.rflags);
        cpu.shadow = false;  // at least one instruction was made, or begun
    }

    // ---- Behind leave(): why did it stop?
    /// #GP. Something that stands in the place of the guest's code, or is remembered: it is done. Nothing: an instruction of its own.  Hot.
    virtual std::optional<Emulated> take(const VirtualMachine&) { return {}; }
    /// An interrupt of the machine's. If the one instruction is over that the guest's TF allows, its trap, which comes before any interrupt.
    virtual std::optional<Emulated> take_step(const VirtualMachine&) { return {}; }
    /// A page at `address` was missing in the context `place`. True: that was no business of the guest's, and has been seen to.
    virtual bool on_missing(u64 /*place*/, u64 /*address*/, const Access&, u64 /*rip*/) { return false; }
    /// `in` has just been fetched at `rip`, and is privileged: `take` may know it the next time.
    virtual void remember(u64 /*rip*/, const Instruction& /*in*/, Sensitive) {}

    /// The next instruction runs alone, and comes back. False: the CPU's own single step is to see to that.
    virtual bool run_alone() { return false; }

  protected:
    ~GuestCode() = default;
};

/// The guest's user's.
class UserCode final : public GuestCode {};

/// The guest's kernel's: it is told of what happens to the guest's memory, too.
class KernelCode : public GuestCode {
  public:
    virtual Outcome open() { return Done{}; }
    /// The contexts must be gone.
    virtual Outcome close() { return Done{}; }

    /// What of a mapping that the guest misses may be bound; it stands at `rip`.
    virtual ShadowMapping limit(ShadowMapping mapping, const Access& access, u64 rip) = 0;
    /// A watched frame is about to be written, `by_kernel`: by the instruction that the guest's kernel stands on.
    virtual void on_write(u64 guest_frame, bool by_kernel) = 0;
    /// The guest says that its tables are others, or have changed at `address`.
    virtual void on_new_root() {}
    virtual void on_invalidation(u64 /*address*/) {}

    /// Why this does not do, or nullptr. Then `give_up`, and the code runs some other way.
    const char* problem() const { return problem_; }
    virtual void give_up() {}

    /// What was done, in a line and a record.
    virtual void report(std::string_view what) const = 0;

  protected:
    ~KernelCode() = default;
    const char* problem_ = nullptr;
};

}  // namespace tessera::vmm
