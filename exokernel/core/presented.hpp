// The hot half of presenting a capability: it was presented and verified before.
#pragma once

#include "exokernel/core/environment.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {

// The libOS's bytes are compared where they lie, each read once; what is used afterwards is the kernel's copy, which
// was verified for this very presenter.
[[gnu::always_inline]] inline Presented find_presented(Environment& env, VirtAddr address) {
    const u64 inside = address.value & (kPageSize - 1);
    if (inside % 8 != 0 || inside > kPageSize - kCapabilityRootSize) [[unlikely]] return nullptr;
    const StlbEntry& entry = env.context->hot.home(page_of(address).value);
    if (entry.tag != page_of(address).value) [[unlikely]] return nullptr;
    const volatile u64* words = at<u64>(PhysAddr{(entry.pte & pte::kFrameMask) + inside});
    const CapabilityCache::Entry& known = env.cache().entry_for(words[kTagWord]);
#pragma GCC unroll 8
    for (u64 i = 0; i < kCapabilityRootSize / 8; ++i)
        if (words[i] != known.words[i]) [[unlikely]] return nullptr;
    // Keeping the words just compared in registers would cost more saving than it saves loading.
    asm volatile("" ::: "memory");
    return reinterpret_cast<Presented>(known.words);
}

}  // namespace tessera::kernel
