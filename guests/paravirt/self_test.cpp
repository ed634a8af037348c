// The paravirtual machine's tests of itself: does the monitor keep what the interface promises, and refuse the rest?

#include "guests/paravirt/hypercall.hpp"
#include "guests/small/address_space.hpp"
#include "guests/small/frames.hpp"
#include "guests/small/kernel.hpp"
#include "guests/small/machine.hpp"
#include "guests/small/process.hpp"

namespace small {
namespace {

using paravirt::Hypercall;
using paravirt_layer::shared;

constexpr u64 kPage = kUserBegin + (u64{5} << 30);

bool refused(i64 answer) { return answer < 0; }
i64 update(Frame table, u64 index, u64 value) {
    const paravirt::Update one{table.address + 8 * index, value};
    return hypercall(Hypercall::update_entries, address_of(&one), 1);
}

/// Frames that are given back at the end.
template <u64 N>
struct Frames {
    Frame frame[N];
    Frames() {
        for (Frame& one : frame) one = allocate_zeroed_frame();
    }
    ~Frames() {
        for (Frame one : frame) release_frame(one);
    }
    Frame operator[](u64 i) const { return frame[i]; }
};

bool bad_calls_are_refused() {
    const u64 beyond = paravirt_layer::start->memory_end;
    return refused(hypercall(static_cast<Hypercall>(0))) && refused(hypercall(Hypercall::count)) &&
           refused(hypercall(Hypercall::switch_root, beyond)) && refused(hypercall(Hypercall::create_root, ~u64{0})) &&
           refused(hypercall(Hypercall::update_entries, beyond - 8, 1)) && refused(hypercall(Hypercall::update_entries, 0, ~u64{0})) &&
           refused(hypercall(Hypercall::print, ~u64{0} - 4, 100)) && refused(hypercall(Hypercall::start_ring, 99, beyond)) &&
           refused(hypercall(Hypercall::notify_ring, 99)) && refused(hypercall(Hypercall::return_from_trap, ~u64{0} - 100));
}

bool roots_must_be_empty_frames() {
    Frames<1> frames;
    frames[0].as<u64>()[300] = 1;
    const bool dirty = refused(hypercall(Hypercall::create_root, frames[0].address));
    frames[0].as<u64>()[300] = 0;
    const bool clean = hypercall(Hypercall::create_root, frames[0].address) == 0;
    const bool twice = refused(hypercall(Hypercall::create_root, frames[0].address));
    return dirty && clean && twice && hypercall(Hypercall::destroy_root, frames[0].address) == 0;
}

bool loaded_root_is_kept() { return refused(hypercall(Hypercall::destroy_root, current().space.root().address)); }

/// Each entry that would let a program reach what is not its own, or the kernel write a table.
bool bad_entries_are_refused() {
    using namespace machine;
    Frames<6> frames;
    const Frame root = frames[0];
    const u64 beyond = paravirt_layer::start->memory_end;
    Entry at[4];
    if (hypercall(Hypercall::create_root, root.address) < 0) return false;
    for (int level = 3; level > 0; --level) {
        at[level] = frames[4u - static_cast<u64>(level)].address | kPresent | kWritable | kUser;
        if (update(frames[3u - static_cast<u64>(level)], kPage >> (12 + 9 * level) & 511, at[level]) != 1) return false;
    }
    const Frame last = frames[3], page = frames[4], fresh = frames[5];
    const u64 slot = kPage >> 12 & 511;
    const u64 rights = kPresent | kUser | kWritable;
    bool good = update(last, slot, page.address | rights) == 1 && last.as<Entry>()[slot] == (page.address | rights);
    good = good && refused(update(page, 0, 0));                              // not a table
    good = good && refused(update(last, slot, root.address | rights));   // a table, writable
    good = good && refused(update(last, slot, beyond | rights));         // nobody's memory
    good = good && refused(update(last, slot, page.address | rights | u64{1} << 51));
    good = good && refused(update(root, 0, fresh.address | rights));         // the monitor's slot
    good = good && refused(update(root, 300, fresh.address | rights));       // the upper half
    good = good && refused(update(root, 40, last.address | rights));         // a table of another level
    good = good && refused(update(root, 40, page.address | rights));         // a program may write to it
    good = good && refused(update(frames[2], 3, fresh.address | rights | kLarge));
    good = good && last.as<Entry>()[slot] == (page.address | rights);           // as it was
    good = good && update(last, slot, 0) == 1 && update(root, 40, page.address | rights) == 1;
    return hypercall(Hypercall::destroy_root, root.address) == 0 && good;
}

bool wait_ends_with_timer() {
    const u64 before = clock();
    while (clock() < before + 3) {
        Masked masked;
        machine::idle();
    }
    return true;
}

bool masked_events_wait() {
    const u64 ticks = shared->timer_ticks;
    machine::mask_interrupts();
    const u64 before = clock();
    while (shared->timer_ticks < ticks + 2) hypercall(Hypercall::yield);
    const bool held = clock() == before;
    machine::unmask_interrupts();
    return held && clock() > before;
}

bool masked_channel_waits() {
    const u64 ticks = shared->timer_ticks, mask = shared->masked_channels;
    shared->masked_channels = mask | bit(paravirt::Event::timer);
    const u64 before = clock();
    while (shared->timer_ticks < ticks + 2) hypercall(Hypercall::yield);
    const bool held = clock() == before;
    shared->masked_channels = mask;
    machine::unmask_interrupts();
    return held && clock() > before;
}

bool zeroed_frames_are_zero() {
    Frames<2> frames;
    for (u64 i = 0; i < 512; ++i) frames[0].as<u64>()[i] = frames[1].as<u64>()[i] = ~i;
    if (hypercall(Hypercall::zero_frames, address_of(&frames.frame), 2) < 0) return false;
    for (u64 i = 0; i < 512; ++i)
        if (frames[0].as<u64>()[i] != 0 || frames[1].as<u64>()[i] != 0) return false;
    return true;
}

bool freed_frames_can_be_used() {
    Frames<1> frames;
    if (hypercall(Hypercall::free_frames, address_of(&frames.frame), 1) < 0) return false;
    for (u64 i = 0; i < 512; ++i) frames[0].as<u64>()[i] = i;
    for (u64 i = 0; i < 512; ++i)
        if (frames[0].as<u64>()[i] != i) return false;
    const u64 root = current().space.root().address;  // A table is not to be given away.
    return refused(hypercall(Hypercall::free_frames, address_of(&root), 1));
}

bool time_goes_on() {
    const u64 before = shared->time, ticks = shared->timer_ticks;
    while (shared->timer_ticks < ticks + 2) hypercall(Hypercall::yield);
    return shared->time > before;
}

struct Test {
    const char* name;
    bool (*passes)();
};
constexpr Test kTests[] = {
    {"bad hypercalls are refused", bad_calls_are_refused},
    {"roots must be empty frames", roots_must_be_empty_frames},
    {"a loaded root is kept", loaded_root_is_kept},
    {"bad entries are refused", bad_entries_are_refused},
    {"wait ends with the timer", wait_ends_with_timer},
    {"masked events wait", masked_events_wait},
    {"a masked channel waits", masked_channel_waits},
    {"zeroed frames are zero", zeroed_frames_are_zero},
    {"freed frames can be used", freed_frames_can_be_used},
    {"time goes on in the shared page", time_goes_on},
};

}  // namespace

bool machine::self_test(u64 index, const char*& name, bool& passed) {
    if (index >= sizeof kTests / sizeof kTests[0]) return false;
    name = kTests[index].name;
    passed = kTests[index].passes();
    return true;
}

}  // namespace small
