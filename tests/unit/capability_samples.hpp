// Capabilities to try things on.
#pragma once

#include "secure_bindings/capability.hpp"
#include "tests/unit/random.hpp"

namespace tessera::test {

inline constexpr BootKey kBootKey{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
inline constexpr EnvId kAlice = EnvId::make(3, 7);
inline constexpr EnvId kBob = EnvId::make(4, 9);

/// A root of `kind`, complete but for the tag.
inline Capability unsigned_root(ResourceKind kind) {
    Capability root;
    root.kind = kind;
    root.rights = kAllRights.bits;
    root.first = 1000;
    root.count = 64;
    root.grant = 0x1234'5678'9abc;
    if (kind == ResourceKind::tlb_entry) {
        root.context = 0x0105;
        root.page = 0x7000;
    }
    return root;
}

inline Capability sample_root(const CapabilityKeys& keys, ResourceKind kind = ResourceKind::frames) {
    Capability root = unsigned_root(kind);
    mint(root, keys);
    return root;
}

/// A caveat of any kind, canonical, that leaves something of the samples more often than not.
inline Caveat random_caveat(Random& random) {
    switch (random.below(4)) {
        case 0:
            return only_rights(Rights{static_cast<u32>(random.below(kAllRights.bits + 1))});
        case 1:
            return only_range(random.between(990, 1040), random.between(1, 60));
        case 2:
            return only_presenter(random.one_in(4) ? kBob : kAlice);
        default:
            return only_until(random.below(2000));
    }
}

}  // namespace tessera::test
