// Places for frames of others: they are free again when nothing stands on what was adopted there, run or single frame.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "libos/vmm/monitor/frame_supply.hpp"
#include "tests/unit/libos_kernel.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace {

Capability frames_at(u64 first, u64 count) {
    Capability capability;
    capability.kind = ResourceKind::frames;
    capability.first = first;
    capability.count = count;
    return capability;
}

}  // namespace

TEST_CASE("vmm supply: many more runs are adopted than there are places, one after the other") {
    const auto supply = std::make_unique<FrameSupply>();
    std::vector<SuppliedFrame> held;
    for (u64 i = 0; i < FrameSupply::kRuns; ++i) {
        const auto frame = supply->adopt(frames_at(100 * i, 10));
        REQUIRE(frame.ok());
        REQUIRE(supply->is_adopted(frame.value().run));
        REQUIRE_FALSE(FrameSupply::is_loan(frame.value().run));
        held.push_back(frame.value());
    }
    CHECK(supply->adopt(frames_at(7, 2)).error() == Error::exhausted);
    Random random(1);
    for (u64 i = 0; i < 5 * FrameSupply::kRuns; ++i) {
        SuppliedFrame& any = held[random.below(held.size())];
        supply->disown(any);
        CHECK_FALSE(supply->is_adopted(any.run));
        const auto next = supply->adopt(frames_at(1'000'000 + i, 3));
        REQUIRE(next.ok());
        any = next.value();
        REQUIRE(supply->capability(any.run).first == 1'000'000 + i);
    }
    CHECK(supply->taken() == 0);
}

TEST_CASE("vmm supply: single frames have places of their own, as many as were opened") {
    HostKernel kernel;
    const auto supply = std::make_unique<FrameSupply>();
    constexpr u64 kLoans = 3000;
    std::vector<Capability> places(kLoans);
    REQUIRE(supply->open_loans(places).ok());
    std::map<u64, u64> held;  // by run: the frame
    Random random(2);
    bool full = false;
    for (u64 i = 0; i < 20000; ++i) {
        if (random.below(5) < 3) {
            const u64 number = random.below(1 << 20);
            const auto frame = supply->adopt(frames_at(number, 1));
            REQUIRE(frame.ok() == (held.size() < kLoans));
            full = full || !frame.ok();
            if (!frame.ok()) continue;
            REQUIRE(FrameSupply::is_loan(frame.value().run));
            REQUIRE(supply->is_adopted(frame.value().run));
            REQUIRE(held.emplace(frame.value().run, number).second);
        } else if (!held.empty()) {
            const auto any = std::next(held.begin(), static_cast<long>(random.below(std::min<u64>(held.size(), 50))));
            REQUIRE(supply->capability(any->first).first == any->second);
            supply->disown({FrameNumber{any->second}, any->first});
            held.erase(any);
        }
    }
    CHECK(full);
    // Giving back what is not ours changes nothing; a run still goes where runs go, and our own frames are told apart from both.
    supply->give({FrameNumber{held.begin()->second}, held.begin()->first});
    CHECK(supply->capability(held.begin()->first).first == held.begin()->second);
    CHECK(supply->adopt(frames_at(5, 2)).ok());
    const auto own = supply->take();
    REQUIRE(own.ok());
    CHECK_FALSE(supply->is_adopted(own.value().run));
    CHECK(supply->taken() == FrameSupply::kBatch);
    supply->give(own.value());
    CHECK(supply->taken() == FrameSupply::kBatch - 1);
    CHECK(supply->trim() == FrameSupply::kBatch - 1);
    CHECK(supply->close_loans().ok());
}
