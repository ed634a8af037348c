// Page faults that libos's own address space answers: page tables of two shapes, and the simple regions.
#pragma once

#include <optional>

#include "bench/system/arena.hpp"
#include "libos/paging/address_space.hpp"
#include "libos/paging/regions.hpp"

namespace tessera::bench {

// Each region's pages have S-TLB entries of their own, clear of the arena's and the image's.
inline constexpr PageNumber kFlat{0x30'0290}, kDemandZero{0x30'02c0}, kCopyOnWrite{0x30'0390};
inline constexpr u64 kFaults = kRounds;

/// A fault on a page that the table knows: found there, bound again under a frame capability presented before.
template <PageTable Table>
void measure_table(const char* name, Table& table) {
    AddressSpace<Table> space(table);
    const u64 source = space.add_source(arena.frames);
    if (!table.insert(kArena, Entry::make(arena.first, source, kReadWrite))) give_up(name, "the table is full");
    space.install();
    const VirtAddr page = arena.at(0);
    measure(name, [](u64) { arena.unbind(1); }, [page](u64) { return load(page), done(); });
    set_fault_policy(nullptr);
}

/// A fault for each page of a region, in turn, by `touch`.
template <class Touch>
void measure_region(const char* name, AddressSpace<HierarchicalTable>& space, Region& region, Touch touch) {
    if (!space.add_region(region)) give_up(name, "no room for the region");
    VirtAddr page;
    measure(name, [&](u64 round) { page = address_of(region.first() + round); }, [&](u64) { return touch(page), done(); });
}

inline void measure_regions() {
    static std::array<HierarchicalTable::Node, 16> nodes;
    static std::array<u16, 16> used;
    static std::array<InvertedTable::Slot, 64> slots;
    static std::optional<HierarchicalTable> hierarchical;
    static std::optional<InvertedTable> inverted;
    static std::optional<AddressSpace<HierarchicalTable>> space;
    static std::optional<FlatRegion> flat;
    static std::optional<DemandZeroRegion> demand_zero;
    static std::optional<CopyOnWriteRegion> copy_on_write;
    static FramePool pool;
    hierarchical.emplace(nodes, used);
    inverted.emplace(slots);
    measure_table("fault_resolve_warm", *hierarchical);
    measure_table("fault_resolve_warm_inverted", *inverted);

    space.emplace(*hierarchical);
    space->install();
    sure("pool", pool.open(2 * kFaults));
    const u64 source = space->add_source(pool.capability()), original = space->add_source(arena.frames);
    const auto read = [](VirtAddr at) { load(at); };
    const auto write = [](VirtAddr at) { store(at); };
    flat.emplace(kFlat, kFaults, kReadWrite);
    sure("flat", flat->open(arena.frames, arena.first));
    sure("flat", call<Unbind>({PageSpan::make(kFlat, kFaults), {}}));
    measure_region("fault_flat_region", *space, *flat, read);
    demand_zero.emplace(kDemandZero, kFaults, pool, source);
    measure_region("fault_demand_zero", *space, *demand_zero, write);
    copy_on_write.emplace(kCopyOnWrite, kFaults, CopyOnWriteRegion::Original{kArena, arena.first, original}, pool, source);
    measure_region("fault_copy_on_write", *space, *copy_on_write, write);
    set_fault_policy(nullptr);
}

}  // namespace tessera::bench
