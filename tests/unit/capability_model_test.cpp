// Capabilities under random attack, against a model that has no bytes and no tags: a holder can come to hold
// exactly what follows from narrowing what was minted, however the bytes are bent.
#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <vector>

#include "secure_bindings/capability.hpp"
#include "tests/unit/capability_samples.hpp"

namespace tessera {
namespace {

using test::kAlice;
using test::kBob;
using test::Random;
using test::random_caveat;

const CapabilityKeys kKeys{test::kBootKey};

/// What a capability allows, as plain sets: which units, which rights, which presenters, which times.
struct Model {
    std::set<u64> units;
    std::set<u32> rights;
    std::set<u64> presenters{kAlice.value, kBob.value};
    u64 last_time = ~u64{0};

    static Model of_root(const Capability& root) {
        Model model;
        for (u64 i = 0; i < root.count; ++i) model.units.insert(root.first + i);
        for (u32 bit = 1; bit <= kAllRights.bits; bit <<= 1) {
            if (root.rights & bit) model.rights.insert(bit);
        }
        if (root.presenter) std::erase_if(model.presenters, [&](u64 env) { return env != root.presenter; });
        return model;
    }
    void narrow(const Caveat& caveat) {
        switch (caveat.kind) {
            case CaveatKind::rights:
                std::erase_if(rights, [&](u32 bit) { return (caveat.a & bit) == 0; });
                break;
            case CaveatKind::range:
                std::erase_if(units, [&](u64 unit) { return unit < caveat.a || unit >= caveat.a + caveat.b; });
                break;
            case CaveatKind::presenter:
                std::erase_if(presenters, [&](u64 env) { return env != caveat.a; });
                break;
            case CaveatKind::expiry:
                last_time = std::min(last_time, caveat.a);
                break;
        }
    }
    bool usable(EnvId by, u64 now) const { return !units.empty() && presenters.contains(by.value) && now <= last_time; }
};

/// The same question to both; the answers must be the same.
void compare(const Capability& capability, const Model& model, EnvId by, u64 now) {
    const Result<Effective> result = verify(capability, kKeys, by, now);
    REQUIRE(result.error() == (model.usable(by, now) ? Error::ok : Error::denied));
    if (!result.ok()) return;
    const Effective& effective = result.value();
    REQUIRE(effective.first == *model.units.begin());
    REQUIRE(effective.count == model.units.size());
    u32 rights = 0;
    for (u32 bit : model.rights) rights |= bit;
    REQUIRE(effective.rights == Rights{rights});
}

Capability random_root(Random& random) {
    Capability root = test::unsigned_root(static_cast<ResourceKind>(random.between(1, kResourceKinds - 1)));
    root.rights = static_cast<u32>(random.below(kAllRights.bits + 1));
    root.count = random.between(1, 64);
    root.grant = random.next();
    if (random.one_in(4)) root.presenter = static_cast<u32>((random.one_in(2) ? kAlice : kBob).value);
    mint(root, kKeys);
    return root;
}

TEST_CASE("capability model: random chains allow what the sets say, and never grow") {
    Random random{1};
    for (int round = 0; round < 4000; ++round) {
        Capability capability = random_root(random);
        Model model = Model::of_root(capability);
        for (u64 caveats = random.below(kMaxCaveats + 1);; --caveats) {
            for (EnvId by : {kAlice, kBob}) {
                for (u64 now : {u64{0}, random.below(2000), ~u64{0}}) compare(capability, model, by, now);
            }
            if (caveats == 0) break;
            const Caveat caveat = random_caveat(random);
            capability = attenuate(capability, caveat).value();
            const Model before = model;
            model.narrow(caveat);
            REQUIRE(model.units.size() <= before.units.size());
        }
    }
}

TEST_CASE("capability model: every single flipped bit is refused") {
    Random random{2};
    for (u64 caveats = 0; caveats <= kMaxCaveats; ++caveats) {
        Capability good = random_root(random);
        for (u64 i = 0; i < caveats; ++i) good = attenuate(good, random_caveat(random)).value();
        REQUIRE(verify(good, kKeys, kAlice, 0).error() != Error::bad_capability);
        for (u64 bit = 0; bit < good.size() * 8; ++bit) {
            Capability bad = good;
            reinterpret_cast<u8*>(&bad)[bit / 8] ^= static_cast<u8>(1 << bit % 8);
            REQUIRE(verify(bad, kKeys, kAlice, 0).error() == Error::bad_capability);
        }
    }
}

TEST_CASE("capability model: dropped, reordered, repeated and exchanged caveats are refused") {
    Random random{3};
    for (int round = 0; round < 500; ++round) {
        Capability good = random_root(random);
        const u64 caveats = random.between(2, kMaxCaveats);
        for (u64 i = 0; i < caveats; ++i) good = attenuate(good, random_caveat(random)).value();

        for (u64 left = 0; left < caveats; ++left) {  // truncated
            Capability bad = good;
            bad.caveats = static_cast<u8>(left);
            REQUIRE(verify(bad, kKeys, kAlice, 0).error() == Error::bad_capability);
        }
        for (u64 dropped = 0; dropped < caveats; ++dropped) {  // one taken out of the middle
            Capability bad = good;
            for (u64 i = dropped; i + 1 < caveats; ++i) bad.caveat[i] = bad.caveat[i + 1];
            --bad.caveats;
            REQUIRE(verify(bad, kKeys, kAlice, 0).error() == Error::bad_capability);
        }
        const u64 a = random.below(caveats), b = random.below(caveats);
        if (std::memcmp(&good.caveat[a], &good.caveat[b], sizeof(Caveat)) != 0) {  // reordered
            Capability bad = good;
            std::swap(bad.caveat[a], bad.caveat[b]);
            REQUIRE(verify(bad, kKeys, kAlice, 0).error() == Error::bad_capability);
        }
        if (caveats < kMaxCaveats) {  // one more, without its step of the chain
            Capability bad = good;
            bad.caveat[bad.caveats++] = good.caveat[0];
            REQUIRE(verify(bad, kKeys, kAlice, 0).error() == Error::bad_capability);
        }
    }
}

TEST_CASE("capability model: parts of two good ones do not make a third") {
    Random random{4};
    for (int round = 0; round < 500; ++round) {
        const Capability a = random_root(random), b = random_root(random);
        const Capability narrow_a = attenuate(a, random_caveat(random)).value();
        const Capability narrow_b = attenuate(b, random_caveat(random)).value();
        const auto refused = [](const Capability& c) {
            return verify(c, kKeys, kAlice, 0).error() == Error::bad_capability;
        };
        Capability bad = a;
        std::memcpy(bad.tag, b.tag, sizeof bad.tag);
        REQUIRE(refused(bad));
        bad = a;
        bad.tag[0] = b.tag[0];
        REQUIRE(refused(bad));
        bad = narrow_a;
        std::memcpy(bad.tag, a.tag, sizeof bad.tag);  // the root's tag under a caveat
        REQUIRE(refused(bad));
        bad = narrow_a;
        std::memcpy(bad.tag, narrow_b.tag, sizeof bad.tag);
        REQUIRE(refused(bad));
        bad = a;
        bad.grant = b.grant;  // replay under the unit's next grant
        REQUIRE(refused(bad));
        bad = a;
        bad.kind = static_cast<ResourceKind>(static_cast<u64>(a.kind) % (kResourceKinds - 1) + 1);
        REQUIRE(refused(bad));
    }
}

TEST_CASE("capability model: whatever is random or overwritten at random is refused") {
    Random random{5};
    for (int round = 0; round < 20000; ++round) {
        Capability capability = random_root(random);
        const Capability before = capability;
        for (u64 writes = random.between(1, 8); writes > 0; --writes) {
            reinterpret_cast<u8*>(&capability)[random.below(64)] = static_cast<u8>(random.next());
        }
        if (std::memcmp(&capability, &before, 64) == 0) continue;
        REQUIRE(verify(capability, kKeys, kAlice, 0).error() == Error::bad_capability);
    }
}

}  // namespace
}  // namespace tessera
