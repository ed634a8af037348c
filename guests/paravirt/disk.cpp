// The disk as a ring: one request a transfer, whose id is its slot here.

#include "guests/paravirt/ring.hpp"
#include "guests/small/machine.hpp"

namespace small {

using namespace paravirt;

namespace paravirt_layer {
namespace {

constexpr u32 kSlots = 16;
RingEnd ring;
BlockRequest* slots[kSlots];
u64 sectors;

}  // namespace

void start_disk() {
    if (start->disk_sectors != 0 && ring.start(RingKind::disk)) sectors = start->disk_sectors;
}

void on_disk_event() {
    for (Response response; ring.take(response);) {
        if (response.id >= kSlots || slots[response.id] == nullptr) continue;
        BlockRequest& request = *slots[response.id];
        slots[response.id] = nullptr;
        request.ok = response.failed == 0;
        request.done = true;
        on_block_done(request);
    }
}

}  // namespace paravirt_layer

namespace machine {

using namespace paravirt_layer;

u64 block_sectors() { return sectors; }

bool start_block(BlockRequest& request) {
    if (sectors == 0) return false;
    for (u64 i = 0; i < kSlots; ++i) {
        if (slots[i] != nullptr) continue;
        slots[i] = &request;
        ring.ask({i, request.write ? Operation::write : Operation::read, kPageSize, request.sector, request.frame.address});
        ring.notify();
        return true;
    }
    return false;
}

}  // namespace machine
}  // namespace small
