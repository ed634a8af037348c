// Where everything is while a sequence runs: the same addresses on every machine, so that what is compared needs no translation.
//
// One run of 2 MiB with a page table of its own (two of them: the other root shows another frame at `kChanging`), beside the
// kernel's identity map, which user mode does not reach.
#pragma once

#include "guests/small/types.hpp"

namespace differ {

using small::kPageSize, small::u16, small::u32, small::u64, small::u8;

inline constexpr u64 kArea = 0x4000'0000;
constexpr u64 page(u64 index) { return kArea + index * kPageSize; }

/// What the pages are there for. The registers r13 (kData) and r14 (the page table) point at them in every sequence.
enum AreaPage : u64 {
    kDataPage = 0, kMoreData = 1, kReadOnly = 2, kSupervisor = 3, kSupervisorReadOnly = 4, kAbsent = 5, kNoExecute = 6, kGuard = 7,
    kStack = 8, kChanging = 9, kReserved = 10, kAreaPages = 11, kCodePage = 256,
};
inline constexpr u64 kData = kArea, kStackTop = page(kStack) + kPageSize - 256;
inline constexpr u64 kSlot = 512, kSlots = 1024;  ///< Bytes of a sequence's code; sequences that are there at a time.
inline constexpr u64 kCode = page(kCodePage);

/// In the data page: operands that sequences find there.
inline constexpr u64 kScratch = 0x000, kPointers = 0x800;
enum Pointer : u64 {
    kGdtPointer = kPointers, kOtherGdtPointer = kPointers + 16, kIdtPointer = kPointers + 32, kOtherIdtPointer = kPointers + 48,
};

// Selectors.
inline constexpr u16 kKernelCode = 0x08, kKernelData = 0x10, kUserCode32 = 0x18, kUserData = 0x20, kUserCode = 0x28, kTask = 0x30, kOtherTask = 0x40,
                     kLocal = 0x50, kGone = 0x60, kConforming = 0x68, kExecuteOnly = 0x70, kReadOnlyData = 0x78, kGate = 0x80, kGdtEnd = 0x90;

// Vectors beyond the CPU's own.
inline constexpr u8 kUserGate = 0x21, kKernelGate = 0x22, kClosedGate = 0x23, kEndGate = 0x2f, kVectors = 0x30, kSystemCall = 0x80;

}  // namespace differ
