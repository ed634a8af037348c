#include "guests/small/frames.hpp"

#include "guests/small/machine.hpp"

namespace small {
namespace {

constexpr u64 kMaxFrames = u64{1} << 18;  // 1 GiB: what the machine's layer maps
constexpr u64 kKept = 256;  // That were used lately and are handed out again first, without a hint between.

u16 users[kMaxFrames];
u32 next[kMaxFrames];       // Links of the lists, frame numbers; not in the frames, as nobody needs what is in those.
u64 begin, untouched, end;  // Never used: [untouched, end).

struct List {
    Frame first;
    u64 count;
};
List recent, hinted;

u64 index_of(Frame frame) { return (frame.address - begin) / kPageSize; }
u16& users_at(Frame frame) { return users[index_of(frame)]; }

void put(List& list, Frame frame) {
    next[index_of(frame)] = static_cast<u32>(list.first.address / kPageSize);
    list.first = frame;
    ++list.count;
}

Frame take(List& list) {
    const Frame frame = list.first;
    if (!frame) return frame;
    list.first = Frame{next[index_of(frame)] * kPageSize};
    --list.count;
    return frame;
}

}  // namespace

void start_frames(u64 memory_begin, u64 memory_end) {
    begin = untouched = memory_begin;
    end = memory_end < begin + kMaxFrames * kPageSize ? memory_end : begin + kMaxFrames * kPageSize;
}

Frame allocate_frame() {
    Frame frame = take(recent);
    if (!frame) frame = take(hinted);
    if (!frame && untouched < end) frame = Frame{untouched}, untouched += kPageSize;
    if (frame) users_at(frame) = 1;
    return frame;
}

Frame allocate_zeroed_frame() {
    const Frame frame = allocate_frame();
    if (frame) machine::zero_frame(frame);
    return frame;
}

void share_frame(Frame frame) { ++users_at(frame); }

void release_frame(Frame frame) {
    if (--users_at(frame) == 0) put(recent, frame);
}

u64 users_of(Frame frame) { return users_at(frame); }

u64 free_frames() { return recent.count + hinted.count + (end - untouched) / kPageSize; }

bool give_hint() {
    if (recent.count < kKept + machine::kMaxHint) return false;
    Frame frames[machine::kMaxHint];
    for (Frame& frame : frames) put(hinted, frame = take(recent));
    machine::hint_free(frames, machine::kMaxHint);
    return true;
}

}  // namespace small
