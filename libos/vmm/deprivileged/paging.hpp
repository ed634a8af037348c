// The shadow of a guest in ring 3, as its machine's paging.
#pragma once

#include <algorithm>

#include "libos/vmm/deprivileged/code_pages.hpp"
#include "libos/vmm/monitor/paging.hpp"
#include "libos/vmm/monitor/shadow_contexts.hpp"
#include "libos/vmm/monitor/shadow_memory.hpp"

namespace tessera::vmm {

class DeprivilegedPaging final : public Paging {
  public:
    DeprivilegedPaging(Memory& memory, ShadowOptions options)
        : memory_(memory),
          storage_(memory.frames()),
          contexts_(memory, ContextKind::deprivileged, ShadowContexts::pages_for(memory.frames())),
          code_pages_(contexts_),
          shadow_(memory, code_pages_, storage_.records(), storage_.tables(), {std::min(options.roots, kMaxRoots / 2), options.around}) {}

    Outcome open() override {
        if (!storage_.is_there()) return Error::exhausted;
        memory_.add_view(*this);
        return Done{};
    }
    Outcome close() override {
        TRY(contexts_.close());
        return storage_.close();
    }
    Outcome attach(GuestCpu&) override { return Done{}; }
    u64 place(GuestCpu&) override { return kContextsPerGuest; }
    Handled on_exit(GuestCpu&, GuestExit) override { return Handled::no; }
    void note_write(u64 guest_frame) override { shadow_.written(guest_frame); }
    void forget(u64 guest_frame, u64 count) override { contexts_.forget_frames(guest_frame, count); }

    ShadowContexts& contexts() { return contexts_; }
    CodePages& code_pages() { return code_pages_; }
    Shadow& shadow() { return shadow_; }

  private:
    Memory& memory_;
    ShadowMemory storage_;
    ShadowContexts contexts_;
    CodePages code_pages_;
    Shadow shadow_;
};

}  // namespace tessera::vmm
