// Virtio devices through their registers and rings, as a driver sees them; and what they do about a guest that lies.
#include <doctest/doctest.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <utility>

#include "libos/vmm/devices/time.hpp"
#include "libos/vmm/devices/virtio_balloon.hpp"
#include "libos/vmm/devices/virtio_block.hpp"
#include "libos/vmm/devices/virtio_console.hpp"
#include "libos/vmm/devices/virtio_net.hpp"
#include "tests/unit/random.hpp"
#include "tests/unit/vmm_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace {

constexpr u64 kBuffers = 64 * kPageSize;

/// A device on a bus, and a driver that has set up its queues.
template <class Device>
struct Driven {
    TestMemory memory{128};
    TestLog log;
    Pic pic{PciBus::kLevelTriggered};
    PciBus pci{pic};
    Device device;
    std::vector<GuestQueue> queues;

    template <class... T>
    explicit Driven(T&&... arguments) : device(memory, log, std::forward<T>(arguments)...) {
        pci.add(device);
        for (const auto& [port, value] : {std::pair<u16, u32>{0xa0, 0x11},
                                          {0xa1, 0x28},
                                          {0xa1, 2},
                                          {0xa1, 3},
                                          {0xa1, 0},
                                          {0x20, 0x11},
                                          {0x21, 0x20},
                                          {0x21, 4},
                                          {0x21, 3},
                                          {0x21, 0}})
            pic.write(port, 1, value);
        start();
    }
    void start() {
        queues.clear();
        device.io_write(18, 1, 0);
        device.io_write(18, 1, 3);
        device.io_write(4, 4, ~u32{0});
        for (u32 i = 0; i < 3; ++i) {
            device.io_write(14, 2, i);
            const u16 size = static_cast<u16>(device.io_read(12, 2));
            queues.emplace_back(memory, 1 + 4 * i, size);
            if (size != 0) device.io_write(8, 4, queues.back().page());
        }
        device.io_write(18, 1, 7);
    }
    void notify(u32 queue) { device.io_write(16, 2, queue); }
    bool interrupted() {
        const bool up = pic.pending();
        const bool cause = (device.io_read(19, 1) & 1) != 0;
        CHECK(up == cause);
        CHECK_FALSE(pic.pending());  // reading the cause takes the line down
        return cause;
    }
    void forget_memory() {
        for (u64 page = 1; page < 16; ++page) memory.clear(page * kPageSize, kPageSize);
    }
};

struct Request {
    u32 type = 0, priority = 0;
    u64 sector = 0;
};

using Block = Driven<VirtioBlock>;

/// Put a request on a disk's queue: header, data, status. Answers the status.
u32 request(Block& block, const Request& header, u64 data, u32 size, bool reads) {
    block.memory.write(kBuffers, header);
    block.memory.write(kBuffers + 16, u8{0xee});
    block.queues[0].offer({{kBuffers, 16, false}, {data, size, reads}, {kBuffers + 16, 1, true}});
    block.notify(0);
    return block.memory.read<u8>(kBuffers + 16).value();
}

}  // namespace

TEST_CASE("vmm: a legacy virtio device's registers") {
    TestDisk disk(100);
    Block block(disk, "disk-0");
    VirtioBlock& device = block.device;
    CHECK((device.io_read(0, 4) & (1u << 28 | 1u << 9 | 1u << 6 | 1u << 5)) == (1u << 28 | 1u << 9 | 1u << 6));
    CHECK(device.io_read(4, 4) == device.io_read(0, 4));  // what was not offered cannot be taken
    CHECK(device.io_read(18, 1) == 7);
    CHECK(device.io_read(20, 4) == 100);
    CHECK(device.io_read(24, 4) == 0);
    CHECK(device.io_read(32, 4) == kMaxQueueSize - 2);
    CHECK(device.io_read(40, 4) == 512);
    CHECK(device.io_read(60, 4) == 0);
    device.io_write(14, 2, 0);
    CHECK(device.io_read(12, 2) == kMaxQueueSize);
    CHECK(device.io_read(8, 4) == 1);
    device.io_write(14, 2, 1);
    CHECK(device.io_read(12, 2) == 0);
    device.io_write(14, 2, 0xffff);
    CHECK(device.io_read(12, 2) == 0);
    CHECK(device.io_read(8, 4) == 0);
    device.io_write(8, 4, 5);
    device.io_write(16, 2, 0xffff);
    device.io_write(18, 1, 0);
    device.io_write(14, 2, 0);
    CHECK(device.io_read(8, 4) == 0);
    CHECK(device.io_read(4, 4) == 0);
    CHECK(block.log.notes.empty());
}

TEST_CASE("vmm: a disk is read and written like the bytes that stand behind it") {
    TestDisk disk(256);
    Block block(disk, "disk-0");
    Random random(13);
    Bytes model = disk.bytes;
    for (u32 i = 0; i < 600; ++i) {
        const u64 sectors = random.between(1, 40), first = random.below(256 - sectors + 1);
        const u32 size = static_cast<u32>(sectors * 512);
        const u64 data = kBuffers + 0x100 + random.below(8192);
        Bytes bytes(size);
        if (random.one_in(2)) {
            for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
            block.memory.copy_out(data, bytes);
            REQUIRE(request(block, {1, 0, first}, data, size, false) == 0);
            std::copy(bytes.begin(), bytes.end(), model.begin() + static_cast<long>(first * 512));
        } else {
            REQUIRE(request(block, {0, 0, first}, data, size, true) == 0);
            block.memory.copy_in(bytes, data);
            REQUIRE(std::equal(bytes.begin(), bytes.end(), model.begin() + static_cast<long>(first * 512)));
        }
        REQUIRE(block.interrupted());
    }
    CHECK(disk.bytes == model);
    CHECK(request(block, {4}, kBuffers + 512, 0, false) == 0);
    CHECK(disk.flushes == 1);
    CHECK(request(block, {8}, kBuffers + 512, 20, true) == 0);
    CHECK(block.memory.read<u8>(kBuffers + 512 + 5) == '0');
    CHECK(block.log.notes.empty());
}

TEST_CASE("vmm: whole pages that a disk can show are not copied, and nothing else is shown") {
    // Shows every page but those of `refused`, by noting it.
    struct ShowingDisk final : Disk {
        TestDisk disk{256};
        std::map<u64, u64> shown;  // guest frame -> first sector
        u64 refused = ~u64{0};
        bool show(u64 sector, u64 guest_frame) override {
            if (sector / 8 == refused) return false;
            REQUIRE(shown.emplace(guest_frame, sector).second);
            return true;
        }
        u64 sectors() const override { return disk.sectors(); }
        bool writable() const override { return true; }
        bool read(u64 sector, std::span<std::byte> to) override { return disk.read(sector, to); }
        bool write(u64 sector, std::span<const std::byte> from) override { return disk.write(sector, from); }
        bool flush() override { return true; }
    };
    ShowingDisk disk;
    Block block(disk, "d");
    Random random(14);
    for (std::byte& each : disk.disk.bytes) each = static_cast<std::byte>(random.between(1, 255));
    u64 whole = 0, in_parts = 0;
    for (u32 i = 0; i < 500; ++i) {
        disk.shown.clear();
        disk.refused = random.below(32);
        // A chain of up to four buffers, some of which are pages, somewhere in the data: what is copied there was not before.
        const u64 header = kBuffers - kPageSize, status = header + 16;
        std::vector<Buffer> chain{{header, 16, false}};
        std::vector<std::pair<u64, u64>> pages;  // offset in the data, guest frame
        u64 size = 0;
        for (u64 part = random.between(1, 4); part != 0; --part) {
            const u64 frame = kBuffers / kPageSize + 8 * part + random.below(4);
            const bool page = random.one_in(2);
            const u32 length = page ? static_cast<u32>(random.between(1, 3) * kPageSize) : static_cast<u32>(random.between(1, 12) * 512);
            const u64 address = frame * kPageSize + (page ? 0 : 512 * random.below(2));
            chain.push_back({address, length, true});
            for (u64 at = 0; at + kPageSize <= length && address % kPageSize == 0; at += kPageSize) pages.emplace_back(size + at, frame + at / kPageSize);
            block.memory.clear(address, length);
            size += length;
        }
        chain.push_back({status, 1, true});
        const u64 sector = random.below(256 - size / 512 + 1);
        block.memory.write(header, ::Request{0, 0, sector});
        block.queues[0].offer(chain);
        block.notify(0);
        REQUIRE(block.memory.read<u8>(status) == 0);
        // Each shown page is a whole one of the chain, with the sectors that would have been read there; everything else was read.
        u64 offset = 0;
        for (const Buffer& part : chain) {
            if (!part.device_writes || part.length == 1) continue;
            for (u64 at = 0; at < part.length; at += 512) {
                const u64 address = part.address + at, where = sector + (offset + at) / 512;
                const auto shown = disk.shown.find(address / kPageSize);
                Bytes bytes(512);
                block.memory.copy_in(bytes, address);
                if (shown != disk.shown.end()) {
                    REQUIRE(shown->second + address % kPageSize / 512 == where);
                    REQUIRE(std::ranges::all_of(bytes, [](std::byte each) { return each == std::byte{0}; }));
                } else {
                    REQUIRE(std::equal(bytes.begin(), bytes.end(), disk.disk.bytes.begin() + static_cast<long>(where * 512)));
                }
            }
            offset += part.length;
        }
        for (const auto& [frame, first] : disk.shown) {
            const auto page = std::ranges::find(pages, frame, &std::pair<u64, u64>::second);
            REQUIRE(page != pages.end());
            REQUIRE(first == sector + page->first / 512);
        }
        whole += disk.shown.size();
        in_parts += pages.empty() && !disk.shown.empty();
    }
    CHECK(whole > 500);
    CHECK(in_parts == 0);
    // Never for a write, nor a page that is not in memory: that breaks the disk.
    disk.shown.clear();
    CHECK(request(block, {1}, kBuffers + 8 * kPageSize, kPageSize, false) == 0);
    CHECK(request(block, {0}, 128 * kPageSize, kPageSize, true) == 0xee);
    CHECK(block.device.broken());
    CHECK(disk.shown.empty());
}

TEST_CASE("vmm: what a disk cannot do is an error for the guest, and no more") {
    TestDisk disk(100);
    Block block(disk, "d");
    const u64 data = kBuffers + 512;
    CHECK(request(block, {0, 0, 100}, data, 512, true) == 1);
    CHECK(request(block, {0, 0, 99}, data, 1024, true) == 1);
    CHECK(request(block, {0, 0, ~u64{0}}, data, 512, true) == 1);
    CHECK(request(block, {1, 0, 0}, data, 100, false) == 1);
    CHECK(request(block, {77, 0, 0}, data, 512, true) == 2);
    disk.bad_sector = 8;
    CHECK(request(block, {0, 0, 8}, data, 512, true) == 1);
    CHECK(request(block, {1, 0, 8}, data, 512, false) == 1);
    disk.can_write = false;
    CHECK(request(block, {1, 0, 0}, data, 512, false) == 1);
    CHECK(block.log.notes.empty());
    Block read_only(disk, "d");
    CHECK((read_only.device.io_read(0, 4) >> 5 & 1) == 1);
}

TEST_CASE("vmm: a device whose guest breaks the rules stops until it is reset, and says so once") {
    TestDisk disk(100);
    Block block(disk, "d");
    for (u32 round = 0; round < 3; ++round) {
        block.queues[0].offer({{kBuffers, 16, false}});  // no status byte
        block.notify(0);
        CHECK(block.device.broken());
        CHECK(block.device.io_read(18, 1) == 0x47);
        CHECK(request(block, {0}, kBuffers + 512, 512, true) == 0xee);
        block.forget_memory();
        block.start();
        CHECK_FALSE(block.device.broken());
        CHECK(request(block, {0}, kBuffers + 512, 512, true) == 0);
    }
    CHECK(block.log.notes == std::vector<std::string>{"virtio-blk: a request without header or status"});
}

TEST_CASE("vmm: buffers that are not in memory break the disk, or fail its request") {
    TestDisk disk(100);
    Block block(disk, "d");
    block.memory.holes = {100};
    CHECK(request(block, {0}, 100 * kPageSize, 512, true) == 1);
    CHECK(request(block, {1}, 100 * kPageSize - 256, 512, false) == 1);
    CHECK_FALSE(block.device.broken());
    block.memory.write(kBuffers, Request{});
    block.queues[0].offer({{kBuffers, 16, false}, {100 * kPageSize, 1, true}});
    block.notify(0);
    CHECK(block.device.broken());
}

TEST_CASE("vmm: a guest that always offers more does not keep the monitor") {
    struct Endless final : Disk {
        u64 sectors() const override { return 8; }
        bool writable() const override { return true; }
        bool read(u64, std::span<std::byte>) override { return true; }
        bool write(u64, std::span<const std::byte>) override { return true; }
        bool flush() override {
            more();
            return true;
        }
        std::function<void()> more;
    } disk;
    Block block(disk, "d");
    u64 served = 0;
    disk.more = [&] {
        ++served;
        block.queues[0].offer({{kBuffers, 16, false}, {kBuffers + 16, 1, true}});
    };
    block.memory.write(kBuffers, Request{4});
    block.queues[0].offer({{kBuffers, 16, false}, {kBuffers + 16, 1, true}});
    block.notify(0);
    CHECK(served == kMaxQueueSize);
    CHECK(block.device.has_more());
    block.device.go_on();
    CHECK(served == 2 * kMaxQueueSize);
    disk.more = [&] { ++served; };
    block.device.go_on();
    CHECK_FALSE(block.device.has_more());
    block.device.go_on();
    CHECK(served == 2 * kMaxQueueSize + 1);
}

TEST_CASE("vmm: how much is moved for one notification does not depend on how much the guest asks for") {
    struct Large final : Disk {
        u64 sectors() const override { return u64{1} << 20; }
        bool writable() const override { return true; }
        bool read(u64, std::span<std::byte> to) override {
            bytes += to.size();
            return true;
        }
        bool write(u64, std::span<const std::byte>) override { return true; }
        bool flush() override { return true; }
        u64 bytes = 0;
    } disk;
    Block block(disk, "d");
    // The same buffer 16 times in each of three requests: 3.75 MiB a time.
    constexpr u32 kBuffer = 240 << 10, kTimes = 16, kRequests = 3, kDescriptors = kTimes + 2;
    block.memory.write(kBuffers, Request{0});
    for (u16 i = 0; i < kRequests; ++i) {
        std::vector<Buffer> chain(kDescriptors, {kBuffers + kPageSize, kBuffer, true});
        chain.front() = {kBuffers, 16, false};
        chain.back() = {kBuffers + 16, 1, true};
        block.queues[0].offer(chain, static_cast<u16>(i * kDescriptors));
    }
    // What was moved before says when it is enough, so two of them go.
    block.notify(0);
    CHECK(disk.bytes < 3 * kTimes * u64{kBuffer});
    CHECK(block.queues[0].used_index() < kRequests);
    CHECK(block.device.has_more());
    for (u32 i = 0; i < kRequests; ++i) block.device.go_on();
    CHECK(block.queues[0].used_index() == kRequests);
    CHECK_FALSE(block.device.has_more());
}

TEST_CASE("vmm: frames go out and come in") {
    TestPort port;
    Driven<VirtioNet> net(port, MacAddress{2, 0, 0, 0, 0, 7});
    CHECK(net.device.io_read(20, 4) == 2);
    CHECK(net.device.io_read(24, 2) == 0x0700);
    CHECK((net.device.io_read(26, 2) & 1) == 1);

    const Bytes frame = bytes_of("a frame of more than fourteen bytes");
    CHECK_FALSE(net.device.receive(frame));  // no buffer yet
    net.memory.copy_out(kBuffers + 100, frame);
    net.queues[1].offer({{kBuffers, 10, false}, {kBuffers + 100, static_cast<u32>(frame.size()), false}});
    net.notify(1);
    REQUIRE(port.sent.size() == 1);
    CHECK(port.sent[0] == frame);
    CHECK(net.interrupted());

    net.queues[0].offer({{kBuffers, 2048, true}});
    net.notify(0);
    CHECK(net.device.receive(frame));
    CHECK(net.interrupted());
    CHECK(net.queues[0].used_length(0) == 10 + frame.size());
    Bytes received(frame.size());
    net.memory.copy_in(received, kBuffers + 10);
    CHECK(received == frame);
    CHECK(net.memory.read<u8>(kBuffers) == 0);
    CHECK_FALSE(net.device.receive(frame));
    CHECK_FALSE(net.device.receive(std::span(frame).first(13)));
    CHECK_FALSE(net.device.receive(Bytes(1519)));
    CHECK(net.device.frames_lost() == 4);
}

TEST_CASE("vmm: frames that are none are lost, and buffers that are too small break the card") {
    TestPort port;
    Driven<VirtioNet> net(port, MacAddress{2});
    for (const u32 size : {0u, 9u, 10u, 23u, 1529u, 40'000u}) {
        net.queues[1].offer({{kBuffers, size, false}});
        net.notify(1);
    }
    CHECK(port.sent.empty());
    CHECK(net.queues[1].used_index() == 6);
    CHECK_FALSE(net.device.broken());
    net.queues[0].offer({{kBuffers, 20, true}});
    CHECK_FALSE(net.device.receive(Bytes(60)));
    CHECK(net.device.broken());
    CHECK_FALSE(net.device.receive(Bytes(60)));
    net.queues[1].offer({{kBuffers, 100, false}});
    net.notify(1);
    CHECK(port.sent.empty());
}

TEST_CASE("vmm: a console's bytes both ways") {
    TestSink sink;
    Driven<VirtioConsole> console(sink);
    console.memory.copy_out(kBuffers, bytes_of("hello, "));
    console.memory.copy_out(kBuffers + 5000, bytes_of(std::string(700, 'x')));
    console.queues[1].offer({{kBuffers, 7, false}, {kBuffers + 5000, 700, false}});
    console.notify(1);
    CHECK(sink.text == "hello, " + std::string(700, 'x'));
    CHECK(console.device.receive(bytes_of("typed")) == 0);
    console.queues[0].offer({{kBuffers, 3, true}}, 0);
    console.queues[0].offer({{kBuffers + 3, 3, true}}, 1);
    CHECK(console.device.receive(bytes_of("typed")) == 5);
    Bytes text(5);
    console.memory.copy_in(text, kBuffers);
    CHECK(text_of(text) == "typed");
    CHECK(console.queues[0].used_length(1) == 2);
    console.queues[1].offer({{kBuffers, 65'537, false}});
    console.notify(1);
    CHECK(console.device.broken());
}

TEST_CASE("vmm: the balloon") {
    TestOwner owner;
    Driven<VirtioBalloon> balloon(owner);
    balloon.device.set_target(3);
    CHECK((balloon.device.io_read(19, 1) & 2) == 2);
    CHECK(balloon.device.io_read(20, 4) == 3);
    const u32 pages[] = {90, 91, 92};
    balloon.memory.write(kBuffers, pages);
    balloon.queues[0].offer({{kBuffers, 12, false}});
    balloon.notify(0);
    CHECK(owner.given == std::set<u64>{90, 91, 92});
    balloon.device.io_write(24, 4, 3);
    CHECK(balloon.device.actual() == 3);
    balloon.device.io_write(20, 4, 77);
    CHECK(balloon.device.target() == 3);
    balloon.queues[1].offer({{kBuffers + 4, 4, false}});
    balloon.notify(1);
    CHECK(owner.given == std::set<u64>{90, 92});

    CHECK_FALSE(balloon.device.ask_statistics());
    const u16 tag = 4;
    const u64 value = 123'456;
    balloon.memory.write(kBuffers, tag);
    balloon.memory.write(kBuffers + 2, value);
    balloon.queues[2].offer({{kBuffers, 15, false}});
    balloon.notify(2);
    CHECK(balloon.device.statistics_received() == 1);
    CHECK(balloon.device.statistic(MemoryStatistic::free) == value);
    CHECK(balloon.device.statistic(MemoryStatistic::total) == kNever);
    CHECK(balloon.queues[2].used_index() == 0);
    CHECK(balloon.device.ask_statistics());
    CHECK(balloon.queues[2].used_index() == 1);
    CHECK_FALSE(balloon.device.ask_statistics());

    balloon.memory.write(kBuffers, u32{128});  // the guest has 128 frames: this is none
    balloon.queues[0].offer({{kBuffers, 4, false}});
    balloon.notify(0);
    CHECK(balloon.device.broken());
    CHECK(owner.given == std::set<u64>{90, 92});
}

TEST_CASE("vmm: a balloon without a driver pulls at no line") {
    TestMemory memory(16);
    TestLog log;
    TestOwner owner;
    Pic pic(PciBus::kLevelTriggered);
    PciBus pci(pic);
    VirtioBalloon balloon(memory, log, owner);
    REQUIRE(pci.add(balloon));
    balloon.set_target(100);
    CHECK((balloon.config_byte(6) & 8) == 0);
}
