#include "libos/vmm/monitor/monitor.hpp"

#include <algorithm>

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

bool Monitor::add(TurnTaker& processor) {
    if (count_ == kMaxProcessors) return false;
    Place& place = places_[count_++];
    place.processor = &processor;
    place.told = false;
    reset(place.fpu);
    return true;
}

bool Monitor::add(Chore& chore) {
    if (chore_count_ == kMaxChores) return false;
    chores_[chore_count_++] = &chore;
    return true;
}

// It begins behind the chores: where those take as long as a turn, guests go on all the same.
void Monitor::take_turn(Place& place) {
    if (loaded_ != &place) {
        if (loaded_ != nullptr) save(loaded_->fpu);
        load(place.fpu);
        loaded_ = &place;
    }
    if (place.processor->run(ticks() + turn_) == Turn::ended) end(place);
}

void Monitor::end(Place& place) {
    place.told = true;
    if (!place.processor->tells_end()) return;
    const Machine& machine = place.processor->machine();
    if (machine.end().kind == End::failed)
        place.processor->tell_end();
    else
        print(machine.name(), ": ", machine.end().reason, "\n");
}

// A virtual CPU that waits has an interrupt pending, or waits for the board's next event; what comes from elsewhere is
// notified, or a chore's to find.
void Monitor::sleep(u64 now, u64 chores_due) {
    u64 due = chores_due;
    for (Place& each : std::span(places_, count_)) {
        if (!each.told) due = std::min(due, each.processor->machine().due());
    }
    if (due <= now) return;
    WakeTerm terms[kMaxWakeTerms];
    u64 count = 0;
    for (const Chore* chore : std::span(chores_, chore_count_)) {
        if (const EnvId peer = chore->waits_for(); peer) static_cast<void>(call<Yield>({peer}));
        if (const auto term = chore->wakes(); term && count < kMaxWakeTerms) terms[count++] = *term;
    }
    const u64 deadline = due == Chore::kNever ? now + information().tsc_hz : due;
    static_cast<void>(call<Wait>({count == 0 ? VirtAddr{} : address(terms[0]), count, deadline, events_}));
}

// What comes from outside they hand to devices, which other virtual CPUs may be using: a machine that has several, a monitor
// has alone.
u64 Monitor::tend_chores(Machine& machine, u64 now) {
    u64 due = Chore::kNever;
    machine.lock();
    for (Chore* chore : std::span(chores_, chore_count_)) due = std::min(due, chore->tend(now));
    machine.unlock();
    return due;
}

bool Monitor::pressing() const {
    return std::any_of(chores_, chores_ + chore_count_, [](const Chore* each) { return each->is_pressing(); });
}

void Monitor::run() {
    turn_ = information().quantum;
    u64 chores_due = 0;
    for (bool running = true; running;) {
        bool idle = true;
        running = false;
        for (Place& each : std::span(places_, count_)) {
            if (each.told) continue;
            if (const u64 now = ticks(); now >= chores_due || pressing()) {
                chores_due = tend_chores(each.processor->machine(), now);
            }
            take_turn(each);
            running = running || !each.told;
        }
        // Behind all turns: what one did may be what another one waited for.
        for (const Place& each : std::span(places_, count_)) idle = idle && (each.told || each.processor->is_halted());
        if (running && idle) sleep(ticks(), chores_due);
    }
}

}  // namespace tessera::vmm
