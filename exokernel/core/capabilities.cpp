#include "exokernel/core/capabilities.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/presented.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

CapabilityKeys keys;
Capability narrowed[kMaxCpus];  // what caveats left of the last capability that had any

inline void copy_root(CapabilityCache::Entry& to, const volatile u64* from) {
#pragma GCC unroll 8
    for (u64 i = 0; i < kCapabilityRootSize / 8; ++i) to.words[i] = from[i];
}

inline bool same_root(const CapabilityCache::Entry& known, const volatile u64* words) {
#pragma GCC unroll 8
    for (u64 i = 0; i < kCapabilityRootSize / 8; ++i)
        if (known.words[i] != words[i]) return false;
    return true;
}

/// Read into memory of our own, piece by piece, and verified.
[[gnu::noinline, gnu::cold]] Result<Presented> check_slowly(Environment& env, VirtAddr address) {
    Capability copy;
    TRY(copy_in(*env.context, copy, address, kCapabilityRootSize));
    if (copy.caveats > kMaxCaveats) return Error::bad_capability;
    if (copy.caveats != 0)
        TRY(copy_in(*env.context, copy.caveat, address + kCapabilityRootSize, copy.caveats * sizeof(Caveat)));
    const Effective left = TRY(verify(copy, keys, env.id, read_tsc()));
    Capability& result = narrowed[Cpu::here().index];
    result = copy;
    result.rights = left.rights.bits;
    result.first = left.first;
    result.count = left.count;
    result.presenter = static_cast<u32>(left.presenter.value);
    result.page = left.page;
    return &result;
}

/// A root that was not found where find_presented looks: 1 MAC, and it is remembered.
inline Result<Presented> check_root(Environment& env, VirtAddr address, const u8* bytes) {
    const volatile u64* words = reinterpret_cast<const volatile u64*>(bytes);
    CapabilityCache::Entry& entry = env.cache().entry_for(words[kTagWord]);
    if (same_root(entry, words)) return reinterpret_cast<Presented>(entry.words);  // it lay in a guaranteed or large page
    // From here on the libOS's bytes do not count, only those in the entry; that is good for nothing until they are
    // verified, and nobody else looks at it meanwhile: an environment runs on one CPU at a time.
    copy_root(entry, words);
    // Safety: without caveats, a capability is its first 64 bytes and nothing else of it is read.
    const Capability& root = *reinterpret_cast<const Capability*>(entry.words);
    const bool chained = root.caveats != 0;
    const bool genuine = !chained && genuine_root(root, keys);
    const bool ours = root.presenter == 0 || EnvId{root.presenter} == env.id;
    if (genuine && ours) [[likely]] return reinterpret_cast<Presented>(entry.words);
    env.cache().forget(static_cast<u64>(&entry - env.cache().entries));
    if (chained) return check_slowly(env, address);
    return genuine ? Error::denied : Error::bad_capability;
}

}  // namespace

void set_boot_key(const BootKey& key) { keys = CapabilityKeys(key); }
const CapabilityKeys& capability_keys() { return keys; }

Result<Presented> check_unknown(Environment& env, VirtAddr address) {
    const u64 inside = address.value & (kPageSize - 1);
    const u8* bytes = inside % 8 == 0 && inside <= kPageSize - kCapabilityRootSize ? reach(*env.context, address, false) : nullptr;
    return bytes != nullptr ? check_root(env, address, bytes) : check_slowly(env, address);
}

Result<Presented> check_genuine(Environment& env, VirtAddr address) {
    if (const Presented known = find_presented(env, address)) return known;
    return check_unknown(env, address);
}

Result<Context*> check_named_context(Environment& env, VirtAddr address) {
    const Presented shown = TRY(check_capability(env, address, ResourceKind::context, Right::use));
    Context* context = shown->first < kMaxContexts ? context_at(shown->first) : nullptr;
    if (context == nullptr || context->grant != shown->grant) return Error::stale_capability;
    return context;
}

Capability mint_capability(ResourceKind kind, Rights rights, u64 first, u64 count, u64 grant) {
    Capability capability;
    capability.kind = kind;
    capability.rights = rights.bits;
    capability.first = first;
    capability.count = count;
    capability.grant = grant;
    mint(capability, keys);
    return capability;
}

}  // namespace tessera::kernel
