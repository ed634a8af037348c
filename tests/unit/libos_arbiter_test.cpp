// The arbiter's policy: against the published formula in floating point, and against what it promises.
#include <doctest/doctest.h>

#include <vector>

#include "libos/arbiter/policy.hpp"
#include "libos/arbiter/sampling.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::libos;
using tessera::test::Random;

namespace {

/// rho as it is published: S / (P * (f + k * (1 - f))), k = 1 / (1 - tax).
double published_rho(const Claim& claim, double tax) {
    const double pages = static_cast<double>(claim.frames), used = static_cast<double>(std::min(claim.used, claim.frames)) / pages;
    return static_cast<double>(claim.shares) / (pages * (used + (1 - used) / (1 - tax)));
}

Claim some_claim(Random& random) {
    const u64 frames = random.between(1, 100'000);
    return {random.between(1, 10'000), frames, random.below(frames + 1), 0};
}

u64 sum(const std::vector<u64>& values) {
    u64 total = 0;
    for (u64 value : values) total += value;
    return total;
}

}  // namespace

TEST_CASE("libos: who yields before whom is the published order of rho") {
    Random random(1);
    u64 decided = 0;
    for (u64 i = 0; i < 100'000; ++i) {
        const Claim a = some_claim(random), b = some_claim(random);
        const u64 tax = random.below(kWhole);
        const double rho_a = published_rho(a, static_cast<double>(tax) / kWhole), rho_b = published_rho(b, static_cast<double>(tax) / kWhole);
        if (std::abs(rho_a - rho_b) < 1e-9 * (rho_a + rho_b)) continue;
        CHECK(yields_before(a, b, tax) == (rho_a < rho_b));
        ++decided;
    }
    CHECK(decided > 99'000);
}

TEST_CASE("libos: without a tax use does not count; with a full tax nothing else does") {
    const Claim idle{100, 500, 0, 0}, busy{100, 501, 501, 0};
    CHECK(yields_before(busy, idle, 0));
    CHECK(yields_before(idle, busy, kDefaultTax));
    CHECK(yields_before(idle, busy, kWhole));
    CHECK(charge(busy, kWhole) == 0);
    const Claim without_shares{0, 1, 1, 0};
    CHECK(yields_before(without_shares, busy, 0));
}

TEST_CASE("libos: victims give what is needed, nobody below its floor, and level out") {
    Random random(2);
    for (u64 round = 0; round < 300; ++round) {
        std::vector<Claim> claims(random.between(1, 8));
        u64 to_have = 0;
        for (Claim& claim : claims) {
            claim = some_claim(random);
            claim.frames = random.below(2000);
            claim.used = random.below(2500);
            claim.floor = random.below(500);
            to_have += claim.frames > claim.floor ? claim.frames - claim.floor : 0;
        }
        const std::vector<Claim> before = claims;
        const u64 need = random.below(8000), grain = random.between(1, 64), tax = random.below(kWhole + 1);
        std::vector<u64> take(claims.size());
        CHECK(choose_victims(claims, tax, need, grain, take) == std::min(need, to_have));
        CHECK(sum(take) == std::min(need, to_have));
        for (u64 i = 0; i < claims.size(); ++i) {
            CHECK(claims[i].frames + take[i] == before[i].frames);
            if (take[i] != 0) CHECK(claims[i].frames >= claims[i].floor);
        }
        // Whoever gave had, before its last grain, no more right to it than anybody who could still give.
        for (u64 i = 0; i < claims.size(); ++i) {
            if (take[i] == 0) continue;
            Claim earlier = claims[i];
            earlier.frames += std::min(grain, take[i]);
            for (const Claim& other : claims)
                if (other.frames > other.floor) CHECK_FALSE(yields_before(other, earlier, tax));
        }
    }
}

TEST_CASE("libos: two of equal shares, one idle: halves without a tax, one to four with the default") {
    const auto settle = [](u64 tax) {
        std::vector<Claim> claims{{100, 1000, 0, 0}, {100, 1000, 1000, 0}};
        std::vector<u64> take(2);
        // The busy one takes what is free, the arbiter makes that much free again.
        for (u64 turn = 0; turn < 1000; ++turn) {
            claims[1].frames += 10;
            claims[1].used = claims[1].frames;
            choose_victims(claims, tax, 10, 1, take);
        }
        return claims[0].frames;
    };
    CHECK(settle(0) == doctest::Approx(1000).epsilon(0.01));
    CHECK(settle(kDefaultTax) == doctest::Approx(2000 / 5).epsilon(0.02));
}

TEST_CASE("libos: an estimate of activity rises at once and falls slowly") {
    ActivityEstimate estimate;
    CHECK(estimate.value() == kWhole);
    estimate.end_period(0, 64);
    CHECK(estimate.value() == 0);
    estimate.look(64, 64);
    CHECK(estimate.value() >= kWhole / 2);
    for (u64 i = 0; i < 3; ++i) estimate.end_period(64, 64);
    CHECK(estimate.value() >= kWhole * 7 / 8);
    const u64 full = estimate.value();
    estimate.end_period(0, 64);
    estimate.look(0, 64);
    CHECK(estimate.value() >= full / 4);
    u64 last = estimate.value();
    for (u64 i = 0; i < 200; ++i) {
        estimate.end_period(0, 64);
        CHECK(estimate.value() <= last);
        last = estimate.value();
    }
    CHECK(last == 0);
    for (u64 i = 0; i < 200; ++i) estimate.end_period(64, 64);
    CHECK(estimate.value() == kWhole);
    estimate.end_period(0, 0);
    CHECK(estimate.value() <= kWhole);
}

TEST_CASE("libos: an estimate stays between the least and the most that was seen") {
    Random random(3);
    ActivityEstimate estimate;
    u64 least = 64, most = 0;
    for (u64 i = 0; i < 1000; ++i) {
        const u64 touched = random.between(10, 50);
        least = std::min(least, touched);
        most = std::max(most, touched);
        estimate.end_period(touched, 64);
        CHECK(estimate.value() >= least * kWhole / 64);
        CHECK(estimate.value() <= most * kWhole / 64);
    }
}

TEST_CASE("libos: reclaim states go down at 4, 2 and 1 percent, and up at those of the state above") {
    constexpr u64 kUsable = 10'000;
    using enum ReclaimState;
    CHECK(next_state(high, 600, kUsable) == high);
    CHECK(next_state(high, 400, kUsable) == high);
    CHECK(next_state(high, 399, kUsable) == soft);
    CHECK(next_state(high, 199, kUsable) == hard);
    CHECK(next_state(high, 0, kUsable) == low);
    CHECK(next_state(soft, 599, kUsable) == soft);
    CHECK(next_state(soft, 600, kUsable) == high);
    CHECK(next_state(low, 199, kUsable) == low);
    CHECK(next_state(low, 200, kUsable) == hard);
    CHECK(next_state(low, 600, kUsable) == high);
    CHECK(frames_short(high, 0, kUsable) == 0);
    CHECK(frames_short(soft, 350, kUsable) == 250);
    CHECK(frames_short(soft, 700, kUsable) == 0);
    for (u64 state = 0; state < kReclaimStates; ++state)
        for (u64 free = 0; free <= 1000; ++free) {
            const ReclaimState next = next_state(ReclaimState{state}, free, kUsable);
            CHECK(next_state(next, free, kUsable) == next);
        }
}

TEST_CASE("libos: every frame of a stream is as likely as any other to be sampled") {
    constexpr u64 kFrames = 1000, kRounds = 2000;
    std::vector<u64> chosen(kFrames);
    RandomNumbers random(7);
    for (u64 round = 0; round < kRounds; ++round) {
        SampledFrames sample;
        for (u64 frame = 0; frame < kFrames; ++frame) sample.offer(FrameNumber{frame}, random);
        REQUIRE(sample.count() == SampledFrames::kSize);
        for (u64 i = 0; i < sample.count(); ++i) ++chosen[sample[i].value];
    }
    // Binomial with p = 64 / 1000: mean 128, deviation 11. Six of those would be a sign of bias.
    for (u64 count : chosen) CHECK(std::abs(static_cast<double>(count) - 128.0) < 6 * 11);
    SampledFrames few;
    for (u64 frame = 0; frame < 5; ++frame) few.offer(FrameNumber{frame}, random);
    CHECK(few.count() == 5);
    few.touch(1);
    few.touch(1);
    few.touch(4);
    CHECK(few.touched() == 2);
}

TEST_CASE("libos: slots are dealt in proportion, at every moment") {
    Random random(4);
    for (u64 round = 0; round < 200; ++round) {
        std::vector<u64> shares(random.between(1, 8));
        for (u64& share : shares) share = random.below(50);
        std::vector<u64> order(random.between(1, 200));
        const bool dealt = deal_slots(shares, order);
        CHECK(dealt == (sum(shares) != 0));
        if (!dealt) continue;
        std::vector<u64> had(shares.size());
        for (u64 client : order) {
            REQUIRE(client < shares.size());
            ++had[client];
            for (u64 a = 0; a < shares.size(); ++a)
                for (u64 b = 0; b < shares.size(); ++b) CHECK(had[a] * shares[b] <= (had[b] + 1) * shares[a]);
        }
        for (u64 i = 0; i < shares.size(); ++i)
            if (shares[i] == 0) CHECK(had[i] == 0);
    }
    std::vector<u64> order(4);
    CHECK(deal_slots(std::vector<u64>{3, 1}, order));
    CHECK(order == std::vector<u64>{0, 0, 0, 1});
}
