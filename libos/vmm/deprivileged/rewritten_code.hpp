// The code of a guest's kernel that runs where it is: what ring 3 must not execute has a byte in its place that traps.
//
//   scan      wherever the kernel may never have been, before it goes on there
//   limit     a page may be executed as long as it is watched, and has been scanned from where it was entered
//   take      such a byte trapped: what stood there is done. If it was before, it is remembered, taken apart
//   on_write  a watched page is about to be written: it gets its bytes back, and is scanned again before it is executed
//
// Where that does not do it says why (`problem`), once and for good; then everything is translated (translated_code.hpp).
#pragma once

#include "libos/vmm/deprivileged/code_memory.hpp"
#include "libos/vmm/deprivileged/guest_code.hpp"
#include "libos/vmm/deprivileged/known_code.hpp"
#include "libos/vmm/monitor/shadow_contexts.hpp"

namespace tessera::vmm {

class RewrittenCode final : public KernelCode {
  public:
    RewrittenCode(Memory& memory, ShadowContexts& contexts, Shadow& shadow, GuestSpace& space, std::span<Site> sites, std::span<ScannedPage> pages)
        : memory_(memory), contexts_(contexts), shadow_(shadow), code_(memory, shadow, space), rewriter_(sites, pages) {}

    std::optional<Exception> enter(const VirtualMachine& machine, GuestState& state, Onward onward) override;
    std::optional<Emulated> take(const VirtualMachine& machine) override;
    void remember(u64 rip, const Instruction& in, Sensitive what) override { known_.remember(watched(rip), known_.generation(), in, what); }
    /// What is the kernel's is executable if it is watched, and then alone.
    ShadowMapping limit(ShadowMapping mapping, const Access& access, u64 rip) override;
    void on_write(u64 guest_frame, bool by_kernel) override;
    /// The guest's kernel gets all of its bytes back.
    void give_up() override;
    void report(std::string_view what) const override;

  private:
    u64 watched(u64 rip) { return code_.watched(rip).value_or(KnownCode::kNowhere); }
    void scan(u64 rip);
    bool stands_on_trap(u64 rip);
    std::optional<Emulated> take_site(const VirtualMachine& machine);

    Memory& memory_;
    ShadowContexts& contexts_;
    Shadow& shadow_;
    LinearCode code_;
    Rewriter rewriter_;
    KnownCode known_;
    u64 scanned_ = 0;  // instructions that were looked at
};

}  // namespace tessera::vmm
