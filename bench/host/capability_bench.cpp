// What a capability costs natively: minting, narrowing, verifying with 0 to 4 caveats; and what its MAC would
// cost with the other keyed hashes of the same library over the same bytes.
#include <benchmark/benchmark.h>
#include <sodium.h>

#include "secure_bindings/capability.hpp"

namespace tessera {
namespace {

constexpr u64 kPackedRoot = 5 * sizeof(u64);  // the longest message that a root's tag covers (capability.cpp)

const CapabilityKeys kKeys{BootKey{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}};
constexpr EnvId kPresenter = EnvId::make(1, 1);

Capability sample(u64 caveats) {
    Capability capability;
    capability.kind = ResourceKind::frames;
    capability.rights = kAllRights.bits;
    capability.first = 4096;
    capability.count = 1024;
    capability.grant = 77;
    mint(capability, kKeys);
    const Caveat narrowing[kMaxCaveats] = {only_rights(Right::read), only_range(4100, 4), only_presenter(kPresenter),
                                           only_until(1000)};
    for (u64 i = 0; i < caveats; ++i) capability = attenuate(capability, narrowing[i]).value();
    return capability;
}

void verify_caveats(benchmark::State& state) {
    Capability capability = sample(static_cast<u64>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(capability);
        auto result = verify(capability, kKeys, kPresenter, 500);
        benchmark::DoNotOptimize(result);
        if (!result.ok()) state.SkipWithError("refused");
    }
}
BENCHMARK(verify_caveats)->DenseRange(0, kMaxCaveats);

void verify_forged(benchmark::State& state) {
    Capability capability = sample(0);
    capability.tag[0] ^= 1;
    for (auto _ : state) {
        benchmark::DoNotOptimize(capability);
        auto result = verify(capability, kKeys, kPresenter, 500);
        benchmark::DoNotOptimize(result);
        if (result.ok()) state.SkipWithError("accepted");
    }
}
BENCHMARK(verify_forged);

void mint_root(benchmark::State& state) {
    Capability capability = sample(0);
    for (auto _ : state) {
        mint(capability, kKeys);
        benchmark::DoNotOptimize(capability);
    }
}
BENCHMARK(mint_root);

void attenuate_once(benchmark::State& state) {
    Capability capability = sample(0);
    for (auto _ : state) {
        benchmark::DoNotOptimize(capability);
        auto narrowed = attenuate(capability, only_range(4100, 4));
        benchmark::DoNotOptimize(narrowed);
    }
}
BENCHMARK(attenuate_once);

/// A keyed hash of what a root's tag covers, with a tag of 16 bytes where the function has that choice.
template <class Mac>
void mac_of_root(benchmark::State& state, Mac mac) {
    const Capability capability = sample(0);
    u8 key[32] = {1}, tag[32];
    for (auto _ : state) {
        benchmark::DoNotOptimize(key);
        mac(tag, reinterpret_cast<const u8*>(&capability), key);
        benchmark::DoNotOptimize(tag);
    }
}
BENCHMARK_CAPTURE(mac_of_root, siphash_2_4_128, [](u8* tag, const u8* bytes, const u8* key) {
    crypto_shorthash_siphashx24(tag, bytes, kPackedRoot, key);
});
BENCHMARK_CAPTURE(mac_of_root, hmac_sha_512_256, [](u8* tag, const u8* bytes, const u8* key) {
    crypto_auth_hmacsha512256(tag, bytes, kPackedRoot, key);
});
BENCHMARK_CAPTURE(mac_of_root, blake2b_128, [](u8* tag, const u8* bytes, const u8* key) {
    crypto_generichash_blake2b(tag, 16, bytes, kPackedRoot, key, 32);
});

}  // namespace
}  // namespace tessera

int main(int count, char** words) {
    if (sodium_init() < 0) return 1;  // picks the fastest BLAKE2b that the CPU can run
    benchmark::Initialize(&count, words);
    if (benchmark::ReportUnrecognizedArguments(count, words)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
