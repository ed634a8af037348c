// Making, narrowing and checking capabilities: the one implementation for kernel, libOS and host.
//
// Pure: no allocation, no globals, no clock, no I/O. Who presents, what time it is and the keys are
// parameters. The layout and what the tag covers are in exokernel/abi/capability.hpp.
//
//   mint       kernel    root tag = MAC(key of the kind, bytes 0..48)
//   attenuate  anybody   tag = MAC(key = tag, caveat)             needs no key: anybody can narrow
//   verify     kernel    replays the chain, compares, then applies the caveats
//
// The MAC is libsodium's SipHash-2-4 with 128-bit output. Costs are given in MACs; everything else here
// is a few dozen instructions.
#pragma once

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/result.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera {

/// What the kernel draws at boot and never shows.
struct BootKey {
    u8 bytes[16];
};

/// One key a ResourceKind, so that a tag made for one kind says nothing about another.
class CapabilityKeys {
  public:
    /// No keys yet: `verify` refuses everything. Lets a kernel keep the object in static storage.
    constexpr CapabilityKeys() = default;

    /// Derive the keys. Wiping `boot_key` afterwards is the caller's.  Cost: kResourceKinds MACs.
    explicit CapabilityKeys(const BootKey& boot_key);

    constexpr bool derived() const { return derived_; }

    /// The 16 bytes for `kind`, which must be a known one.
    const u8* of(ResourceKind kind) const { return keys_[static_cast<u64>(kind)].bytes; }

  private:
    struct alignas(8) Key {
        u8 bytes[16]{};
    };
    Key keys_[kResourceKinds]{};
    bool derived_ = false;
};

/// What a genuine capability allows once its caveats are applied. Whether `grant` is still the one in the
/// unit's table entry is the kernel's to compare. May be cached; then ask `admits` again on each use.
struct Effective {
    ResourceKind kind{};
    Rights rights;
    u64 first{};
    u64 count{};  ///< Never 0 when it comes from `authenticate` or `verify`.
    u64 grant{};
    EnvId presenter;       ///< Only this one may present it; zero: anybody who has it.
    ContextId context;     ///< tlb_entry: the context that it binds into.
    u64 page{};            ///< tlb_entry: the page where frame `first` goes, with kLargePage as in the root.
    u64 expiry = ~u64{0};  ///< Last TSC value at which it is good.

    /// May `by` present it at time `now`?
    constexpr bool admits(EnvId by, u64 now) const { return (!presenter || presenter == by) & (now <= expiry); }
};

/// Fill in the tag of a root: every field set, canonical, no caveats.  Cost: 1 MAC.
void mint(Capability& root, const CapabilityKeys& keys);

/// Is it in the one form in which it may be written, as far as its first 64 bytes and the caveats in use
/// tell: known kind, zeros where nothing belongs, known rights, a range that is not empty and does not wrap,
/// at most kMaxCaveats well-formed caveats. Caveat slots not in use are no part of a capability: never read.
bool canonical(const Capability& capability);

/// The same for one caveat.
bool canonical(const Caveat& caveat);

/// Genuine? What does it allow, to whoever `admits` says? Looks at `capability.size()` bytes and no others,
/// which must be a private copy: what is checked must be what is used.
/// Errors: bad_capability (not canonical, wrong tag: nothing about the caveats is revealed before the tag
/// is known to be right), denied (caveats that leave no unit, or that name two different presenters).
/// Cost: 1 MAC and one more for each caveat. Secrets are wiped from stack and registers on the way out.
Result<Effective> authenticate(const Capability& capability, const CapabilityKeys& keys);

/// Is this a canonical root without caveats, with the right tag? Then it allows what its fields say. Reads its first
/// kCapabilityRootSize bytes and no others. Unlike the others it leaves clearing the registers to its caller: the
/// kernel clears them all on its way out.  Cost: 1 MAC.
bool genuine_root(const Capability& root, const CapabilityKeys& keys);

/// `authenticate`, then denied unless `presenter` may present it at time `now`. Same cost.
Result<Effective> verify(const Capability& capability, const CapabilityKeys& keys, EnvId presenter, u64 now);

/// A copy with one more caveat. A range narrows to what it has in common with what was left.
/// Errors: quota (kMaxCaveats are in use), bad_argument (a caveat that is not canonical), bad_capability
/// (claims more caveats than there can be).  Cost: 1 MAC.
Result<Capability> attenuate(const Capability& capability, Caveat caveat);

/// The caveats by name, for attenuate().
constexpr Caveat only_rights(Rights rights) { return Caveat{CaveatKind::rights, rights.bits, 0}; }
constexpr Caveat only_range(u64 first, u64 count) { return Caveat{CaveatKind::range, first, count}; }
constexpr Caveat only_presenter(EnvId presenter) { return Caveat{CaveatKind::presenter, presenter.value, 0}; }
constexpr Caveat only_until(u64 tsc) { return Caveat{CaveatKind::expiry, tsc, 0}; }

}  // namespace tessera
