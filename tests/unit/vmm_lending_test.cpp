// The lender's rules against a model: who stands on which frame, that nobody is lent what it has not shown, that frames never change
// while they are lent and go with their last user; and against monitors that write what they like into their rings.
#include <doctest/doctest.h>

#include <bit>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "libos/vmm/lending/lending_desk.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace {

constexpr u64 kLoans = 64;
using Page = std::array<std::byte, kPageSize>;

/// Frames as pages of the host's; a capability names the place, and whom it is for.
class Host final : public LendingHost {
  public:
    std::map<u64, Page> frames;
    u64 most = kLoans;

    bool fill(u64 place, const std::byte* shown) override {
        REQUIRE(place < kLoans);
        REQUIRE_FALSE(frames.contains(place));
        if (frames.size() == most) return false;
        std::memcpy(frames[place].data(), shown, kPageSize);
        return true;
    }
    bool is_equal(u64 place, const std::byte* shown) override { return std::memcmp(frames.at(place).data(), shown, kPageSize) == 0; }
    Capability lend(u64 place, EnvId to) override {
        Capability capability;
        capability.first = place;
        capability.presenter = static_cast<u32>(to.value);
        return capability;
    }
    void drop(u64 place) override { REQUIRE(frames.erase(place) == 1); }
};

/// The monitor's side of a ring.
struct Monitor {
    explicit Monitor(u64 number) : ring(std::make_unique<LendingRing>()), who(EnvId::make(number, 1)) { connect(); }
    void connect() {
        *ring = LendingRing{};
        requests = {ring->requests, ring->request};
        answers = {ring->answers, ring->answer};
    }
    bool ask(LendingRequest request) {
        const auto room = requests.room();
        REQUIRE(room.ok());
        if (room.value() == 0) return false;
        requests.put(request);
        return true;
    }
    std::vector<LendingAnswer> take() {
        std::vector<LendingAnswer> all;
        LendingAnswer answer;
        for (auto got = answers.get(answer); got.value(); got = answers.get(answer)) all.push_back(answer);
        return all;
    }
    std::unique_ptr<LendingRing> ring;
    EnvId who;
    LendingWriter<LendingRequest, kLendingRequests> requests;
    LendingReader<LendingAnswer, kLendingAnswers> answers;
    std::map<u64, u64> held;       // LoanId -> place of the host's
    std::set<u64> under_way;       // shown pages without an answer
};

struct World {
    std::vector<LendingDesk::Loan> loans = std::vector<LendingDesk::Loan>(kLoans);
    std::vector<u32> heads = std::vector<u32>(16);
    std::vector<u64> announced = std::vector<u64>(64);
    Host host;
    LendingDesk desk{host, loans, heads, announced, 12345};

    void serve() {
        while (desk.sweep()) {
        }
    }
};

Page page_of_kind(u64 kind) {
    Page page{};
    for (u64 at = 0; at < kPageSize; at += 64) std::memcpy(&page[at], &kind, sizeof kind);
    return page;
}

}  // namespace

TEST_CASE("vmm lending: two monitors come to stand on one frame, a third shows something else under the same hash") {
    World world;
    Monitor one(1), two(2), three(3);
    REQUIRE(world.desk.seat(one.who, *one.ring, 77).value() == 0);
    REQUIRE(world.desk.seat(two.who, *two.ring, 77).value() == 1);
    REQUIRE(world.desk.seat(three.who, *three.ring, 77).value() == 2);
    CHECK(two.ring->seed == 77);
    // Nobody else has it: no answer, however often.
    for (u64 i = 0; i < 3; ++i) one.ask({LendingRequest::has, 0, 5});
    world.serve();
    CHECK(one.take().empty());
    // The second to say so is asked to show it; then the first.
    two.ask({LendingRequest::has, 0, 5});
    world.serve();
    const auto asked = two.take();
    REQUIRE(asked.size() == 1);
    CHECK((asked[0].kind == LendingAnswer::show && asked[0].word == 5));
    CHECK(world.desk.loans() == 0);
    std::memcpy(two.ring->shown[3], page_of_kind(9).data(), kPageSize);
    two.ask({LendingRequest::shows, 3, 5});
    world.serve();
    const auto lent = two.take();
    REQUIRE(lent.size() == 1);
    CHECK((lent[0].kind == LendingAnswer::lends && lent[0].place == 3 && lent[0].capability.presenter == two.who.value));
    // What is shown may change; the frame does not.
    std::memset(two.ring->shown[3], 1, kPageSize);
    CHECK(world.host.frames.at(lent[0].capability.first) == page_of_kind(9));
    // Who has it already is not lent it once more.
    two.ask({LendingRequest::has, 0, 5});
    std::memcpy(two.ring->shown[4], page_of_kind(9).data(), kPageSize);
    two.ask({LendingRequest::shows, 4, 5});
    world.serve();
    const auto again = two.take();
    REQUIRE(again.size() == 1);
    CHECK(again[0].kind == LendingAnswer::refuses);
    one.ask({LendingRequest::has, 0, 5});
    world.serve();
    REQUIRE(one.take().size() == 1);
    std::memcpy(one.ring->shown[0], page_of_kind(9).data(), kPageSize);
    one.ask({LendingRequest::shows, 0, 5});
    std::memcpy(three.ring->shown[0], page_of_kind(8).data(), kPageSize);
    three.ask({LendingRequest::shows, 0, 5});
    world.serve();
    const auto first = one.take(), other = three.take();
    REQUIRE((first.size() == 1 && other.size() == 1));
    CHECK(first[0].word == lent[0].word);
    CHECK((other[0].kind == LendingAnswer::lends && other[0].word != lent[0].word));
    CHECK((world.desk.loans() == 2 && world.desk.uses() == 3));
    // Nobody returns what it does not have, and the last user takes the frame with it.
    three.ask({LendingRequest::returns, 0, lent[0].word});
    two.ask({LendingRequest::returns, 0, lent[0].word});
    two.ask({LendingRequest::returns, 0, lent[0].word});
    world.serve();
    CHECK((world.desk.loans() == 2 && world.desk.uses() == 2));
    world.desk.unseat(0);
    CHECK((world.desk.loans() == 1 && world.host.frames.size() == 1));
    // One that has gone is nobody with whom to share.
    two.ask({LendingRequest::has, 0, 5});
    world.serve();
    CHECK(two.take().size() == 1);  // three has something with that hash
    one.ring->state = 0;
}

TEST_CASE("vmm lending: what a monitor showed who is gone is no reason to ask another one") {
    World world;
    Monitor one(1), two(2);
    REQUIRE(world.desk.seat(one.who, *one.ring, 1).ok());
    REQUIRE(world.desk.seat(two.who, *two.ring, 1).ok());
    one.ask({LendingRequest::has, 0, 5});
    world.serve();
    world.desk.unseat(0);
    two.ask({LendingRequest::has, 0, 5});
    two.ask({LendingRequest::has, 0, 5});
    world.serve();
    CHECK(two.take().empty());
    one.connect();
    REQUIRE(world.desk.seat(one.who, *one.ring, 1).value() == 0);
    one.ask({LendingRequest::has, 0, 5});
    world.serve();
    CHECK(one.take().size() == 1);
}

TEST_CASE("vmm lending: uses and frames are those of the model, whatever is shown, returned and recalled") {
    Random random(11);
    World world;
    world.host.most = 50;
    std::vector<Monitor> monitors;
    for (u64 i = 0; i < 4; ++i) monitors.emplace_back(i + 1);
    for (Monitor& each : monitors) REQUIRE(world.desk.seat(each.who, *each.ring, 1).ok());
    std::map<u64, std::set<u64>> users;  // of a LoanId
    u64 lent = 0, most_uses = 0;
    const auto look = [&](u64 number) {
        Monitor& monitor = monitors[number];
        for (const LendingAnswer& answer : monitor.take()) {
            switch (answer.kind) {
            case LendingAnswer::show: break;
            case LendingAnswer::lends: {
                REQUIRE(monitor.under_way.erase(answer.place) == 1);
                REQUIRE(answer.capability.presenter == monitor.who.value);
                REQUIRE(world.host.is_equal(answer.capability.first, monitor.ring->shown[answer.place]));
                REQUIRE(users[answer.word].insert(number).second);
                monitor.held[answer.word] = answer.capability.first;
                ++lent;
                break;
            }
            case LendingAnswer::refuses: REQUIRE(monitor.under_way.erase(answer.place) == 1); break;
            // It may have been returned in the meantime, and its place be another loan's.
            case LendingAnswer::recalls: REQUIRE(LoanId{answer.word}.place() < kLoans); break;
            default: FAIL("an answer that there is not");
            }
        }
    };
    for (u32 i = 0; i < 40000; ++i) {
        const u64 number = random.below(monitors.size());
        Monitor& monitor = monitors[number];
        const u64 content = random.below(40), hash = random.one_in(10) ? random.below(40) : content % 30;
        const auto place = static_cast<u32>(random.below(kShownPages));
        switch (random.below(8)) {
        case 0:
        case 1: monitor.ask({LendingRequest::has, 0, hash}); break;
        case 2:
        case 3:
            if (monitor.under_way.contains(place)) break;
            std::memcpy(monitor.ring->shown[place], page_of_kind(content).data(), kPageSize);
            if (monitor.ask({LendingRequest::shows, place, hash})) monitor.under_way.insert(place);
            break;
        case 4:
        case 5: {
            if (monitor.held.empty()) break;
            const auto any = std::next(monitor.held.begin(), static_cast<long>(random.below(monitor.held.size())));
            if (!monitor.ask({LendingRequest::returns, 0, any->first})) break;
            users.at(any->first).erase(number);
            monitor.held.erase(any);
            break;
        }
        case 6: monitor.ask({LendingRequest::returns, 0, LoanId::make(random.below(kLoans), 1 << 20).bits}); break;
        default:
            if (random.one_in(50)) {
                const u64 before = world.desk.recalled(), count = random.below(10);
                REQUIRE(world.desk.recall(count) <= count);
                REQUIRE(world.desk.recalled() - before <= count);
            }
            // Taken back by force: whoever has it has it no more, and may still return it.
            if (random.one_in(100)) {
                world.serve();
                for (u64 each = 0; each < monitors.size(); ++each) look(each);
                world.desk.drop_recalled();
                REQUIRE(world.desk.recalled() == 0);
                for (auto& [id, who] : users) {
                    const LoanId loan{id};
                    if (world.loans[loan.place()].generation == loan.generation()) continue;
                    for (const u64 each : who)
                        if (random.one_in(2)) monitors[each].held.erase(id);
                }
                std::erase_if(users, [&](const auto& each) { return world.loans[LoanId{each.first}.place()].generation != LoanId{each.first}.generation(); });
                for (Monitor& each : monitors) std::erase_if(each.held, [&](const auto& one) { return !users.contains(one.first); });
            }
        }
        if (!random.one_in(4)) continue;
        world.serve();
        for (u64 each = 0; each < monitors.size(); ++each) look(each);
        u64 uses = 0, frames = 0;
        for (const auto& [id, who] : users) uses += who.size(), frames += !who.empty();
        REQUIRE(world.desk.uses() == uses);
        REQUIRE(world.desk.loans() == frames);
        REQUIRE(world.host.frames.size() == frames);
        for (const Monitor& each : monitors) REQUIRE(world.desk.reason(static_cast<u64>(&each - monitors.data())) == nullptr);
        most_uses = std::max(most_uses, uses);
    }
    CHECK(lent > 3000);
    CHECK(most_uses > 25);
    for (u64 seat = 0; seat < monitors.size(); ++seat) world.desk.unseat(seat);
    CHECK(world.desk.loans() == 0);
    CHECK(world.host.frames.empty());
}

TEST_CASE("vmm lending: a monitor that shows what nobody else has leaves the others their part") {
    World world;
    Monitor flood(1), other(2);
    REQUIRE(world.desk.seat(flood.who, *flood.ring, 1).ok());
    REQUIRE(world.desk.seat(other.who, *other.ring, 1).ok());
    for (u64 i = 0; i < 4 * kLoans; ++i) {
        std::memcpy(flood.ring->shown[i % kShownPages], page_of_kind(i + 1).data(), kPageSize);
        flood.ask({LendingRequest::shows, static_cast<u32>(i % kShownPages), i});
        world.serve();
        flood.take();
    }
    CHECK(world.desk.loans() == kLoans / 2);
    std::memcpy(other.ring->shown[0], page_of_kind(99999).data(), kPageSize);
    other.ask({LendingRequest::shows, 0, 99999});
    world.serve();
    const auto answers = other.take();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].kind == LendingAnswer::lends);
}

TEST_CASE("vmm lending: whoever breaks the rules is cut off, and nobody else notices") {
    Random random(12);
    u64 cut_off = 0;
    for (u32 round = 0; round < 300; ++round) {
        World world;
        Monitor bad(1), good(2), better(3);
        REQUIRE(world.desk.seat(bad.who, *bad.ring, 1).ok());
        REQUIRE(world.desk.seat(good.who, *good.ring, 1).ok());
        REQUIRE(world.desk.seat(better.who, *better.ring, 1).ok());
        for (u32 i = 0; i < 200; ++i) {
            // Whatever it likes, wherever it likes.
            auto* const words = reinterpret_cast<u64*>(bad.ring.get());
            const u64 at = random.one_in(3) ? random.below(4 * kPageSize / sizeof(u64)) : kPageSize / sizeof(u64) + random.below(512);
            words[at] = random.one_in(2) ? random.next() : random.below(4) | random.below(10) << 32;
            if (random.one_in(3)) ++bad.ring->requests.produced;
            world.desk.sweep();
        }
        cut_off += world.desk.reason(0) != nullptr;
        for (Monitor* each : {&good, &better}) {
            std::memcpy(each->ring->shown[1], page_of_kind(5).data(), kPageSize);
            each->ask({LendingRequest::shows, 1, 5});
        }
        world.serve();
        const auto first = good.take(), second = better.take();
        REQUIRE((first.size() == 1 && second.size() == 1));
        REQUIRE((first[0].kind == LendingAnswer::lends && first[0].word == second[0].word));
        REQUIRE(world.desk.loans() == world.host.frames.size());
        world.desk.unseat(0);
        REQUIRE(world.desk.loans() == 1);
    }
    CHECK(cut_off > 200);
}
