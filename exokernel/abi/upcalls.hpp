// Upcalls: how the kernel tells an environment that something happened.
//
// Delivery writes one record of the save area and continues the environment at the entry point that it
// registered for that kind, with rax = the record's address. rax, rcx and rdx are in the record; every
// other register still holds what the interrupted code had in it, and rsp has not moved. The kernel
// keeps nothing: the libOS goes on by itself, with `iretq` in ring 3, after taking `depth` down by one.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera {

enum class UpcallKind : u32 {
    page_fault,       ///< error: the CPU's page-fault bits (AccessKind); address: what was touched.
    exception,        ///< vector in `vector`; error: the CPU's error code or 0.
    slice_begin,      ///< The environment runs again; the record is where it goes on.
    slice_end,        ///< Its slice is over: save what is live and yield within the grace.
    unknown_syscall,  ///< `syscall` with a number that is not ours; rip is behind the instruction.
    revoke,           ///< Somebody wants units back; error: the request's number; address: its place in the published table.
    repossessed,      ///< Units were taken by force; error: the request's number; address: how many entries the vector has now.
};
inline constexpr u64 kUpcallKinds = 7;
inline constexpr const char* kUpcallNames[kUpcallKinds] = {"page_fault",      "exception", "slice_begin", "slice_end",
                                                           "unknown_syscall", "revoke",    "repossessed"};

/// Bits of a page fault's error word (SDM vol. 3, 4.7).
enum class AccessKind : u32 { present = 1, write = 2, user = 4, reserved = 8, fetch = 16 };

/// One event. 128 bytes, so that a record is found by a shift.
struct SaveRecord {
    u64 rip, rflags, rsp;
    u32 kind;     ///< UpcallKind.
    u32 vector;   ///< CPU vector; 0 for upcalls that are not from one.
    u64 error;
    u64 address;
    u64 rax, rcx, rdx;
    u64 scratch[7];  ///< For the libOS: the kernel neither reads nor writes these.
};
static_assert(sizeof(SaveRecord) == 128);

inline constexpr u64 kSaveRecords = 16;

/// One page, owned and bound by the environment; the kernel writes it through its own mapping.
struct SaveArea {
    u32 depth;  ///< Records in use. The libOS takes one off when it resumes from the newest.
    u32 zero;
    u64 reserved[15];
    SaveRecord record[kSaveRecords];
};
static_assert(offsetof(SaveArea, record) == 128 && sizeof(SaveArea) <= kPageSize);

/// What `upcall_set` takes. An entry of 0 means: not wanted. Then an exception ends the environment,
/// a slice begins where the last one stopped, a slice ends without asking (all registers kept by the
/// kernel), an unknown system call answers Error::unknown_call, and nobody hears of a revocation: its deadline passes. An entry
/// for `revoke` that is registered while requests are outstanding hears of them first thing in the next slice.
struct UpcallTable {
    VirtAddr save_area;  ///< Page-aligned; bound guaranteed and writable; the frame must be the caller's own.
    VirtAddr vector;     ///< The repossession vector (abi/revocation.hpp), the same; 0: none.
    VirtAddr entry[kUpcallKinds];
};
static_assert(sizeof(UpcallTable) == 72);

}  // namespace tessera
