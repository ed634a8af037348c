#include "exokernel/core/capabilities.hpp"

#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

CapabilityKeys keys;

/// What a root without caveats allows is what it says.
Effective effective_of(const Capability& root) {
    Effective effective;
    effective.kind = root.kind;
    effective.rights = Rights{root.rights};
    effective.first = root.first;
    effective.count = root.count;
    effective.grant = root.grant;
    effective.presenter = EnvId{root.presenter};
    effective.context = ContextId{root.context};
    effective.page = root.page;
    return effective;
}

bool same_words(const u64* a, const u64* b) {
    u64 difference = 0;
    for (u64 i = 0; i < kCapabilityRootSize / 8; ++i) difference |= a[i] ^ b[i];
    return difference == 0;
}

}  // namespace

void set_boot_key(const BootKey& key) { keys = CapabilityKeys(key); }
const CapabilityKeys& capability_keys() { return keys; }

Result<Effective> check_genuine(Environment& env, VirtAddr address) {
    // Read once into memory of our own: what is checked is what is used.
    Capability copy;
    TRY(copy_in(*env.context, copy, address, kCapabilityRootSize));
    if (copy.caveats == 0) {
        u64* words = reinterpret_cast<u64*>(&copy);
        CapabilityCache::Entry& known = env.cache().entries[copy.tag[0] % CapabilityCache::kEntries];
        if (!same_words(known.words, words)) {
            TRY(authenticate(copy, keys));
            copy_words(known.words, words, kCapabilityRootSize);
        }
        if (copy.presenter != 0 && EnvId{copy.presenter} != env.id) return Error::denied;
        return effective_of(copy);
    }
    if (copy.caveats > kMaxCaveats) return Error::bad_capability;
    TRY(copy_in(*env.context, copy.caveat, address + kCapabilityRootSize, copy.caveats * sizeof(Caveat)));
    return verify(copy, keys, env.id, read_tsc());
}

Result<Effective> check_capability(Environment& env, VirtAddr address, ResourceKind kind, Rights rights) {
    Effective effective = TRY(check_genuine(env, address));
    if (effective.kind != kind || !effective.rights.has(rights)) return Error::denied;
    return effective;
}

Result<Context*> check_context(Environment& env, VirtAddr address) {
    if (address.value == 0) return env.context;
    const Effective effective = TRY(check_capability(env, address, ResourceKind::context, Right::use));
    Context* context = effective.first < kMaxContexts ? context_at(effective.first) : nullptr;
    if (context == nullptr || context->grant != effective.grant) return Error::stale_capability;
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
