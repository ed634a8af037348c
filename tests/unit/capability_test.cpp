// Capabilities case by case: what is accepted, what is refused, and with which error.
#include "secure_bindings/capability.hpp"

#include <doctest/doctest.h>
#include <sodium/crypto_shorthash_siphash24.h>

#include <cstring>
#include <memory>

#include "tests/unit/capability_samples.hpp"

namespace tessera {
namespace {

using test::kAlice;
using test::kBob;
using test::sample_root;
using test::unsigned_root;

const CapabilityKeys kKeys{test::kBootKey};

Error verdict(const Capability& capability, EnvId presenter = kAlice, u64 now = 100) {
    return verify(capability, kKeys, presenter, now).error();
}

/// Attenuate, where nothing can go wrong.
Capability with(const Capability& capability, Caveat caveat) {
    const Result<Capability> narrowed = attenuate(capability, caveat);
    REQUIRE(narrowed.ok());
    return narrowed.value();
}

/// A capability that the kernel itself would never make: any bytes, but with the right tag.
Error verdict_when_signed(Capability capability) {
    mint(capability, kKeys);
    return verdict(capability);
}

TEST_CASE("capability: a root of every kind is good and allows all that it says") {
    for (u64 i = 1; i < kResourceKinds; ++i) {
        const auto kind = static_cast<ResourceKind>(i);
        const Result<Effective> result = verify(sample_root(kKeys, kind), kKeys, kAlice, 100);
        REQUIRE(result.ok());
        const Effective& effective = result.value();
        CHECK(effective.kind == kind);
        CHECK(effective.rights == kAllRights);
        CHECK(effective.first == 1000);
        CHECK(effective.count == 64);
        CHECK(effective.grant == 0x1234'5678'9abc);
        CHECK(effective.presenter == EnvId{});
        CHECK(effective.expiry == ~u64{0});
        CHECK(effective.context.value == (kind == ResourceKind::tlb_entry ? 0x0105 : 0));
        CHECK(effective.page == (kind == ResourceKind::tlb_entry ? 0x7000 : 0));
    }
}

TEST_CASE("capability: keys differ by kind and by boot, and without keys nothing is good") {
    Capability root = sample_root(kKeys, ResourceKind::frames);
    root.kind = ResourceKind::slots;
    CHECK(verdict(root) == Error::bad_capability);

    BootKey other = test::kBootKey;
    other.bytes[15] ^= 1;
    CHECK(verify(sample_root(CapabilityKeys{other}), kKeys, kAlice, 0).error() == Error::bad_capability);

    const CapabilityKeys none;
    CHECK(verify(sample_root(none), none, kAlice, 0).error() == Error::bad_capability);
    CHECK(verify(sample_root(kKeys), none, kAlice, 0).error() == Error::bad_capability);

    for (u64 a = 0; a < kResourceKinds; ++a) {
        for (u64 b = 0; b < a; ++b) {
            CHECK(std::memcmp(kKeys.of(ResourceKind(a)), kKeys.of(ResourceKind(b)), sizeof(BootKey)) != 0);
        }
    }
}

TEST_CASE("capability: what is not canonical is refused even with a right tag") {
    CHECK(verdict_when_signed(unsigned_root(ResourceKind::frames)) == Error::ok);
    const auto refused = [](auto change, ResourceKind kind = ResourceKind::frames) {
        Capability capability = unsigned_root(kind);
        change(capability);
        return verdict_when_signed(capability) == Error::bad_capability;
    };
    CHECK(refused([](Capability& c) { c.kind = ResourceKind::none; }));
    CHECK(refused([](Capability& c) { c.zero = 1; }));
    CHECK(refused([](Capability& c) { c.rights = kAllRights.bits + 1; }));
    CHECK(refused([](Capability& c) { c.rights = 0x8000'001f; }));
    CHECK(refused([](Capability& c) { c.count = 0; }));
    CHECK(refused([](Capability& c) { c.count = ~u64{0}; }));
    CHECK(refused([](Capability& c) { c.first = ~u64{0}; }));
    CHECK(refused([](Capability& c) { c.page = 1; }));
    CHECK(refused([](Capability& c) { c.context = 1; }));
    CHECK(refused([](Capability& c) { c.context = 0; }, ResourceKind::tlb_entry));
    CHECK(refused([](Capability& c) { c.page = kLargePage - 63; }, ResourceKind::tlb_entry));
    CHECK(refused([](Capability& c) { c.page = ~u64{0} - 62; }, ResourceKind::tlb_entry));
}

TEST_CASE("capability: an unknown kind is refused before it picks a key") {
    for (u64 kind = kResourceKinds; kind < 256; ++kind) {
        Capability capability = sample_root(kKeys);
        capability.kind = static_cast<ResourceKind>(kind);
        CHECK(verdict(capability) == Error::bad_capability);
    }
}

TEST_CASE("capability: caveats that are not canonical cannot be added, and are refused when presented") {
    const Caveat bad[] = {
        {CaveatKind{0}, 0, 0},
        {CaveatKind{5}, 0, 0},
        {CaveatKind{~u64{0}}, 0, 0},
        {CaveatKind::rights, u64{kAllRights.bits} + 1, 0},
        {CaveatKind::rights, u64{1} << 32, 0},
        {CaveatKind::rights, 1, 1},
        {CaveatKind::range, 1000, 0},
        {CaveatKind::range, ~u64{0}, 1},
        {CaveatKind::range, 1, ~u64{0}},
        {CaveatKind::presenter, 0, 0},
        {CaveatKind::presenter, u64{1} << 32, 0},
        {CaveatKind::presenter, 1, 1},
        {CaveatKind::expiry, 1, 1},
    };
    for (const Caveat& caveat : bad) {
        const Capability root = sample_root(kKeys);
        CHECK_FALSE(canonical(caveat));
        CHECK(attenuate(root, caveat).error() == Error::bad_argument);

        // What a holder gets who computes the tag without asking attenuate(): right, but of no use.
        Capability forced = root;
        forced.caveat[forced.caveats++] = caveat;
        crypto_shorthash_siphashx24(reinterpret_cast<u8*>(forced.tag), reinterpret_cast<const u8*>(&caveat),
                                    sizeof caveat, reinterpret_cast<const u8*>(root.tag));
        CHECK(verdict(forced) == Error::bad_capability);
    }
}

TEST_CASE("capability: each caveat narrows what it is about and nothing else") {
    const Capability root = sample_root(kKeys, ResourceKind::tlb_entry);

    const Effective rights = verify(with(root, only_rights(Right::read)), kKeys, kAlice, 0).value();
    CHECK(rights.rights == Rights{Right::read});
    CHECK(rights.first == 1000);
    CHECK(rights.count == 64);

    const Effective range = verify(with(root, only_range(1010, 5)), kKeys, kAlice, 0).value();
    CHECK(range.first == 1010);
    CHECK(range.count == 5);
    CHECK(range.page == 0x7000 + 10);  // the page moves with its frame
    CHECK(range.rights == kAllRights);

    const Effective both = verify(with(root, only_range(900, 101)), kKeys, kAlice, 0).value();
    CHECK(both.first == 1000);
    CHECK(both.count == 1);
    CHECK(both.page == 0x7000);

    const Capability for_alice = with(root, only_presenter(kAlice));
    CHECK(verdict(for_alice, kAlice) == Error::ok);
    CHECK(verdict(for_alice, kBob) == Error::denied);

    const Capability until_100 = with(root, only_until(100));
    CHECK(verdict(until_100, kAlice, 100) == Error::ok);
    CHECK(verdict(until_100, kAlice, 101) == Error::denied);
}

TEST_CASE("capability: caveats that leave nothing, or nobody, deny") {
    const Capability root = sample_root(kKeys);
    CHECK(verdict(with(root, only_range(1064, 1))) == Error::denied);
    CHECK(verdict(with(root, only_range(0, 1000))) == Error::denied);
    CHECK(verdict(with(with(root, only_range(1000, 8)), only_range(1008, 8))) == Error::denied);
    CHECK(verdict(with(with(root, only_presenter(kAlice)), only_presenter(kBob)), kAlice) == Error::denied);
    CHECK(verdict(with(with(root, only_presenter(kAlice)), only_presenter(kBob)), kBob) == Error::denied);
    CHECK(verdict(with(with(root, only_presenter(kAlice)), only_presenter(kAlice)), kAlice) == Error::ok);
}

TEST_CASE("capability: the root's own presenter counts") {
    Capability root = unsigned_root(ResourceKind::environment);
    root.presenter = static_cast<u32>(kBob.value);
    mint(root, kKeys);
    CHECK(verdict(root, kBob) == Error::ok);
    CHECK(verdict(root, kAlice) == Error::denied);
    CHECK(verdict(root, EnvId{}) == Error::denied);
    CHECK(verdict(with(root, only_presenter(kAlice)), kAlice) == Error::denied);
}

TEST_CASE("capability: forgery is reported before anything that the caveats say") {
    Capability capability = with(with(sample_root(kKeys), only_presenter(kBob)), only_until(1));
    CHECK(verdict(capability, kAlice, 100) == Error::denied);
    capability.tag[1] ^= 1;
    CHECK(verdict(capability, kAlice, 100) == Error::bad_capability);
}

TEST_CASE("capability: four caveats fit, a fifth does not") {
    Capability capability = sample_root(kKeys);
    for (u64 i = 0; i < kMaxCaveats; ++i) {
        CHECK(capability.size() == 64 + 24 * i);
        capability = with(capability, only_until(1000 - i));
    }
    CHECK(verdict(capability) == Error::ok);
    CHECK(attenuate(capability, only_until(1)).error() == Error::quota);
    capability.caveats = kMaxCaveats + 1;
    CHECK(attenuate(capability, only_until(1)).error() == Error::bad_capability);
    CHECK(verdict(capability) == Error::bad_capability);
    capability.caveats = 255;
    CHECK(verdict(capability) == Error::bad_capability);
}

TEST_CASE("capability: caveat slots that are not in use are not read") {
    // A heap block of exactly size() bytes: AddressSanitizer stops a read behind it.
    Capability capability = sample_root(kKeys);
    for (u64 caveats = 0; caveats <= kMaxCaveats; ++caveats) {
        const auto bytes = std::make_unique<u64[]>(capability.size() / sizeof(u64));
        std::memcpy(bytes.get(), &capability, capability.size());
        CHECK(verdict(*reinterpret_cast<const Capability*>(bytes.get())) == Error::ok);
        if (caveats < kMaxCaveats) {
            const auto narrowed = attenuate(*reinterpret_cast<const Capability*>(bytes.get()), only_until(1000));
            REQUIRE(narrowed.ok());
            capability = narrowed.value();
        }
    }
}

TEST_CASE("capability: minting ignores an old tag, and adding a caveat leaves the original alone") {
    const Capability root = sample_root(kKeys);
    Capability again = root;
    mint(again, kKeys);
    CHECK(std::memcmp(&again, &root, sizeof root) == 0);
    const Capability narrowed = with(root, only_rights(Right::read));
    CHECK(std::memcmp(&again, &root, sizeof root) == 0);
    CHECK(std::memcmp(narrowed.tag, root.tag, sizeof root.tag) != 0);
    CHECK(verdict(root) == Error::ok);
}

}  // namespace
}  // namespace tessera
