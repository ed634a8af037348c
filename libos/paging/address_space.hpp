// A libOS's view of its own address space: a page table of whichever shape, and the regions in it.
//
// The path of a fault: the table has the page, resident and with the right that is needed -> bind it again
// under the capability that it came from, done. Otherwise -> the region's policy. Nothing here allocates.
#pragma once

#include <array>

#include "libos/core/collisions.hpp"
#include "libos/core/upcalls.hpp"
#include "libos/paging/hierarchical_table.hpp"
#include "libos/paging/inverted_table.hpp"
#include "libos/paging/region.hpp"

namespace tessera::libos {

template <PageTable Table>
class AddressSpace final : public Mapper {
  public:
    static constexpr u64 kMaxRegions = 32;
    static constexpr u64 kMaxSources = Entry::kSources;

    explicit AddressSpace(Table& table) : table_(table) {}
    AddressSpace(const AddressSpace&) = delete;
    AddressSpace& operator=(const AddressSpace&) = delete;

    /// Make a capability known, for Entry::source. It must stay where it is. kAny: no room.
    u64 add_source(const Capability& capability);

    /// False: no room, or it overlaps another one.
    bool add_region(Region& region);

    /// Answer the environment's page faults from now on. One address space at a time.
    void install();

    /// The fault policy itself.  Hot: about 36 instructions, the call among them, when the table knows the page.
    bool resolve(VirtAddr address, u64 access) {
        const PageNumber page = page_of(address);
        const Entry entry = find_nearby(page);
        if (entry.allows(access)) [[likely]]
            return bind(page, entry, access);
        return resolve_slowly(page, access);
    }

    Entry entry(PageNumber page) override { return table_.find(page); }
    bool map(PageNumber page, Entry entry) override;
    bool unmap(PageNumber page, Entry entry) override;

    Table& table() { return table_; }

  private:
    /// `page` is in the table, so it needs no checking: the span is put together as it stands.
    bool bind(PageNumber page, Entry entry, u64 access) {
        const u64 low = entry.rights().bits | span_flags_for(access);
        const PageSpan span{PageSpan::make({}, 1).bits | page.value << kPageShift | low};
        const VirtAddr capability{reinterpret_cast<u64>(sources_[entry.source()])};
        return enter_kernel<Bind>({capability, entry.frame(), span, {}, {}}).error == Error::ok;
    }
    /// What the table can find without a call, where it makes a difference to it.
    Entry find_nearby(PageNumber page) {
        if constexpr (requires { table_.find_nearby(page); })
            return table_.find_nearby(page);
        else
            return table_.find(page);
    }
    bool resolve_slowly(PageNumber page, u64 access);

    static bool on_fault(VirtAddr address, u64 access) { return installed_->resolve(address, access); }
    static AddressSpace* installed_;

    Table& table_;
    std::array<const Capability*, kMaxSources> sources_{};
    std::array<Region*, kMaxRegions> regions_{};
    u64 source_count_ = 0;
    u64 region_count_ = 0;
};

extern template class AddressSpace<HierarchicalTable>;
extern template class AddressSpace<InvertedTable>;

}  // namespace tessera::libos
