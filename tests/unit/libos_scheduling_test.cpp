// Scheduling policies: each against a naive model of the same rule, and against what is proved of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <functional>
#include <numeric>
#include <vector>

#include "libos/threads/policies/earliest_deadline.hpp"
#include "libos/threads/policies/first_come.hpp"
#include "libos/threads/policies/lottery.hpp"
#include "libos/threads/policies/priority.hpp"
#include "libos/threads/policies/round_robin.hpp"
#include "libos/threads/policies/shortest_first.hpp"
#include "libos/threads/policies/stride.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::libos;
using tessera::test::Random;

namespace {

struct Work {
    u64 release, length, deadline = Job::kUnknown;
    u32 priority = 0, tickets = 1;
};

struct Schedule {
    std::vector<u64> order;     ///< Who ran in each unit of time; kIdle: nobody.
    std::vector<u64> finished;  ///< When.
};
constexpr u64 kIdle = ~u64{0};

double mean_wait(const std::vector<Work>& works, const Schedule& schedule) {
    double sum = 0;
    for (u64 i = 0; i < works.size(); ++i)
        sum += static_cast<double>(schedule.finished[i] - works[i].release - works[i].length);
    return sum / static_cast<double>(works.size());
}
double mean_turnaround(const std::vector<Work>& works, const Schedule& schedule) {
    double sum = 0;
    for (u64 i = 0; i < works.size(); ++i) sum += static_cast<double>(schedule.finished[i] - works[i].release);
    return sum / static_cast<double>(works.size());
}
u64 missed(const std::vector<Work>& works, const Schedule& schedule) {
    u64 count = 0;
    for (u64 i = 0; i < works.size(); ++i) count += schedule.finished[i] > works[i].deadline;
    return count;
}

/// What threads.cpp does, one unit of time after another. Works are sorted by release.
template <class Policy>
Schedule simulate(const std::vector<Work>& works, Policy&& policy) {
    std::vector<Job> jobs(works.size());
    Schedule schedule{{}, std::vector<u64>(works.size())};
    Job* running = nullptr;
    u64 arrived = 0, ended = 0;
    for (u64 now = 0; ended < works.size(); ++now) {
        for (; arrived < works.size() && works[arrived].release <= now; ++arrived) {
            Job& job = jobs[arrived];
            const Work& work = works[arrived];
            job.length = work.length;
            job.deadline = work.deadline;
            job.priority = work.priority;
            job.tickets = work.tickets;
            policy.add(job, now);
        }
        if (running != nullptr && policy.turn_over(*running, now, false)) {
            policy.add(*running, now);
            running = nullptr;
        }
        if (running == nullptr && (running = policy.take(now)) != nullptr) running->turn = 0;
        if (running == nullptr) {
            schedule.order.push_back(kIdle);
            continue;
        }
        const u64 which = static_cast<u64>(running - jobs.data());
        schedule.order.push_back(which);
        ++running->turn;
        if (++running->used == works[which].length) {
            schedule.finished[which] = now + 1;
            running = nullptr;
            ++ended;
        }
    }
    return schedule;
}

/// A schedule by a rule over a plain list: whoever is least by `key` goes first, then whoever entered the list first.
/// `interrupts(other, running)`: may take its place at any time; `quantum`: how long a turn is.
struct Naive {
    struct Entry {
        u64 which, used, entered;
    };
    std::function<u64(const Entry&)> key;
    bool interrupts;
    u64 quantum = kIdle;

    Schedule run(const std::vector<Work>& works) const {
        std::vector<Entry> waiting;
        std::vector<Entry> running;  // one or none
        Schedule schedule{{}, std::vector<u64>(works.size())};
        u64 arrived = 0, ended = 0, turn = 0, entries = 0;
        const auto before = [&](const Entry& a, const Entry& b) {
            return std::pair(key(a), a.entered) < std::pair(key(b), b.entered);
        };
        for (u64 now = 0; ended < works.size(); ++now) {
            for (; arrived < works.size() && works[arrived].release <= now; ++arrived)
                waiting.push_back({arrived, 0, entries++});
            const auto best = [&] { return std::min_element(waiting.begin(), waiting.end(), before); };
            if (!running.empty() &&
                (turn >= quantum || (interrupts && !waiting.empty() && key(*best()) < key(running[0])))) {
                running[0].entered = entries++;
                waiting.push_back(running[0]);
                running.clear();
            }
            if (running.empty() && !waiting.empty()) {
                running.push_back(*best());
                waiting.erase(best());
                turn = 0;
            }
            schedule.order.push_back(running.empty() ? kIdle : running[0].which);
            if (running.empty()) continue;
            ++turn;
            if (++running[0].used == works[running[0].which].length) {
                schedule.finished[running[0].which] = now + 1;
                running.clear();
                ++ended;
            }
        }
        return schedule;
    }
};

std::vector<Work> random_works(Random& random, u64 most, u64 last_release) {
    std::vector<Work> works(random.between(1, most));
    for (Work& work : works) {
        work.release = random.between(0, last_release);
        work.length = random.between(1, 12);
        work.deadline = work.release + work.length + random.below(30);
        work.priority = static_cast<u32>(random.below(kPriorities));
        work.tickets = static_cast<u32>(random.between(1, 10));
    }
    std::stable_sort(works.begin(), works.end(), [](const Work& a, const Work& b) { return a.release < b.release; });
    return works;
}

constexpr u64 kRounds = 400;

}  // namespace

TEST_CASE("scheduling: a heap of jobs gives them out by key, equal keys as they came") {
    Random random(1);
    for (u64 round = 0; round < 50; ++round) {
        std::vector<Job> jobs(200);
        std::vector<Job*> model;
        JobHeap heap;
        u64 next = 0;
        for (u64 step = 0; step < 400; ++step) {
            if (next < jobs.size() && random.one_in(2)) {
                const u64 key = random.below(20);
                const auto behind = std::find_if(model.begin(), model.end(), [&](Job* job) { return job->key > key; });
                model.insert(behind, &jobs[next]);
                heap.push(jobs[next++], key);
            } else {
                Job* expected = model.empty() ? nullptr : model.front();
                REQUIRE(heap.top() == expected);
                REQUIRE(heap.pop() == expected);
                if (!model.empty()) model.erase(model.begin());
            }
        }
    }
}

TEST_CASE("scheduling: a queue of jobs can take in another") {
    Job jobs[4];
    JobQueue one, other;
    other.append(one);
    CHECK(other.empty());
    for (u64 i = 0; i < 2; ++i) one.push(jobs[i]);
    other.append(one);
    CHECK(one.empty());
    one.push(jobs[2]);
    other.append(one);
    other.push(jobs[3]);
    for (Job& job : jobs) CHECK(other.pop() == &job);
    CHECK(other.pop() == nullptr);
}

TEST_CASE("scheduling: policies do what a plain list with their rule does") {
    Random random(2);
    for (u64 round = 0; round < kRounds; ++round) {
        const std::vector<Work> works = random_works(random, 12, 40);
        using Entry = Naive::Entry;
        const auto same = [&](auto&& policy, const Naive& model) {
            const Schedule is = simulate(works, policy), expected = model.run(works);
            CHECK(is.order == expected.order);
            CHECK(is.finished == expected.finished);
        };
        const auto nothing = [](const Entry&) { return u64{0}; };
        const auto length = [&](const Entry& one) { return works[one.which].length; };
        const auto remaining = [&](const Entry& one) { return works[one.which].length - one.used; };
        const auto deadline = [&](const Entry& one) { return works[one.which].deadline; };
        const auto urgency = [&](const Entry& one) { return u64{kPriorities - works[one.which].priority}; };
        same(FirstCome(), {nothing, false});
        same(ShortestJob(), {length, false});
        same(ShortestRemaining(), {remaining, true});
        same(EarliestDeadline(), {deadline, true});
        const u64 quantum = random.between(1, 8);
        same(RoundRobin({quantum}), {nothing, false, quantum});
        same(Priority(0, {kIdle}), {urgency, true});
    }
}

TEST_CASE("scheduling: the textbook's figures") {
    const std::vector<Work> convoy{{0, 24}, {0, 3}, {0, 3}}, late{{0, 8}, {1, 4}, {2, 9}, {3, 5}},
        quanta{{0, 6}, {0, 3}, {0, 1}, {0, 7}};
    CHECK(mean_wait(convoy, simulate(convoy, FirstCome())) == 17);
    CHECK(mean_wait(convoy, simulate(convoy, ShortestJob())) == 3);
    CHECK(mean_wait(convoy, simulate(convoy, RoundRobin({4}))) == doctest::Approx(17.0 / 3));
    CHECK(mean_wait(late, simulate(late, ShortestJob())) == 7.75);
    CHECK(mean_wait(late, simulate(late, ShortestRemaining())) == 6.5);
    const double by_quantum[] = {11, 11.5, 10.75, 11.5, 12.25, 10.5, 10.5};
    for (u64 quantum = 1; quantum <= 7; ++quantum)
        CHECK(mean_turnaround(quanta, simulate(quanta, RoundRobin({quantum}))) == by_quantum[quantum - 1]);
}

TEST_CASE("scheduling: of all orders the shortest job first has the least mean wait") {
    Random random(3);
    for (u64 round = 0; round < 60; ++round) {
        const std::vector<Work> works = random_works(random, 7, 0);
        std::vector<u64> order(works.size());
        std::iota(order.begin(), order.end(), 0);
        u64 least = kIdle;
        do {
            u64 now = 0, waited = 0;
            for (u64 which : order) {
                waited += now;
                now += works[which].length;
            }
            least = std::min(least, waited);
        } while (std::next_permutation(order.begin(), order.end()));
        CHECK(mean_wait(works, simulate(works, ShortestJob())) ==
              doctest::Approx(static_cast<double>(least) / static_cast<double>(works.size())));
    }
}

TEST_CASE("scheduling: nothing has a smaller mean turnaround than shortest remaining time") {
    Random random(4);
    for (u64 round = 0; round < kRounds; ++round) {
        const std::vector<Work> works = random_works(random, 12, 40);
        const double least = mean_turnaround(works, simulate(works, ShortestRemaining()));
        CHECK(least <= mean_turnaround(works, simulate(works, FirstCome())));
        CHECK(least <= mean_turnaround(works, simulate(works, ShortestJob())));
        CHECK(least <= mean_turnaround(works, simulate(works, EarliestDeadline())));
        CHECK(least <= mean_turnaround(works, simulate(works, RoundRobin({random.between(1, 8)}))));
        CHECK(least <= mean_turnaround(works, simulate(works, Lottery({random.between(1, 8)}, random.next()))));
    }
}

TEST_CASE("scheduling: earliest deadline first meets all deadlines if any schedule can") {
    Random random(5);
    u64 feasible_sets = 0;
    for (u64 round = 0; round < 3000; ++round) {
        const std::vector<Work> works = random_works(random, 6, 30);
        // Necessary and sufficient on one CPU: between no release and deadline is more work than time.
        bool feasible = true;
        for (const Work& from : works)
            for (const Work& to : works) {
                u64 demand = 0;
                for (const Work& work : works)
                    if (work.release >= from.release && work.deadline <= to.deadline) demand += work.length;
                feasible &= demand == 0 || from.release + demand <= to.deadline;
            }
        feasible_sets += feasible;
        CHECK((missed(works, simulate(works, EarliestDeadline())) == 0) == feasible);
        if (!feasible) CHECK(missed(works, simulate(works, ShortestRemaining())) > 0);
    }
    CHECK(feasible_sets > 300);
    CHECK(feasible_sets < 2700);
}

TEST_CASE("scheduling: priority with aging does what lists of levels do, and starves nobody") {
    Random random(6);
    for (u64 round = 0; round < kRounds; ++round) {
        const u64 interval = random.between(1, 20);
        Priority policy(interval, {1});
        struct Waiting {
            Job* job;
            u64 level, entered;
        };
        std::vector<Job> jobs(10);
        std::vector<Waiting> model;
        std::vector<Job*> idle;
        for (Job& job : jobs) idle.push_back(&job);
        u64 now = random.below(1000), entered = 0;
        for (u64 step = 0; step < 300; ++step) {
            const u64 before = now;
            now += random.below(6);
            for (u64 due = now / interval - before / interval; due > 0; --due) {  // highest first, each to the end
                std::stable_sort(model.begin(), model.end(), [](const Waiting& a, const Waiting& b) {
                    return a.level != b.level ? a.level > b.level : a.entered < b.entered;
                });
                for (Waiting& one : model)
                    if (one.level < kPriorities - 1) {
                        ++one.level;
                        one.entered = entered++;
                    }
            }
            if (!idle.empty() && random.one_in(2)) {
                Job* job = idle.back();
                idle.pop_back();
                job->priority = static_cast<u32>(random.below(kPriorities));
                model.push_back({job, job->priority, entered++});
                policy.add(*job, now);
            } else {
                const auto best = std::min_element(model.begin(), model.end(), [](const Waiting& a, const Waiting& b) {
                    return a.level != b.level ? a.level > b.level : a.entered < b.entered;
                });
                Job* taken = policy.take(now);
                REQUIRE(taken == (best == model.end() ? nullptr : best->job));
                if (taken == nullptr) continue;
                CHECK(taken->key == best->level);
                idle.push_back(taken);
                model.erase(best);
            }
        }
    }
    // One of the lowest priority among many that always come back at the highest.
    for (u64 interval : {1, 3, 10}) {
        Priority policy(interval, {1});
        std::vector<Job> urgent(5);
        Job meek;
        policy.add(meek, 0);
        for (Job& job : urgent) {
            job.priority = kPriorities - 1;
            policy.add(job, 0);
        }
        u64 now = 0;
        for (Job* running = policy.take(0); running != &meek; running = policy.take(now)) {
            running->turn = 1;
            policy.add(*running, ++now);
            REQUIRE(now <= kPriorities * interval + urgent.size());
        }
        CHECK(now >= (kPriorities - 1) * interval);
    }
}

TEST_CASE("scheduling: a turn that was waited for is not taken away by those who waited less") {
    Priority policy(10, {100});
    Job meek, urgent[2], most_urgent;
    for (Job& job : urgent) job.priority = 4;
    most_urgent.priority = kPriorities - 1;
    policy.add(meek, 0);
    policy.add(urgent[0], 45);
    REQUIRE(policy.take(50) == &meek);
    policy.add(urgent[1], 50);
    CHECK(!policy.turn_over(meek, 50, false));
    CHECK(!policy.turn_over(meek, 90, false));
    policy.add(most_urgent, 91);
    CHECK(policy.turn_over(meek, 91, false));
}

TEST_CASE("scheduling: strict priority lets the urgent interrupt, and equals only when a turn is over") {
    Priority policy(0, {4});
    Job low, high, equal;
    low.priority = equal.priority = 2;
    high.priority = 3;
    policy.add(low, 0);
    REQUIRE(policy.take(0) == &low);
    CHECK(!policy.turn_over(low, 0, false));
    policy.add(equal, 0);
    CHECK(!policy.turn_over(low, 1, false));
    low.turn = 4;
    CHECK(policy.turn_over(low, 4, false));
    low.turn = 1;
    policy.add(high, 1);
    CHECK(policy.turn_over(low, 1, false));
}

TEST_CASE("scheduling: a priority beyond the highest is the highest") {
    Priority policy(0, {4});
    Job beyond, highest;
    beyond.priority = 1000;
    highest.priority = kPriorities - 1;
    policy.add(beyond, 0);
    policy.add(highest, 0);
    REQUIRE(policy.take(0) == &beyond);
    beyond.turn = 4;
    CHECK(policy.turn_over(beyond, 4, false));
}

TEST_CASE("scheduling: stride is never off by more than one quantum between any two") {
    Random random(7);
    for (u64 round = 0; round < 60; ++round) {
        const u64 quantum = random.between(1, 100'000);
        Stride policy({quantum});
        std::vector<Job> jobs(random.between(2, 10));
        std::vector<double> turns(jobs.size());
        for (Job& job : jobs) {
            job.tickets = static_cast<u32>(random.between(1, 20));
            policy.add(job, 0);
        }
        for (u64 turn = 0; turn < 3000; ++turn) {
            Job* job = policy.take(0);
            ++turns[static_cast<u64>(job - jobs.data())];
            job->turn = quantum;
            CHECK(policy.turn_over(*job, 0, false));
            policy.add(*job, 0);
            for (u64 a = 0; a < jobs.size(); ++a)
                for (u64 b = 0; b < a; ++b) {
                    const double both = turns[a] + turns[b], all = jobs[a].tickets + jobs[b].tickets;
                    // The rounding of a pass to whole numbers is the rest.
                    REQUIRE(std::abs(turns[a] - both * jobs[a].tickets / all) <= 1.1);
                }
        }
    }
}

TEST_CASE("scheduling: stride counts what ran, not how often, and keeps no claim for who waited") {
    Stride policy({100});
    Job half, whole, late;
    policy.add(half, 0);
    policy.add(whole, 0);
    u64 ran_half = 0, ran_whole = 0;
    const auto run = [&](u64 turns) {
        for (u64 turn = 0; turn < turns; ++turn) {
            Job* job = policy.take(0);
            job->turn = job == &half ? 50 : 100;
            (job == &half ? ran_half : ran_whole) += job == &late ? 0 : job->turn;
            policy.add(*job, 0);
        }
    };
    run(999);
    CHECK(ran_half + 150 >= ran_whole);
    CHECK(ran_whole + 150 >= ran_half);
    policy.add(late, 0);
    const u64 before = ran_half + ran_whole;
    run(30);
    CHECK(ran_half + ran_whole >= before + 1500);  // two thirds of the time, but for a turn each
}

TEST_CASE("scheduling: lottery gives each its share, as nearly as chance allows") {
    Random random(8);
    for (u64 round = 0; round < 30; ++round) {
        Lottery policy({10}, random.next());
        std::vector<Job> jobs(random.between(2, 8));
        std::vector<double> wins(jobs.size());
        double all = 0;
        for (Job& job : jobs) {
            job.tickets = static_cast<u32>(random.between(1, 20));
            all += job.tickets;
            policy.add(job, 0);
        }
        constexpr double kTurns = 20'000;
        for (u64 turn = 0; turn < kTurns; ++turn) {
            Job* job = policy.take(0);
            ++wins[static_cast<u64>(job - jobs.data())];
            job->turn = 10;
            policy.add(*job, 0);
        }
        for (u64 i = 0; i < jobs.size(); ++i) {
            const double share = jobs[i].tickets / all;
            CHECK(std::abs(wins[i] - kTurns * share) <= 5 * std::sqrt(kTurns * share * (1 - share)));
        }
    }
}

TEST_CASE("scheduling: lottery makes up for turns that were given up early") {
    Lottery policy({100}, 9);
    Job jobs[2];
    double ran[2] = {};
    for (Job& job : jobs) policy.add(job, 0);
    for (u64 turn = 0; turn < 50'000; ++turn) {
        Job* job = policy.take(0);
        const u64 which = static_cast<u64>(job - jobs);
        job->turn = which == 0 ? 20 : 100;
        ran[which] += static_cast<double>(job->turn);
        policy.add(*job, 0);
    }
    CHECK(ran[0] / ran[1] == doctest::Approx(1).epsilon(0.05));
}

TEST_CASE("scheduling: a quantum of nothing is the kernel's slice") {
    Job running;
    running.turn = 1'000'000;
    CHECK(!Quantum{}.over(running, false));
    CHECK(Quantum{}.over(running, true));
    CHECK(Quantum{1'000'000}.over(running, false));
    CHECK(!Quantum{1'000'001}.over(running, true));
}

TEST_CASE("scheduling: policies that nobody waits for have nobody to run") {
    CHECK(FirstCome().take(0) == nullptr);
    CHECK(RoundRobin().take(0) == nullptr);
    CHECK(ShortestJob().take(0) == nullptr);
    CHECK(ShortestRemaining().take(0) == nullptr);
    CHECK(Priority(3).take(100) == nullptr);
    CHECK(Stride().take(0) == nullptr);
    CHECK(Lottery().take(0) == nullptr);
    CHECK(EarliestDeadline().take(0) == nullptr);
}
