// Pages in frames that another environment lends, which may do with them what it likes: read them, write them, take them back.
//
//   write:  page --> lent frame; its MAC --> a table of our own        read:  lent frame --> page; is that its MAC?
//
// So a page comes back as it went, or not at all. Whoever lends sees what is in the pages: it has to be somebody who may. Where a lent
// frame is gone, a page of nothing is bound in its place, so that reading and writing go on, and the MAC says the rest.
#pragma once

#include "libos/paging/backing_store.hpp"
#include "libos/vmm/monitor/windows.hpp"

namespace tessera::vmm {

class LentStore final : public libos::BackingStore, private Window {
  public:
    /// Slot i is the i-th frame of `frames`, which allows reading and writing.  Errors: of frame_alloc.
    Outcome open(const Capability& frames);
    /// Errors: of frame_release.
    Outcome close();

    /// False: there is no such slot, or its frame is not lent any more.  Cost: a copy of a page, and a MAC over it.
    bool write(u64 slot, const void* from) override;
    /// False: it is not what was written.
    bool read(u64 slot, void* to) override;

  private:
    struct Tag {
        u64 word[2];
        bool operator==(const Tag&) const = default;
    };

    bool bind(u64 index, u64 access) override;
    Tag mac(const void* page) const;

    Capability frames_;
    RunWindow tags_, nothing_;
};

}  // namespace tessera::vmm
