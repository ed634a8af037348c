// A region: a run of pages with a policy of its own for what happens when one of them is missing.
//
// The address space answers what its table knows. What it does not know, or what is not allowed yet, is the
// region's to decide: take a frame, fill it, copy it, evict another, and enter it in the table through the
// Mapper. To make a policy, derive from Region; those of the house are in this folder.
#pragma once

#include "libos/paging/entry.hpp"

namespace tessera::libos {

/// What a region may do to the address space that it is in.
class Mapper {
  public:
    /// The entry of a page; an empty one where there is none.
    virtual Entry entry(PageNumber page) = 0;
    /// Enter it and bind it at once. False: no room in the table, or the kernel refused.
    virtual bool map(PageNumber page, Entry entry) = 0;
    /// Replace an entry without binding; Entry{} forgets the page. Any binding of it is dropped.
    virtual bool unmap(PageNumber page, Entry entry) = 0;

  protected:
    ~Mapper() = default;
};

class Region {
  public:
    /// `uses_sse`: its on_miss may touch SSE registers, as anything may that is compiled in a program. They are
    /// saved around it then.
    Region(PageNumber first, u64 count, bool uses_sse = true) : first_(first), count_(count), uses_sse_(uses_sse) {}
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;

    /// Make `page`, which lies in the region, usable for the access (bits of AccessKind). False: it is not
    /// allowed, or cannot be done; the fault is then fatal. Runs in the page-fault handler.
    virtual bool on_miss(Mapper& mapper, PageNumber page, u64 access) = 0;

    PageNumber first() const { return first_; }
    u64 count() const { return count_; }
    bool uses_sse() const { return uses_sse_; }
    bool contains(PageNumber page) const { return page.value - first_.value < count_; }

  protected:
    ~Region() = default;

  private:
    PageNumber first_;
    u64 count_;
    bool uses_sse_;
};

/// Where a page is, as memory.
inline void* memory_of(PageNumber page) { return reinterpret_cast<void*>(address_of(page).value); }

/// Copy a page's contents. Two pages that share an entry of the S-TLB, which is direct-mapped, cannot both be
/// bound unless one is guaranteed, so no instruction can read one and write the other: those go by way of the
/// stack in pieces. The smallest S-TLB has 128 entries, so pages that share one differ by a multiple of that.
void copy_page(void* to, const void* from);

}  // namespace tessera::libos
