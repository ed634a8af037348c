// Scheduling within a libOS: the textbook's comparisons, run and timed, each relation checked.
//
// The program's own policy is one that hands on to whichever of the library's policies is being looked at.
// Workloads and expected figures: Silberschatz, Galvin and Gagne, Operating System Concepts, chapter on CPU scheduling
// (convoy, late, quanta); Liu and Layland, JACM 1973 (deadlines); shares 3:2:1 as of the stride scheduler in the Aegis
// paper (Engler, Kaashoek and O'Toole, SOSP 1995). Deviations from the book are what switching costs: run it with
// icount, and under a policy of the S-TLB that keeps bindings.
#include <array>

#include "libos/examples/shares.hpp"
#include "libos/examples/workload.hpp"
#include "libos/threads/policies/earliest_deadline.hpp"
#include "libos/threads/policies/first_come.hpp"
#include "libos/threads/policies/lottery.hpp"
#include "libos/threads/policies/priority.hpp"
#include "libos/threads/policies/round_robin.hpp"
#include "libos/threads/policies/shortest_first.hpp"
#include "libos/threads/policies/stride.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constinit FirstCome first_come;
constinit ShortestJob shortest_job;
constinit ShortestRemaining shortest_remaining;
constinit RoundRobin round_robin;
constinit Priority priority;
constinit Stride stride;
constinit Lottery lottery;
constinit EarliestDeadline earliest_deadline;

bool all_right = true;

void expect(bool holds, const char* relation) {
    print(holds ? "  holds: " : "  WRONG: ", relation, "\n");
    all_right &= holds;
}

u64 unit() { return Workload::unit(); }
u64 hundredths(u64 ticks, u64 count) { return ticks * 100 / (unit() * count); }
/// So many units, but for a little: after so many steps the turn is over, whatever the last of them cost less.
Quantum units(u64 count) { return {count * unit() - unit() / (8 * kStepsAUnit)}; }
Quantum one_step() { return {unit() / (2 * kStepsAUnit)}; }

/// `ticks` is what the book says, given in hundredths of a unit, within a twentieth of it and of a unit.
bool is_about(u64 ticks, u64 count, u64 expected) {
    const u64 is = hundredths(ticks, count), margin = expected / 20 + 5;
    return is + margin >= expected && is <= expected + margin;
}

void column(Writer& line, u64 value, bool fraction) {
    char digits[24];
    Writer number(digits, sizeof digits);
    number.add(fraction ? value / 100 : value);
    if (fraction) {
        number.add(value % 100 < 10 ? ".0" : ".");
        number.add(value % 100);
    }
    for (u64 i = number.view().size(); i < 12; ++i) line.add(' ');
    line.add(number.view());
}

void title(const char* text) {
    print(text, "\n  policy                 jobs/1000 units  mean wait  turnaround   worst wait  missed\n");
}

Measured run(const char* experiment, const char* name, const Scheduling& policy, std::span<const Task> tasks,
             bool offers = true) {
    Workload workload(tasks, offers);
    const Measured it = workload.run(policy);
    const u64 throughput = it.jobs * 1000 * unit() / it.makespan, wait = hundredths(it.waiting, it.jobs),
              turnaround = hundredths(it.turnaround, it.jobs), worst = hundredths(it.worst_wait, 1);
    char text[128];
    Writer line(text, sizeof text);
    line.add("  ");
    line.add(name);
    for (u64 i = line.view().size(); i < 26; ++i) line.add(' ');
    column(line, throughput, false);
    for (u64 each : {wait, turnaround, worst}) column(line, each, true);
    column(line, it.missed, false);
    print(line.view(), "\n");
    all_right &= record("experiment", experiment, "policy", name, "jobs", it.jobs, "jobs_per_1000_units", throughput,
                        "mean_wait_hundredths", wait, "mean_turnaround_hundredths", turnaround, "worst_wait_hundredths",
                        worst, "missed", it.missed)
                     .ok();
    return it;
}

void convoy() {
    constexpr Task tasks[] = {{0, 24}, {0, 3}, {0, 3}};
    title("convoy: 24, 3 and 3 units, there together");
    const Measured first = run("convoy", "first come", schedule_by<first_come>, tasks);
    const Measured shortest = run("convoy", "shortest job", schedule_by<shortest_job>, tasks);
    round_robin.set(units(4));
    const Measured robin = run("convoy", "round robin, 4", schedule_by<round_robin>, tasks);
    expect(is_about(first.waiting, 3, 1700), "first come: a mean wait of 17, the convoy behind the long job");
    expect(is_about(shortest.waiting, 3, 300), "shortest job: a mean wait of 3");
    expect(is_about(robin.waiting, 3, 567), "round robin: a mean wait of 5.67");
    expect(shortest.waiting < robin.waiting && robin.waiting < first.waiting, "shortest < round robin < first come");
}

void late() {
    constexpr Task tasks[] = {{0, 8}, {1, 4}, {2, 9}, {3, 5}};
    title("late: 8, 4, 9 and 5 units, one unit after another");
    const Measured first = run("late", "first come", schedule_by<first_come>, tasks);
    const Measured shortest = run("late", "shortest job", schedule_by<shortest_job>, tasks);
    const Measured remaining = run("late", "shortest remaining", schedule_by<shortest_remaining>, tasks);
    expect(is_about(first.waiting, 4, 875), "first come: a mean wait of 8.75");
    expect(is_about(shortest.waiting, 4, 775), "shortest job: a mean wait of 7.75");
    expect(is_about(remaining.waiting, 4, 650), "shortest remaining time: a mean wait of 6.5");
}

void quanta() {
    constexpr Task tasks[] = {{0, 6}, {0, 3}, {0, 1}, {0, 7}};
    title("quanta: 6, 3, 1 and 7 units, there together, round robin");
    const auto with = [&](const char* name, Quantum quantum) {
        round_robin.set(quantum);
        return run("quanta", name, schedule_by<round_robin>, tasks);
    };
    const Measured tiny = with("quantum 1/16", one_step()), one = with("quantum 1", units(1)),
                   two = with("quantum 2", units(2)), five = with("quantum 5", units(5)),
                   seven = with("quantum 7", units(7));
    expect(is_about(one.turnaround, 4, 1100) && is_about(two.turnaround, 4, 1150) &&
               is_about(five.turnaround, 4, 1225) && is_about(seven.turnaround, 4, 1050),
           "mean turnaround 11, 11.5, 12.25 and 10.5: a longer quantum is not always better, nor worse");
    expect(tiny.makespan > seven.makespan, "a tiny quantum costs throughput");
}

void starvation() {
    constexpr u64 kUrgent = 15, kEach = 4;
    std::array<Task, 1 + kUrgent> tasks{Task{0, kEach}};
    for (u64 i = 0; i < kUrgent; ++i) tasks[1 + i] = {i * kEach, kEach, 0, 8};
    title("starvation: one job of low priority, and always an urgent one");
    priority.set(0, units(2 * kEach));
    const Measured strict = run("starvation", "priority", schedule_by<priority>, tasks);
    priority.set(kEach * unit(), units(2 * kEach));
    const Measured aging = run("starvation", "priority with aging", schedule_by<priority>, tasks);
    const u64 last_release = tasks[kUrgent].release * unit();
    expect(strict.finished[0] == strict.makespan, "without aging it is the last of all");
    expect(aging.finished[0] < last_release, "with aging it has ended before the last urgent one came");
}

void deadlines() {
    constexpr u64 kUntil = 35;  // when both periods begin together again
    std::array<Task, 12> tasks;
    u64 count = 0;
    for (u64 now = 0; now < kUntil; ++now) {  // periods of 5 and 7 units; the shorter one has the higher priority
        if (now % 5 == 0) tasks[count++] = {now, 2, now + 5, 2};
        if (now % 7 == 0) tasks[count++] = {now, 4, now + 7, 1};
    }
    title("deadlines: 2 units in every 5 and 4 in every 7, 97 % of the CPU");
    priority.set(0, {});
    const Measured fixed = run("deadlines", "rate-monotonic priority", schedule_by<priority>, tasks);
    const Measured earliest = run("deadlines", "earliest deadline", schedule_by<earliest_deadline>, tasks);
    expect(fixed.missed > 0, "fixed priorities miss a deadline");
    expect(earliest.missed == 0, "earliest deadline first meets all");
}

void slices() {
    const u64 two_slices = 2 * information().quantum / unit() + 1;
    const Task tasks[] = {{0, two_slices}, {0, two_slices}, {0, two_slices}};
    title("slices: three equal jobs of more than two slices each, that never offer their turn");
    round_robin.set({});
    const Measured first = run("slices", "first come", schedule_by<first_come>, tasks, false);
    const Measured robin = run("slices", "round robin by slices", schedule_by<round_robin>, tasks, false);
    expect(first.finished[0] * 2 < first.makespan, "first come: the first has ended before half the time is over");
    expect(robin.finished[0] * 2 > robin.makespan, "round robin: the end of a slice is the end of a turn");
}

/// By how many turns a share was off at most, in hundredths.
u64 run_shares(const char* name, const Scheduling& policy, u64 turns, u64 steps_a_turn, bool offers) {
    Shares shares;
    all_right &= shares.run(policy, turns, steps_a_turn, offers);
    const u64 error = shares.worst_error() * 100 / steps_a_turn;
    char text[32];
    Writer number(text, sizeof text);
    column(number, error, true);
    print("  ", name, ": ", shares.steps(0), " : ", shares.steps(1), " : ", shares.steps(2), " steps; off by at most",
          number.view(), " turns\n");
    all_right &= record("experiment", "shares", "policy", name, "turns", turns, "worst_error_hundredths", error).ok();
    return error;
}

/// Above the square root.
u64 root_of(u64 square) {
    u64 root = 0;
    while (root * root < square) ++root;
    return root;
}

void shares() {
    constexpr u64 kTurns = 600;
    print("shares: 3 : 2 : 1 tickets\n");
    stride.set(units(1));
    lottery.set(units(1));
    const u64 by_stride = run_shares("stride", schedule_by<stride>, kTurns, kStepsAUnit, true);
    const u64 by_lottery = run_shares("lottery", schedule_by<lottery>, kTurns, kStepsAUnit, true);
    const u64 steps_a_slice = information().quantum * kStepsAUnit / unit();
    stride.set({});
    const u64 by_slices = run_shares("stride by slices", schedule_by<stride>, kTurns / 10, steps_a_slice, false);
    // Four standard deviations of what is drawn with a chance of one half, the widest of the three.
    expect(by_lottery <= 4 * 100 * root_of(kTurns / 4), "lottery: within what chance allows");
    expect(by_stride < by_lottery, "stride is nearer than lottery");
    constexpr u64 kMost = 100 * Shares::kSharers;  // in theory a turn between any two
    expect(by_stride <= kMost && by_slices <= kMost, "stride: never off by more than a turn for each who competes");
}

constexpr u64 kGivers = 8, kGivesEach = 100;
u64 giving_ended;

void give(void*) {
    for (u64 i = 0; i < kGivesEach; ++i) give_way();
    giving_ended = cpu_time();
}

void cost(const char* name, const Scheduling& policy) {
    static std::byte stacks[kGivers][4096];
    chosen = &policy;
    std::optional<Thread> threads[kGivers];
    u64 began;
    {
        NoPreemption all_at_once;
        for (u64 i = 0; i < kGivers; ++i) all_right &= threads[i].emplace().start(stacks[i], give, nullptr);
        began = cpu_time();
    }
    for (auto& thread : threads) thread->join();
    const u64 ticks_each = (giving_ended - began) / (kGivers * kGivesEach);
    print("  ", name, ": ", ticks_each, " ticks\n");
    all_right &= record("experiment", "costs", "policy", name, "threads", kGivers, "ticks_each", ticks_each).ok();
}

void costs() {
    print("costs: give_way() among ", kGivers, " threads, to the next one or back to itself\n");
    round_robin.set({});
    priority.set(0, {});
    cost("first come", schedule_by<first_come>);
    cost("shortest job", schedule_by<shortest_job>);
    cost("shortest remaining", schedule_by<shortest_remaining>);
    cost("round robin", schedule_by<round_robin>);
    cost("priority", schedule_by<priority>);
    cost("stride", schedule_by<stride>);
    cost("lottery", schedule_by<lottery>);
    cost("earliest deadline", schedule_by<earliest_deadline>);
}

}  // namespace

constinit const Scheduling tessera::libos::scheduling = {
    [](Job& job, u64 now) { chosen->add(job, now); },
    [](u64 now) { return chosen->take(now); },
    [](const Job& running, u64 now, bool slice_over) { return chosen->turn_over(running, now, slice_over); },
};

int libos_main() {
    chosen = &schedule_by<first_come>;
    preempt_threads();
    print("a unit is ", unit(), " ticks, a slice ", information().quantum, "; times are in units\n");
    convoy();
    late();
    quanta();
    starvation();
    deadlines();
    slices();
    shares();
    costs();
    print(all_right ? "right: every relation of the textbook holds\n" : "WRONG: see above\n");
    return all_right ? 0 : 1;
}
