// Presenting a capability to the kernel: copied in once, verified (or found in the presenter's cache of capabilities
// verified before, byte for byte), and compared with the grant number in its unit's table.
//
// The cache is the environment's own memory, so that nobody can empty another's. A hit saves the MAC, nothing
// else: the grant number is compared every time, so a dead capability is dead at once.
#pragma once

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/result.hpp"
#include "secure_bindings/capability.hpp"

namespace tessera::kernel {

struct Environment;
struct Context;

inline constexpr u64 kTagWord = offsetof(Capability, tag) / 8;

/// Capabilities without caveats that this environment presented and that were verified. Direct-mapped by tag.
struct CapabilityCache {
    static constexpr u64 kEntries = 64;
    struct Entry {
        u64 words[kCapabilityRootSize / 8];
    } entries[kEntries];

    Entry& entry_for(u64 tag_word) { return entries[tag_word % kEntries]; }
    /// Hold nothing that could be found here: whatever a libOS presents, with this tag it is looked for elsewhere.
    void forget(u64 index) {
        entries[index] = {};
        entries[index].words[kTagWord] = index ^ 1;
    }
};

void set_boot_key(const BootKey& key);
const CapabilityKeys& capability_keys();

/// What a presented capability is worth: the root's fields as its caveats left them. It lies in kernel memory that
/// nobody else can write, and is good until the next capability is presented on this CPU.
using Presented = const Capability*;

/// Genuine, for this presenter, now. The grant is not compared yet.
/// Cost: 1 MAC and one more for each caveat, unless it was presented before.
/// Errors: bad_address, not_mapped, bad_capability, denied.
Result<Presented> check_genuine(Environment& env, VirtAddr capability);
/// The same when find_presented (presented.hpp) did not know it.
Result<Presented> check_unknown(Environment& env, VirtAddr capability);

/// A capability of `kind` with `rights`. Errors: as check_genuine, and denied for another kind or fewer rights.
inline Result<Presented> check_capability(Environment& env, VirtAddr capability, ResourceKind kind, Rights rights) {
    const Presented presented = TRY(check_genuine(env, capability));
    if (presented->kind != kind || !Rights{presented->rights}.has(rights)) [[unlikely]] return Error::denied;
    return presented;
}

/// The context that a capability names, to bind into or to run in.  Errors: check_capability's, stale_capability.
Result<Context*> check_named_context(Environment& env, VirtAddr capability);

/// A new root capability, tag and all. Cost: one MAC.
Capability mint_capability(ResourceKind kind, Rights rights, u64 first, u64 count, u64 grant);

}  // namespace tessera::kernel
