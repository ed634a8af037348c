#include "guests/small/frames.hpp"

#include "guests/small/machine.hpp"

namespace small {
namespace {

constexpr u64 kMaxFrames = u64{1} << 18;  // 1 GiB: what the machine's layer maps
u16 users[kMaxFrames];
u64 begin, untouched, end;  // Untouched ones are [untouched, end); what was given back is on the list.
Frame recycled;             // The first 8 bytes of each hold the next.
u64 recycled_count;

u16& users_at(Frame frame) { return users[(frame.address - begin) / kPageSize]; }

}  // namespace

void start_frames(u64 memory_begin, u64 memory_end) {
    begin = untouched = memory_begin;
    end = memory_end < begin + kMaxFrames * kPageSize ? memory_end : begin + kMaxFrames * kPageSize;
}

Frame allocate_frame() {
    Frame frame = recycled;
    if (frame) {
        recycled = Frame{*frame.as<u64>()};
        --recycled_count;
    } else if (untouched < end) {
        frame = Frame{untouched};
        untouched += kPageSize;
    } else {
        return {};
    }
    users_at(frame) = 1;
    return frame;
}

Frame allocate_zeroed_frame() {
    const Frame frame = allocate_frame();
    if (frame) machine::zero_frame(frame);
    return frame;
}

void share_frame(Frame frame) { ++users_at(frame); }

void release_frame(Frame frame) {
    if (--users_at(frame) != 0) return;
    machine::hint_free(frame);
    *frame.as<u64>() = recycled.address;
    recycled = frame;
    ++recycled_count;
}

u64 users_of(Frame frame) { return users_at(frame); }

u64 free_frames() { return recycled_count + (end - untouched) / kPageSize; }

}  // namespace small
