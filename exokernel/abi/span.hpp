// A run of pages with the rights and flags for them, in one register.
//
//   63       48 47                                  12 11    7 6  5  4  3  2  1  0
//   +----------+-------------------------------------+-------+--+--+--+--+--+--+--+
//   | count    | first page                          | 0     |Su|Di|La|Gu| X| W| R|
//   +----------+-------------------------------------+-------+--+--+--+--+--+--+--+
#pragma once

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera {

enum class SpanFlag : u64 {
    guaranteed = 1 << 3,  ///< Never evicted from the S-TLB, and preloaded on a switch.
    large = 1 << 4,       ///< 2 MiB units: page and frame multiples of 512, count in units of 2 MiB.
    dirty = 1 << 5,       ///< The next access writes: count the page as dirty now, saving a trap.
    supervisor = 1 << 6,  ///< ContextKind::shadow: for the guest's rings 0 to 2 only.
};

/// Which pages, with which rights. Count is in pages (with `large`, in large pages). A call takes kMaxPages at most
/// (of 4 KiB, also with `large`), as the kernel is not interrupted in the middle of one.
struct PageSpan {
    u64 bits{};

    static constexpr u64 kMaxPages = 8192;
    static constexpr PageSpan make(PageNumber page, u64 count, Rights rights = {}, u64 flags = 0) {
        return PageSpan{count << 48 | (page.value << kPageShift & 0xffff'ffff'f000) | (rights.bits & 7) | flags};
    }
    constexpr u64 count() const { return bits >> 48; }
    constexpr PageNumber page() const { return PageNumber{bits >> kPageShift & 0xf'ffff'ffff}; }
    constexpr Rights rights() const { return Rights{static_cast<u32>(bits & 7)}; }
    constexpr bool has(SpanFlag flag) const { return bits & static_cast<u64>(flag); }
    constexpr bool canonical() const { return (bits & 0xf80) == 0; }
    constexpr PageSpan with(SpanFlag flag) const { return PageSpan{bits | static_cast<u64>(flag)}; }
};
static_assert(sizeof(PageSpan) == 8);

}  // namespace tessera
