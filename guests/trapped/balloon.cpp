// A virtio balloon (virtio 1.2, 5.5): memory that whoever runs this machine would like back. The kernel takes frames that nobody
// uses and names them; it keeps some for itself, so who fills all of memory has to make room before more is given.

#include "guests/small/frames.hpp"
#include "guests/trapped/cards.hpp"
#include "guests/trapped/interrupts.hpp"
#include "guests/trapped/registers.hpp"
#include "guests/trapped/virtio.hpp"

namespace small::trapped {
namespace {

constexpr u64 kMost = 16384, kAtOnce = 128, kKept = 128;

VirtQueue given, taken;
u32 held[kMost];  // Numbers of the frames that are in the balloon.
u64 held_count, on_the_way;
u32 wanted, numbers[kAtOnce];
u16 io_base;
bool present;

void on_interrupt() {
    in8(io_base + kInterruptStatus);
    wanted = in32(io_base + kDeviceConfig);
}

void send(VirtQueue& queue, u64 count) {
    on_the_way = count;
    const Piece piece{reinterpret_cast<u64>(numbers), static_cast<u32>(count * sizeof(u32)), false};
    queue.offer(0, &piece, 1);
    queue.notify();
}

/// What was sent has been read: the device may use those frames, or we may.
bool has_arrived() {
    u32 group, written;
    if (given.take(group, written)) {
        for (u64 i = 0; i < on_the_way; ++i) held[held_count++] = numbers[i];
    } else if (taken.take(group, written)) {
        for (u64 i = 0; i < on_the_way; ++i) release_frame(Frame{u64{numbers[i]} * kPageSize});
    } else {
        return false;
    }
    on_the_way = 0;
    out32(io_base + kDeviceConfig + 4, static_cast<u32>(held_count));
    return true;
}

void inflate() {
    u64 count = 0;
    for (; held_count + count < wanted && held_count + count < kMost && count < kAtOnce && free_frames() > kKept; ++count)
        numbers[count] = static_cast<u32>(allocate_frame().address / kPageSize);
    if (count != 0) send(given, count);
}

void deflate() {
    u64 count = 0;
    for (; held_count > wanted && count < kAtOnce; ++count) numbers[count] = held[--held_count];
    if (count != 0) send(taken, count);
}

}  // namespace

void start_balloon() {
    constexpr u32 kTellFirst = 1;
    const PciDevice device = find_pci(0x1af4, 0x1002);
    if (!device) return;
    io_base = device.io_base;
    begin_virtio(device, kTellFirst);
    if (!given.start(io_base, 0, 1) || !taken.start(io_base, 1, 1)) return;
    handle_line(device.line, on_interrupt);
    finish_virtio(device);
    wanted = in32(io_base + kDeviceConfig);
    present = true;
}

void tend_balloon() {
    while (present && (on_the_way == 0 || has_arrived())) {
        if (wanted > held_count) inflate();
        else if (wanted < held_count) deflate();
        if (on_the_way == 0) return;
    }
}

}  // namespace small::trapped
