// Both directions of the console's port.
#include "libos/vmm/devices/virtio_console.hpp"

#include <algorithm>

namespace tessera::vmm {
namespace {

constexpr VirtioKind kKind{"virtio-console", 3, 0x1003, 0x07'8000, 0, {kMaxQueueSize, kMaxQueueSize, 0}};

}  // namespace

VirtioConsole::VirtioConsole(GuestMemory& memory, GuestLog& log, ByteSink& sink)
    : VirtioDevice(kKind, memory, log), sink_(sink) {}

void VirtioConsole::on_notify(u32 queue) {
    if (queue == kSend) serve_all(queue, [this](const Chain& chain) { return send(chain); });
}

u32 VirtioConsole::send(const Chain& chain) {
    if (chain.readable() > kMostAtOnce) {
        give_up(kSend, "more than 65536 bytes printed at once");
        return 0;
    }
    std::byte text[256];
    for (u64 done = 0; done < chain.readable();) {
        const std::span part(text, std::min<u64>(chain.readable() - done, sizeof text));
        if (!chain.read(memory_, done, part)) {
            give_up(kSend, "text that is not in memory");
            return 0;
        }
        sink_.put(part);
        done += part.size();
    }
    return 0;
}

u64 VirtioConsole::receive(std::span<const std::byte> bytes) {
    u64 received = 0;
    while (received < bytes.size() && take(kReceive)) {
        const u16 head = chain_.head();
        const u64 count = std::min<u64>(bytes.size() - received, chain_.writable());
        if (count == 0 || !chain_.write(memory_, 0, bytes.subspan(received, count))) {
            give_up(kReceive, "a receive buffer that is empty or not in memory");
            break;
        }
        finish(kReceive, head, static_cast<u32>(count));
        received += count;
    }
    return received;
}

}  // namespace tessera::vmm
