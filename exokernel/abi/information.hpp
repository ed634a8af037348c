// What every libOS can read: the kernel's own tables, mapped read-only at the same address in every context.
// Exposed names and bookkeeping (Engler et al., SOSP 1995, 3.2): these are the tables, not copies of them.
//
//   kInformation                 Information             one page
//   + kFrameTableOffset          FrameInfo[frames]       who owns which frame
//   + kEnvironmentTableOffset    EnvironmentInfo[64]     accounts
//   + kSlotTableOffset           SlotInfo[CPUs * 64]     the slot vectors
//   + kRequestTableOffset        RevocationRequest[64][8]  what was asked back of whom (abi/revocation.hpp)
//   + kBoardOffset               Post[64][4]             capabilities that environments posted for all to see
#pragma once

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera {

inline constexpr u64 kInformation = u64{255} << 39;
inline constexpr u64 kFrameTableOffset = u64{1} << 30;
inline constexpr u64 kEnvironmentTableOffset = u64{2} << 30;
inline constexpr u64 kSlotTableOffset = u64{3} << 30;
inline constexpr u64 kRequestTableOffset = u64{4} << 30;
inline constexpr u64 kBoardOffset = u64{5} << 30;

/// How the hardware's translations are treated on a switch (docs/design.md, section 4).
enum class SwitchPolicy : u32 { none, refill, preload, keep, tagged };
inline constexpr u64 kSwitchPolicies = 5;
inline constexpr const char* kSwitchPolicyNames[kSwitchPolicies] = {"none", "refill", "preload", "keep", "tagged"};

struct Information {
    u64 abi_version;
    u64 cpus;
    u64 tsc_hz;             ///< TSC ticks a second, measured at boot (1e9 under -icount shift=0).
    u64 quantum;            ///< Length of a slot, in TSC ticks.
    u64 grace;              ///< How long a slice_end upcall may take, in TSC ticks.
    u64 frames;             ///< Entries of the frame table.
    u64 frames_usable;      ///< Frames that a libOS could ever own.
    u64 frames_free;        ///< Now.
    SwitchPolicy policy;
    u32 zero;
    u64 tlb_entries;        ///< Bound on hardware translations; 0: unbounded.
    u64 boot_tsc;           ///< TSC at the kernel's first instruction.
    u64 first_libos_tsc;    ///< TSC just before the first libOS instruction.
    u64 locks[kMaxCpus];    ///< By CPU: how often it took one of the kernel's locks.
    u64 stops[kMaxCpus];    ///< By CPU: how often it had all others stopped.
};

enum class FrameState : u8 {
    absent,   ///< No memory there, or firmware's.
    kernel,   ///< The kernel's own since boot.
    free,
    owned,    ///< A libOS's.
    charged,  ///< Owned by a libOS, used by the kernel on its behalf (S-TLB, page tables, environments).
};

/// One frame. 32 bytes. `grant` is the number that a capability must carry; `bindings` heads the back-map.
struct FrameInfo {
    u64 grant;
    u32 owner;        ///< EnvId.
    u32 bindings;     ///< Where the kernel keeps who has bound it; 0: nobody.
    FrameState state;
    u8 flags;         ///< Kernel's.
    u16 context;      ///< charged to a context: 1 + its index.
    u32 large_bindings;  ///< As `bindings`, for the 2 MiB bindings that begin at this frame.
    u64 autosave;     ///< What becomes of its bytes when it is repossessed: AutosaveSeed (abi/revocation.hpp).
};
static_assert(sizeof(FrameInfo) == 32);

/// Who owes so many slices for having overstayed is ended.
inline constexpr u64 kMostSlicesOwed = 64;

enum class EnvironmentState : u32 { unused, runnable, ending };

/// One environment's accounts, exact. Times in TSC ticks.
struct EnvironmentInfo {
    u32 id;                 ///< EnvId; 0: unused.
    EnvironmentState state;
    char name[16];
    u32 context;            ///< ContextId.
    u32 cpu;                ///< Where it lives.
    u64 frames;             ///< Owned or charged.
    u64 frame_quota;
    u64 slots;              ///< Owned.
    u64 ticks;              ///< CPU time.
    u64 slices;             ///< Slices begun.
    u64 switches;           ///< Times switched to.
    u64 yields;
    u64 forced;             ///< Slices ended by force.
    u64 excess;             ///< Overstayed, in all.
    u64 debt;               ///< Of that, and of what it made other CPUs wait, not yet paid by later slices.
    u64 forfeited;          ///< Slices skipped to pay.
    u64 upcalls;            ///< Delivered by the slow path or for a page fault.
    u64 hits;               ///< Misses of the hardware side filled from the S-TLB.
    u64 misses;             ///< Page faults that went up to the libOS.
    u64 preloads;           ///< Guaranteed mappings put in on a switch.
    u64 wipes;              ///< Times the hardware side was emptied.
    u64 stolen;             ///< Of its slices, what others caused: stops of all CPUs, revocation, interrupts not its own.
    u64 paid_back;          ///< Of that, what it had back of slices that lasted longer: who gives a slice away gives that away, too.
    u64 frame_ticks;        ///< Frames x time up to `frames_since`.
    u64 frames_since;       ///< TSC at which `frames` changed last.
    u64 bindings;           ///< Made for a page and a frame that the entry of the S-TLB did not hold before.
    u64 syscalls;           ///< System calls, but for null calls, yields that left, and control transfers and their answers.
    u64 transfers;          ///< Protected control transfers begun.
    u64 asked;              ///< Revocation requests received.
    u64 repossessed;        ///< Frames taken by force.
    u64 events;             ///< Notified and not yet taken by `wait`.
    u64 reserve;            ///< Frames that cannot be repossessed.
    u64 reserved;
};
static_assert(sizeof(EnvironmentInfo) == 256);

struct SlotInfo {
    u64 grant;
    u32 owner;   ///< EnvId that took it; 0: free.
    u32 runs;    ///< EnvId that runs in it.
};
static_assert(sizeof(SlotInfo) == 16);

/// One place of the board: place `i` of the environment with index `e` is Post number e * kPostsPerEnvironment + i.
struct Post {
    u32 owner;   ///< EnvId that posted it; 0: empty.
    u32 zero;
    u64 name;    ///< Whatever the owner calls it: up to 8 characters, the first in the low byte.
    Capability capability;
};
static_assert(sizeof(Post) == 176);

}  // namespace tessera
