// Page tables by hypercall: entries are collected and written many at a time.

#include <cstring>

#include "guests/paravirt/hypercall.hpp"
#include "guests/small/machine.hpp"
#include "guests/small/print.hpp"

namespace small::machine {
namespace {

using paravirt::Hypercall;

paravirt::Update updates[paravirt::kMaxUpdates];
u64 update_count;

}  // namespace

void commit() {
    if (update_count == 0) return;
    const i64 done = hypercall(Hypercall::update_entries, address_of(updates), update_count);
    if (done != static_cast<i64>(update_count)) panic("the monitor refused a page-table entry");
    update_count = 0;
}

void write_entry(Entry* entry, Entry value, u64) {
    updates[update_count++] = {address_of(entry), value};
    if (update_count == paravirt::kMaxUpdates) commit();
}

void create_root(Frame root) {
    if (hypercall(Hypercall::create_root, root.address) < 0) panic("the monitor refused a root table");
}

void retire_root(Frame root) {
    commit();
    if (hypercall(Hypercall::destroy_root, root.address) < 0) panic("the monitor kept a root table");
}

void load_root(Frame root) {
    commit();
    if (hypercall(Hypercall::switch_root, root.address) < 0) panic("the monitor did not switch");
}

void zero_frame(Frame frame) {
    // A hypercall costs about what clearing a page does. Which is cheaper depends on what the monitor has at hand.
    if (paravirt_layer::zero_by_monitor) hypercall(Hypercall::zero_frames, address_of(&frame), 1);
    else std::memset(frame.as(), 0, kPageSize);
}

void hint_free(const Frame* frames, u64 count) {
    static_assert(kMaxHint <= paravirt::kMaxFrames && sizeof(Frame) == sizeof(u64));
    commit();
    hypercall(Hypercall::free_frames, address_of(frames), count);
}

}  // namespace small::machine
