// The part of the address space off the hot path. Instantiated here, so that it lies in guaranteed memory.
#include "libos/paging/address_space.hpp"

namespace tessera::libos {

template <PageTable Table>
AddressSpace<Table>* AddressSpace<Table>::installed_ = nullptr;

template <PageTable Table>
u64 AddressSpace<Table>::add_source(const Capability& capability) {
    if (source_count_ == kMaxSources) return kAny;
    sources_[source_count_] = &capability;
    return source_count_++;
}

template <PageTable Table>
bool AddressSpace<Table>::add_region(Region& region) {
    if (region_count_ == kMaxRegions || region.count() == 0) return false;
    for (u64 i = 0; i < region_count_; ++i) {
        const Region& other = *regions_[i];
        if (other.contains(region.first()) || region.contains(other.first())) return false;
    }
    regions_[region_count_++] = &region;
    return true;
}

template <PageTable Table>
void AddressSpace<Table>::install() {
    installed_ = this;
    set_fault_policy(on_fault);
}

template <PageTable Table>
bool AddressSpace<Table>::resolve_slowly(PageNumber page, u64 access) {
    if (const Entry entry = table_.find(page); entry.allows(access)) return bind(page, entry, access);
    for (u64 i = 0; i < region_count_; ++i) {
        if (!regions_[i]->contains(page)) continue;
        if (!regions_[i]->uses_sse()) return regions_[i]->on_miss(*this, page, access);
        SseGuard guard;
        return regions_[i]->on_miss(*this, page, access);
    }
    return false;
}

template <PageTable Table>
bool AddressSpace<Table>::map(PageNumber page, Entry entry) {
    return table_.insert(page, entry) &&
           bind(page, entry, entry.has(Entry::kDirty) ? static_cast<u64>(AccessKind::write) : 0);
}

template <PageTable Table>
bool AddressSpace<Table>::unmap(PageNumber page, Entry entry) {
    if (enter_kernel<Unbind>({PageSpan::make(page, 1), {}}).error != Error::ok) return false;
    if (entry.word != 0) return table_.insert(page, entry);
    table_.erase(page);
    return true;
}

template class AddressSpace<HierarchicalTable>;
template class AddressSpace<InvertedTable>;

}  // namespace tessera::libos
