// The code of a guest's kernel that runs where it is: what ring 3 must not execute has a byte in its place that traps.
//
//   scan      wherever the kernel may never have been, before it goes on there
//   limit     a page may be executed as long as it is watched, and has been scanned from where it was entered
//   on_site   such a byte trapped: what stood there is done. on_known: it did before, and is remembered, taken apart
//   on_write  a watched page is about to be written: it gets its bytes back, and is scanned again before it is executed
//
// Where that does not do it says why (`problem`), once and for good; then everything is translated (translated_code.hpp).
#pragma once

#include "libos/vmm/deprivileged/guest_code.hpp"
#include "libos/vmm/deprivileged/known_code.hpp"
#include "libos/vmm/monitor/shadow_contexts.hpp"

namespace tessera::vmm {

class RewrittenCode {
  public:
    RewrittenCode(Memory& memory, ShadowContexts& contexts, Shadow& shadow, GuestSpace& space, std::span<Site> sites, std::span<ScannedPage> pages)
        : memory_(memory), contexts_(contexts), shadow_(shadow), code_(memory, shadow, space), rewriter_(sites, pages) {}

    /// The guest's kernel is about to go on at `rip`: what ring 3 must not execute from there on is replaced.
    void scan(u64 rip);
    /// What of a mapping of the kernel's may be bound: it is executable if it is watched, and then alone.
    ShadowMapping limit(ShadowMapping mapping, const Access& access);

    /// #GP at an instruction that has been done here before, and has been left alone since. With Sensitive::none it was an indirect
    /// branch. Nothing: it is another one.  Hot.
    std::optional<Emulated> on_known(const VirtualMachine& machine);
    /// #GP at a byte that was put there. Nothing: it was not.
    std::optional<Emulated> on_site(const VirtualMachine& machine);
    /// `in` has just been fetched at `rip`, and is privileged: on_known is to know it.
    void remember(u64 rip, const Instruction& in, Sensitive what) { known_.remember(watched(rip), known_.generation(), in, what); }

    /// A watched frame is about to be written, `by_kernel`: by the guest's kernel, and not by somebody else.
    void on_write(u64 guest_frame, bool by_kernel);
    /// The guest's kernel gets all of its bytes back.
    void give_back();

    /// Why rewriting does not do, or nullptr.
    const char* problem() const { return problem_; }
    u64 sites() const { return rewriter_.sites(); }  ///< Instructions that are replaced at present.
    u64 scanned() const { return scanned_; }         ///< Instructions that were looked at.

  private:
    u64 watched(u64 rip) { return code_.watched(rip).value_or(KnownCode::kNowhere); }
    bool stands_on_trap(u64 rip);

    Memory& memory_;
    ShadowContexts& contexts_;
    Shadow& shadow_;
    GuestCode code_;
    Rewriter rewriter_;
    KnownCode known_;
    const char* problem_ = nullptr;
    u64 scanned_ = 0;
};

}  // namespace tessera::vmm
