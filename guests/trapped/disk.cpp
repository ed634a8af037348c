// A virtio disk (virtio 1.2, 5.2): each transfer is a header, a page and a status byte.

#include "guests/trapped/cards.hpp"

#include "guests/small/machine.hpp"
#include "guests/trapped/interrupts.hpp"
#include "guests/trapped/registers.hpp"
#include "guests/trapped/virtio.hpp"

namespace small {
namespace trapped {
namespace {

constexpr u32 kSlots = 16;  // Transfers under way.
constexpr u8 kNotSet = 0xff;

struct Header {
    u32 type, reserved;
    u64 sector;
};
struct Slot {
    BlockRequest* request;
    Header header;
    volatile u8 status;
};

VirtQueue queue;
Slot slots[kSlots];
u64 sectors;
u16 io_base;

void on_interrupt() {
    in8(io_base + kInterruptStatus);  // Takes the line back.
    for (u32 group, written; queue.take(group, written);) {
        if (group >= kSlots || slots[group].request == nullptr) continue;
        BlockRequest& request = *slots[group].request;
        slots[group].request = nullptr;
        request.ok = slots[group].status == 0;
        request.done = true;
        on_block_done(request);
    }
}

}  // namespace

void start_disk() {
    const PciDevice device = find_pci(0x1af4, 0x1001);
    if (!device) return;
    io_base = device.io_base;
    begin_virtio(device, 0);
    if (!queue.start(io_base, 0, 3) || queue.groups() < kSlots) return;
    sectors = in32(io_base + kDeviceConfig) | u64{in32(io_base + kDeviceConfig + 4)} << 32;
    handle_line(device.line, on_interrupt);
    finish_virtio(device);
}

}  // namespace trapped

namespace machine {

using namespace trapped;

u64 block_sectors() { return sectors; }

bool start_block(BlockRequest& request) {
    if (sectors == 0) return false;
    for (u32 i = 0; i < kSlots; ++i) {
        Slot& slot = slots[i];
        if (slot.request != nullptr) continue;
        slot.request = &request;
        slot.header = {request.write ? 1u : 0u, 0, request.sector};
        slot.status = kNotSet;
        const Piece pieces[] = {{reinterpret_cast<u64>(&slot.header), sizeof slot.header, false},
                                {request.frame.address, kPageSize, !request.write},
                                {reinterpret_cast<u64>(&slot.status), 1, true}};
        queue.offer(i, pieces, 3);
        queue.notify();
        return true;
    }
    return false;
}

}  // namespace machine
}  // namespace small
