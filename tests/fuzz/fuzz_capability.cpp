// Any bytes as a capability. What is accepted must be what minting and attenuating would have made.
#include <cstring>

#include "secure_bindings/capability.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/capability_samples.hpp"

namespace tessera::fuzz {
namespace {

const CapabilityKeys kKeys{test::kBootKey};

/// The same root with the same caveats, made the proper way; caveats that cannot be added are left out.
Capability made_properly(const Capability& capability) {
    Capability made = capability;
    made.caveats = 0;
    if (static_cast<u64>(made.kind) >= kResourceKinds) made.kind = ResourceKind::frames;  // minting needs a key
    mint(made, kKeys);
    for (u64 i = 0; i < capability.caveats && i < kMaxCaveats; ++i) {
        const Result<Capability> narrowed = attenuate(made, capability.caveat[i]);
        if (narrowed.ok()) made = narrowed.value();
    }
    return made;
}

void check_accepted(const Capability& capability, const Effective& effective) {
    const Capability made = made_properly(capability);
    if (std::memcmp(&made, &capability, capability.size()) != 0) expect_kept("accepted ones are genuine");
    const u64 end = capability.first + capability.count;
    if (effective.count == 0 || effective.first < capability.first || effective.first >= end ||
        effective.count > end - effective.first)
        expect_kept("the range never grows");
    if (!Rights{capability.rights}.has(effective.rights)) expect_kept("the rights never grow");
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    std::vector<std::vector<u8>> all;
    test::Random random{7};
    for (u64 kind = 1; kind < kResourceKinds; ++kind) {
        Capability capability = test::sample_root(kKeys, static_cast<ResourceKind>(kind));
        for (u64 caveats = 0; caveats <= kMaxCaveats; ++caveats) {
            const u8* bytes = reinterpret_cast<const u8*>(&capability);
            all.emplace_back(bytes, bytes + sizeof capability);
            if (caveats < kMaxCaveats) capability = attenuate(capability, test::random_caveat(random)).value();
        }
    }
    return all;
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    using namespace tessera;
    Capability capability;
    std::memcpy(static_cast<void*>(&capability), data, size < sizeof capability ? size : sizeof capability);
    // Signed, the bytes reach what lies behind the tag; as they stand, they must not.
    for (const Capability& presented : {capability, fuzz::made_properly(capability)}) {
        const Result<Effective> result = authenticate(presented, fuzz::kKeys);
        if (result.ok()) fuzz::check_accepted(presented, result.value());
    }
    return 0;
}
