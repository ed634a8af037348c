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
    static constexpr u64 kMaxSources = 32;

    explicit AddressSpace(Table& table) : table_(table) {}
    AddressSpace(const AddressSpace&) = delete;
    AddressSpace& operator=(const AddressSpace&) = delete;

    /// Make a capability known, for Entry::source. It must stay where it is. kAny: no room.
    u64 add_source(const Capability& capability);

    /// False: no room, or it overlaps another one.
    bool add_region(Region& region);

    /// Answer the environment's page faults from now on. One address space at a time.
    void install();

    /// The fault policy itself.  Hot: about 30 instructions and the call when the table knows the page.
    bool resolve(VirtAddr address, u64 access) {
        const PageNumber page = page_of(address);
        const Entry* found = table_.find(page);
        if (found != nullptr && found->has(Entry::kResident | rights_for(access))) [[likely]]
            return bind(page, *found, access);
        return resolve_by_region(page, access);
    }

    Entry entry(PageNumber page) override;
    bool map(PageNumber page, Entry entry) override;
    bool unmap(PageNumber page, Entry entry) override;

    Table& table() { return table_; }

  private:
    /// The rights that an access needs, as they stand in an entry: without a branch.
    static u64 rights_for(u64 access) {
        constexpr auto kWrite = static_cast<u64>(AccessKind::write), kFetch = static_cast<u64>(AccessKind::fetch);
        static_assert(kWrite == static_cast<u64>(Right::write) && kFetch >> 2 == static_cast<u64>(Right::execute));
        return static_cast<u64>(Right::read) | (access & kWrite) | (access & kFetch) >> 2;
    }

    bool bind(PageNumber page, Entry entry, u64 access) {
        const PageSpan span = PageSpan::make(page, 1, entry.rights(), span_flags_for(access));
        const VirtAddr capability{reinterpret_cast<u64>(sources_[entry.source() % kMaxSources])};
        return enter_kernel<Bind>({capability, entry.frame(), span, {}, {}}).error == Error::ok;
    }
    bool resolve_by_region(PageNumber page, u64 access);

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
