// The memory of one process: regions say what may be at an address, page tables what is. Pages are made on first
// touch and shared by fork until one side writes. Tables are only ever written through the machine's layer.
#pragma once

#include "guests/small/machine.hpp"
#include "guests/small/types.hpp"

namespace small {

/// Where programs may be: one slot of the root table, which no other part of the kernel uses.
inline constexpr u64 kUserBegin = 0x1000'0000'0000, kUserEnd = kUserBegin + (u64{1} << 39);

/// Pages [begin, end) with the same rights. The first bytes come from the kernel's image, the rest is zero.
struct Region {
    u64 begin{}, end{};
    Rights rights{};
    const u8* source{};
    u64 source_size{};
};

class AddressSpace {
  public:
    /// False if memory is full.
    bool create();
    /// The same memory for a child, copied on write. On failure the child is as `destroy` leaves it.
    bool fork_into(AddressSpace& child);
    /// Gives everything back. It must not be loaded.
    void destroy();

    Frame root() const { return root_; }

    /// False if the addresses are not a program's to have, overlap another region, or there are too many.
    bool add_region(const Region& region);
    /// A run of free addresses for `add_region`; 0 if there is none.
    u64 find_room(u64 pages) const;
    /// Regions of which a part was taken away are cut. The addresses may have holes.
    bool remove(u64 begin, u64 pages);
    /// All of it must be there.
    bool protect(u64 begin, u64 pages, Rights rights);

    /// Make the page of an address present for such an access. False if there may be none.
    bool touch(u64 address, bool write, bool fetch);

    /// The frame of a page, made present, with one user more until it is released. No frame if it may not be read.
    Frame hold(u64 address);

    /// Copy from or to the process's memory, which is made present as needed; false if some of it may not be.
    bool read(u64 address, void* to, u64 size);
    bool write(u64 address, const void* from, u64 size);

  private:
    static constexpr int kMaxRegions = 16;

    Region* find(u64 address);
    Region* free_region();
    bool cut_at(u64 address);
    machine::Entry* leaf(u64 page, bool make);
    bool make_page(const Region& region, machine::Entry* entry, u64 page);
    bool own_page(machine::Entry* entry, u64 page);
    template <class Visit>
    void each_present(u64 begin, u64 end, Visit visit);

    Frame root_;
    Region regions_[kMaxRegions]{};
};

}  // namespace small
