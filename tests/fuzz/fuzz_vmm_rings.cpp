// Any bytes as the memory in which a guest keeps its virtqueues: the walker beside one that was written differently,
// and every device over the same rings.

#include "libos/vmm/devices/virtio_block.hpp"
#include "libos/vmm/devices/virtio_console.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/vmm_machine.hpp"

namespace tessera::fuzz {
namespace {

using namespace vmm;
using namespace test;

constexpr u64 kFrames = 32;
constexpr u32 kQueuePage = 1;
constexpr u16 kSize = 8;

struct Shape {
    u64 readable = 0, writable = 0;
};

/// What a chain is, by recursion over descriptors; empty: it is a lie.
struct Reference {
    TestMemory& memory;
    u32 left = kSize;
    bool written = false;
    Shape shape{};

    bool follow(u64 table, u64 entries, u64 index, bool inner) {
        if (index >= entries) return false;
        const u64 at = table + 16 * index;
        const auto address = memory.read<u64>(at);
        if (!address) return false;
        const u64 length = memory.read<u32>(at + 8).value_or(0);
        const u16 flags = memory.read<u16>(at + 12).value_or(0), next = memory.read<u16>(at + 14).value_or(0);
        if (flags & 4) {
            if (inner || (flags & 1) || length % 16 != 0 || !memory.contains(*address, length)) return false;
            return follow(*address, length / 16, 0, true);
        }
        if (left-- == 0) return false;
        const bool writes = flags & 2;
        if (written && !writes) return false;
        written = writes;
        if (!memory.contains(*address, length)) return false;
        (writes ? shape.writable : shape.readable) += length;
        return (flags & 1) == 0 || follow(table, entries, next, inner);
    }
};

void compare_walkers(TestMemory& memory) {
    VirtQueue queue(kSize);
    queue.place(memory, kQueuePage);
    GuestQueue guest(memory, kQueuePage, kSize);
    Chain chain;
    for (u16 taken = 0;; ++taken) {
        const u16 waiting = static_cast<u16>(memory.read<u16>(guest.available() + 2).value() - taken);
        const u16 head = memory.read<u16>(guest.available() + 4 + 2 * (taken % kSize)).value();
        Reference reference{memory};
        const bool good = waiting != 0 && waiting <= kSize && reference.follow(guest.table(), kSize, head, false);
        const bool was_taken = queue.take(memory, chain);
        expect_kept(was_taken == good ? nullptr : "both walkers take the same chains");
        expect_kept((queue.problem() != nullptr) == (!good && waiting != 0) ? nullptr : "a lie is a problem");
        if (!was_taken) return;
        expect_kept(chain.readable() == reference.shape.readable && chain.writable() == reference.shape.writable
                        ? nullptr
                        : "both walkers see the same bytes");
    }
}

template <class Device, class Use>
void drive(Device& device, Use use) {
    for (u32 queue = 0; queue < 3; ++queue) {
        device.io_write(14, 2, queue);
        device.io_write(8, 4, kQueuePage + queue);
    }
    device.io_write(18, 1, 7);
    for (u32 queue = 0; queue < 3; ++queue) {
        device.io_write(16, 2, queue);
        use();
    }
    device.go_on();
}

std::vector<u8> image(u16 size, const std::vector<std::vector<Buffer>>& chains, std::span<const u8> header) {
    TestMemory memory(kFrames);
    GuestQueue guest(memory, kQueuePage, size);
    memory.copy_out(20 * kPageSize, std::as_bytes(header));
    u16 first = 0;
    for (const auto& chain : chains) {
        guest.offer(chain, first);
        first = static_cast<u16>(first + chain.size());
    }
    std::vector<u8> bytes(4 * kPageSize);
    memory.copy_in(std::as_writable_bytes(std::span(bytes)), kPageSize);
    return bytes;
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    constexpr u64 kData = 20 * kPageSize;
    const u8 read[16]{}, flush[16]{4};
    const std::vector<std::vector<Buffer>> disk = {{{kData, 16, false}, {kData + 64, 512, true}, {kData + 32, 1, true}},
                                                   {{kData, 16, false}, {kData + 32, 1, true}}};
    const std::vector<std::vector<Buffer>> net = {{{kData, 10, false}, {kData + 64, 60, false}}, {{kData, 2000, true}}};
    return {image(kSize, disk, read), image(kMaxQueueSize, disk, flush), image(kSize, net, read),
            image(kMaxQueueSize, net, read)};
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    using namespace tessera;
    using namespace tessera::fuzz;
    const auto bytes = std::as_bytes(std::span(data, std::min<std::size_t>(size, (kFrames - 1) * kPageSize)));
    TestMemory memory(kFrames);
    TestLog log;
    TestDisk disk(16);
    TestPort port;
    TestSink sink;
    TestOwner owner;
    memory.copy_out(kPageSize, bytes);
    compare_walkers(memory);

    VirtioBlock block(memory, log, disk, "disk");
    VirtioNet net(memory, log, port, {2});
    VirtioConsole console(memory, log, sink);
    VirtioBalloon balloon(memory, log, owner);
    memory.holes = {5};
    memory.read_only = {6};
    drive(block, [] {});
    drive(net, [&] { net.receive(Bytes(64)); });
    drive(console, [&] { console.receive(Bytes(64)); });
    drive(balloon, [&] { balloon.ask_statistics(); });
    expect_kept(memory.outside ? "no page is asked for that cannot be" : nullptr);
    expect_kept(log.notes.size() > 4 ? "a device complains once" : nullptr);
    for (const u64 frame : owner.given) expect_kept(frame < kFrames ? nullptr : "pages given are the guest's");
    for (const Bytes& frame : port.sent)
        expect_kept(frame.size() >= kMinFrame && frame.size() <= kMaxFrame ? nullptr : "frames have a frame's size");
    return 0;
}
