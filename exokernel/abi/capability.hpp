// The layout of a capability: plain bytes that a libOS keeps, copies and hands on; the kernel keeps none.
//
//   0         1        2        4         8       16      24      32          36        40      48      64
//   +---------+--------+--------+---------+-------+-------+-------+-----------+---------+-------+-------+----
//   | kind    | caveats| zero   | rights  | first | count | grant | presenter | context | page  | tag   | caveat...
//   +---------+--------+--------+---------+-------+-------+-------+-----------+---------+-------+-------+----
//
// The root's tag is SipHash-2-4-128 of what its fields say (caveats left out) under the key of its kind.
// Every caveat replaces the tag by SipHash(key = old tag, caveat): anybody can narrow, nobody can widen
// (macaroons: Birgisson et al., NDSS 2014). How they are made and checked: secure_bindings/capability.hpp.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera {

enum class ResourceKind : u8 { none, frames, tlb_entry, slots, context, environment, entry };
inline constexpr u64 kResourceKinds = 7;

/// One bit a right; each says what it is needed for. A set of them travels as `Rights`.
enum class Right : u32 {
    read = 1 << 0,     ///< frames, tlb_entry: be bound readable.
    write = 1 << 1,    ///< frames, tlb_entry: be bound writable.
    execute = 1 << 2,  ///< frames, tlb_entry: be bound executable.
    release = 1 << 3,  ///< frames, slots: give back.  context, environment: destroy.
    use = 1 << 4,      ///< frames: become kernel memory.  slots: run in.  context: bind into, run in.  environment: place on a CPU.
    revoke = 1 << 5,   ///< environment: ask for what it holds, set its quota, look at which frames it uses.
    call = 1 << 6,     ///< entry: bind a gate to it.
};

struct Rights {
    u32 bits{};
    constexpr Rights() = default;
    constexpr explicit Rights(u32 b) : bits(b) {}
    constexpr Rights(Right right) : bits(static_cast<u32>(right)) {}
    constexpr bool operator==(const Rights&) const = default;
    constexpr bool has(Rights all) const { return (bits & all.bits) == all.bits; }
    constexpr Rights restricted_to(Rights other) const { return Rights{bits & other.bits}; }
};
constexpr Rights operator|(Rights a, Rights b) { return Rights{a.bits | b.bits}; }
constexpr Rights operator|(Right a, Right b) { return Rights{a} | Rights{b}; }

inline constexpr Rights kAllRights{0x7f};
inline constexpr Rights kFrameRights{0x1f};  ///< What `frame_alloc` gives.

/// One narrowing. Unused words are zero.
enum class CaveatKind : u64 {
    rights = 1,  ///< a: the rights that are left.
    range,       ///< a, b: first and count of the units that are left.
    presenter,   ///< a: the only environment that may present it (EnvId).
    expiry,      ///< a: last TSC value at which it is good.
};
struct Caveat {
    CaveatKind kind{};
    u64 a{}, b{};
};

inline constexpr u64 kMaxCaveats = 4;

struct alignas(8) Capability {
    ResourceKind kind{};
    u8 caveats{};       ///< How many of `caveat` are in use.
    u16 zero{};
    u32 rights{};       ///< Before the caveats.
    u64 first{};        ///< Frame, slot, index of the context or environment; tlb_entry: the first frame; entry: kEntriesPerEnvironment *
                        ///< index of the environment + place.
    u64 count{};        ///< 1 to kMaxCapabilityCount.
    u64 grant{};        ///< tlb_entry: the frames'.
    u32 presenter{};    ///< Only this environment may present it; 0: anybody who has it.
    u32 context{};      ///< tlb_entry: the context that it binds into. Others: 0.
    u64 page{};         ///< tlb_entry: the first page; 2 MiB bindings have kLargePage set. Others: 0.
    u64 tag[2]{};
    Caveat caveat[kMaxCaveats]{};

    /// The bytes that are in use: what has to be stored or handed over.
    constexpr u64 size() const { return 64 + caveats * sizeof(Caveat); }
};

inline constexpr u64 kCapabilityRootSize = 64;    ///< Without caveats: what most calls read.
inline constexpr u64 kMaxCapabilityCount = (u64{1} << 24) - 1;
inline constexpr u64 kLargePage = u64{1} << 63;   ///< In Capability::page.

static_assert(sizeof(Caveat) == 24 && sizeof(Capability) == 160);
static_assert(offsetof(Capability, first) == 8 && offsetof(Capability, presenter) == 32);
static_assert(offsetof(Capability, tag) == 48 && offsetof(Capability, caveat) == 64);

}  // namespace tessera
