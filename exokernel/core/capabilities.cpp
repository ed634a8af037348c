#include "exokernel/core/capabilities.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

constexpr u64 kTagWord = offsetof(Capability, tag) / 8;

CapabilityKeys keys;
Capability narrowed[kMaxCpus];  // what caveats left of the last capability that had any

/// Read into memory of our own, verified, and remembered if it can be found again as it is.
[[gnu::noinline, gnu::cold]] Result<Presented> check_slowly(Environment& env, VirtAddr address) {
    Capability copy;
    TRY(copy_in(*env.context, copy, address, kCapabilityRootSize));
    if (copy.caveats > kMaxCaveats) return Error::bad_capability;
    if (copy.caveats != 0)
        TRY(copy_in(*env.context, copy.caveat, address + kCapabilityRootSize, copy.caveats * sizeof(Caveat)));
    const Effective left = TRY(verify(copy, keys, env.id, read_tsc()));
    if (copy.caveats == 0) {
        CapabilityCache::Entry& entry = env.cache().entries[copy.tag[0] % CapabilityCache::kEntries];
        copy_words(entry.words, &copy, kCapabilityRootSize);
        return reinterpret_cast<Presented>(entry.words);
    }
    Capability& result = narrowed[Cpu::here().index];
    result = copy;
    result.rights = left.rights.bits;
    result.first = left.first;
    result.count = left.count;
    result.presenter = static_cast<u32>(left.presenter.value);
    result.page = left.page;
    return &result;
}

}  // namespace

void set_boot_key(const BootKey& key) { keys = CapabilityKeys(key); }
const CapabilityKeys& capability_keys() { return keys; }

// Hot. The libOS's bytes are compared where they lie, each read once; what is used afterwards is the kernel's copy,
// which was verified for this very presenter.
Result<Presented> check_genuine(Environment& env, VirtAddr address) {
    const u64 inside = address.value & (kPageSize - 1);
    if (address.value % 8 != 0 || inside > kPageSize - kCapabilityRootSize || address.value >= kUserPages << kPageShift)
        [[unlikely]] return check_slowly(env, address);
    const u8* bytes = reach(*env.context, address, false);
    if (bytes == nullptr) [[unlikely]] return Failure{Error::not_mapped, address.value};
    const volatile u64* words = reinterpret_cast<const volatile u64*>(bytes);
    const CapabilityCache::Entry& known = env.cache().entries[words[kTagWord] % CapabilityCache::kEntries];
    u64 difference = 0;
#pragma GCC unroll 8
    for (u64 i = 0; i < kCapabilityRootSize / 8; ++i) difference |= words[i] ^ known.words[i];
    if (difference != 0) [[unlikely]] return check_slowly(env, address);
    return reinterpret_cast<Presented>(known.words);
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
