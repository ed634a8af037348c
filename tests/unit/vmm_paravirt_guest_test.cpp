// A paravirtual guest's traps, events, hypercalls and page faults, as its run loop sees them; and its rings.
#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <utility>

#include "libos/vmm/paravirt/ring_devices.hpp"
#include "libos/vmm/paravirt/tick_timer.hpp"
#include "tests/unit/random.hpp"
#include "tests/unit/vmm_paravirt.hpp"

using namespace tessera;
using namespace tessera::vmm::paravirt;
using tessera::test::NotedEffects;
using tessera::test::PlainMemory;
using tessera::test::Random;

namespace {

constexpr u64 kFrames = 24, kEnd = (kFrames - 2) * kPageSize;
constexpr u64 kEntry = 0x1000, kTrapEntry = 0x1800, kKernelStack = 0x4000;

struct Fixture {
    PlainMemory memory{kFrames};
    NotedEffects effects;
    std::vector<PageTables::FrameUse> uses = std::vector<PageTables::FrameUse>(kFrames - 2);
    Guest guest{memory, effects, uses};
    GuestState state{};

    Fixture() {
        StartInformation information{};
        std::strcpy(information.command_line, "test");
        REQUIRE(guest.start(information, kEntry, state));
    }
    SharedPage& shared() { return *reinterpret_cast<SharedPage*>(memory.words(kFrames - 1)); }
    i64 hypercall(Hypercall number, u64 a = 0, u64 b = 0) {
        state.rax = static_cast<u64>(number), state.rdi = a, state.rsi = b;
        REQUIRE(guest.on_syscall(state) == Next::run);
        return static_cast<i64>(state.rax);
    }
    TrapFrame frame_at(u64 address) { return *guest.memory().read<TrapFrame>(address); }
    /// In user mode at 7, with a trap entry.
    void enter_program() {
        REQUIRE(hypercall(Hypercall::set_trap_entry, kTrapEntry) == 0);
        shared().kernel_stack = kKernelStack;
        TrapFrame frame{};
        frame.rip = 7, frame.mode = kUserMode, frame.rflags = 0x3202, frame.rsp = 0x1234, frame.rbx = 55;
        REQUIRE(guest.memory().write(0x2000, frame));
        state.rax = static_cast<u64>(Hypercall::return_from_trap), state.rdi = 0x2000;
        REQUIRE(guest.on_syscall(state) == Next::run);
        REQUIRE(guest.user_mode());
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "paravirt guest: it starts with its information in rdi and events masked") {
    CHECK(state.rip == kEntry);
    CHECK(state.rdi == kEnd);
    const auto information = guest.memory().read<StartInformation>(kEnd);
    CHECK(information->memory_end == kEnd);
    CHECK(information->shared_page == kEnd + kPageSize);
    CHECK(std::strcmp(information->command_line, "test") == 0);
    CHECK(shared().events_masked != 0);
    CHECK_FALSE(guest.user_mode());
}

TEST_CASE_FIXTURE(Fixture, "paravirt guest: a program's call goes to its kernel and back") {
    enter_program();
    CHECK((state.rip == 7 && state.rsp == 0x1234 && state.rbx == 55));
    CHECK(state.rflags == 0x202);  // No IOPL.
    CHECK(shared().events_masked == 0);
    state.rax = 1, state.r15 = 99, state.rip = 9;
    REQUIRE(guest.on_syscall(state) == Next::run);
    CHECK_FALSE(guest.user_mode());
    CHECK(state.rip == kTrapEntry);
    CHECK(state.rdi == kKernelStack - sizeof(TrapFrame));
    CHECK(state.rsp == state.rdi - 8);
    CHECK(state.rsp % 16 == 8);  // As behind a call.
    CHECK(shared().events_masked == 1);
    const TrapFrame frame = frame_at(state.rdi);
    CHECK((frame.vector == kSystemCallVector && frame.mode == kUserMode && frame.rip == 9 && frame.rsp == 0x1234));
    CHECK((frame.rax == 1 && frame.r15 == 99 && frame.rbx == 55));
    CHECK(frame.rflags == 0x202);
    state.rax = static_cast<u64>(Hypercall::return_from_trap);
    REQUIRE(guest.on_syscall(state) == Next::run);
    CHECK((guest.user_mode() && state.rip == 9 && state.rax == 1 && state.r15 == 99));
}

TEST_CASE_FIXTURE(Fixture, "paravirt guest: exceptions and events nest on the kernel's own stack") {
    enter_program();
    REQUIRE(guest.on_exception(state, 14, 6, 0xabc) == Next::run);
    CHECK(shared().fault_address == 0xabc);
    CHECK((frame_at(state.rdi).vector == 14 && frame_at(state.rdi).error == 6));
    guest.post(Event::disk);
    REQUIRE(guest.go_on(state) == Next::run);
    CHECK(state.rip == kTrapEntry);
    CHECK(state.rsp == kKernelStack - sizeof(TrapFrame) - 8);  // Masked: nothing came.
    shared().events_masked = 0;
    const u64 rsp = state.rsp;
    REQUIRE(guest.go_on(state) == Next::run);
    const TrapFrame frame = frame_at(state.rdi);
    CHECK((frame.vector == kEventVector && frame.mode == kKernelMode && frame.rsp == rsp && (frame.rflags & 0x200)));
    CHECK(state.rdi + sizeof(TrapFrame) <= rsp - 128);  // The red zone is left alone.
    CHECK(shared().events_masked == 1);
    CHECK(shared().pending == bit(Event::disk));
}

TEST_CASE_FIXTURE(Fixture, "paravirt guest: events wait for their mask, and a wait for them") {
    enter_program();
    REQUIRE(guest.on_syscall(state) == Next::run);  // In the kernel.
    state.rax = static_cast<u64>(Hypercall::wait);
    CHECK(guest.on_syscall(state) == Next::wait);
    guest.tick(3);
    CHECK(shared().timer_ticks == 3);
    CHECK(guest.has_events());
    shared().masked_channels = bit(Event::timer);
    CHECK_FALSE(guest.has_events());
    CHECK(hypercall(Hypercall::take_events) == 0);
    CHECK(state.rip == kTrapEntry);
    shared().masked_channels = 0;
    state.rax = static_cast<u64>(Hypercall::wait);
    CHECK(guest.on_syscall(state) == Next::run);
    state.rip = 77, state.rax = static_cast<u64>(Hypercall::take_events);
    CHECK(guest.on_syscall(state) == Next::run);
    CHECK((state.rip == kTrapEntry && frame_at(state.rdi).rip == 77 && frame_at(state.rdi).rax == 0));
}

TEST_CASE_FIXTURE(Fixture, "paravirt guest: it ends, or breaks, in words") {
    state.rax = static_cast<u64>(Hypercall::power_off), state.rdi = 0;
    CHECK(guest.on_syscall(state) == Next::off);
    state.rdi = 1;
    CHECK(guest.on_syscall(state) == Next::failed);
    CHECK(guest.on_exception(state, 6, 0, 0) == Next::broken);
    CHECK(std::string(guest.reason()) == "a trap, and no trap entry is set");
    enter_program();
    for (const u64 stack : {u64{0}, u64{100}, kEnd + 3 * kPageSize, ~u64{0}}) {
        Fixture other;
        other.enter_program();
        other.shared().kernel_stack = stack;
        CHECK(other.guest.on_syscall(other.state) == Next::broken);
        CHECK(std::string(other.guest.reason()) == "its kernel stack is not in its memory");
    }
    REQUIRE(guest.tables().create_root(3));  // Where the kernel stack is.
    CHECK(guest.on_syscall(state) == Next::broken);
}

TEST_CASE_FIXTURE(Fixture, "paravirt guest: hypercalls do what they say, and refuse the rest") {
    CHECK(hypercall(static_cast<Hypercall>(0)) < 0);
    CHECK(hypercall(Hypercall::count) < 0);
    CHECK(hypercall(static_cast<Hypercall>(~u64{0})) < 0);
    CHECK(hypercall(Hypercall::set_trap_entry, kEnd) < 0);
    CHECK(hypercall(Hypercall::return_from_trap, ~u64{0} - 8) < 0);
    // A table, loaded, is kept.
    CHECK(hypercall(Hypercall::create_root, 5 * kPageSize + 8) < 0);
    CHECK(hypercall(Hypercall::create_root, 5 * kPageSize) == 0);
    CHECK(hypercall(Hypercall::switch_root, 6 * kPageSize) < 0);
    CHECK(hypercall(Hypercall::switch_root, 5 * kPageSize) == 0);
    CHECK(guest.root() == 5);
    CHECK(hypercall(Hypercall::destroy_root, 5 * kPageSize) < 0);
    // Updates: as many as were right.
    std::array<Update, 20> updates{};
    for (u64 i = 0; i < updates.size(); ++i) updates[i] = {5 * kPageSize + 8 * (32 + i), (6 + i % 2) << kPageShift | 7};
    updates[18].value = kEnd | 7;
    REQUIRE(guest.memory().copy_out(0x2000, std::as_bytes(std::span(updates))));
    CHECK(hypercall(Hypercall::update_entries, 0x2000, updates.size()) == 18);
    CHECK(memory.words(5)[32 + 17] == (7 << kPageShift | 7));
    CHECK(memory.words(5)[32 + 18] == 0);
    CHECK(hypercall(Hypercall::update_entries, 0x2000, kMaxUpdates + 1) < 0);
    CHECK(hypercall(Hypercall::update_entries, ~u64{0} - 100, 5) < 0);
    CHECK(hypercall(Hypercall::update_entries, kFrames * kPageSize - 10, 1) < 0);
    // Frames.
    const u64 frames[] = {8 * kPageSize, 9 * kPageSize, 5 * kPageSize};
    REQUIRE(guest.memory().copy_out(0x3000, std::as_bytes(std::span(frames))));
    CHECK(hypercall(Hypercall::zero_frames, 0x3000, 2) == 0);
    CHECK(effects.zeroed == std::vector<u64>{8, 9});
    CHECK(hypercall(Hypercall::free_frames, 0x3000, 3) < 0);  // The last one is a table.
    CHECK(effects.freed == std::vector<u64>{8, 9});
    CHECK(hypercall(Hypercall::zero_frames, 0x3000, kMaxFrames + 1) < 0);
    // Text, timer, rings.
    REQUIRE(guest.memory().copy_out(0x3800, std::as_bytes(std::span("hello"))));
    CHECK(hypercall(Hypercall::print, 0x3800, 5) == 0);
    CHECK(hypercall(Hypercall::print, 0x3800, kMaxPrint + 1) < 0);
    CHECK(effects.printed == "hello");
    CHECK(hypercall(Hypercall::set_timer, 1000) == 0);
    CHECK(effects.timer == 1000);
    CHECK(hypercall(Hypercall::start_ring, 1, 10 * kPageSize) == 0);
    CHECK(hypercall(Hypercall::start_ring, 1, 5 * kPageSize) < 0);
    CHECK(hypercall(Hypercall::start_ring, 1, 3 * kPageSize) < 0);  // Not empty.
    CHECK(hypercall(Hypercall::start_ring, 3, 10 * kPageSize) < 0);
    CHECK(hypercall(Hypercall::notify_ring, 1) == 0);
    CHECK(hypercall(Hypercall::notify_ring, 3) < 0);
}

TEST_CASE_FIXTURE(Fixture, "paravirt guest: page faults are the shadow's or the guest's own") {
    Translation translation;
    u64 error = 2;
    CHECK(guest.find_page(0x5123, error, translation));  // The kernel, in its memory.
    CHECK((translation.frame == 5 && translation.writable && !translation.user));
    REQUIRE(hypercall(Hypercall::create_root, 5 * kPageSize) == 0);
    CHECK_FALSE(guest.find_page(0x5123, error = 2, translation));  // Tables are not for writing.
    CHECK(error == 3);
    CHECK(guest.find_page(0x5123, error = 0, translation));
    CHECK_FALSE(translation.writable);
    CHECK_FALSE(guest.find_page(kFrames * kPageSize, error = 0, translation));
    CHECK(error == 0);
    enter_program();
    CHECK_FALSE(guest.find_page(0x5123, error = 16, translation));
    CHECK(error == (4 | 16));  // Programs see nothing of the kernel.
    CHECK_FALSE(guest.find_page(u64{32} << 39, error = 2, translation));
    CHECK(error == (2 | 4));
    CHECK_FALSE(guest.find_page(~u64{0}, error = 0, translation));
    REQUIRE(guest.on_syscall(state) == Next::run);
    CHECK_FALSE(guest.find_page(u64{32} << 39, error = 0, translation));  // The kernel has its memory, and nothing else.
}

TEST_CASE("paravirt guest: random calls and memory break it at worst") {
    Random random(11);
    for (int round = 0; round < 60; ++round) {
        Fixture fixture;
        fixture.enter_program();
        for (int step = 0; step < 3000; ++step) {
            const auto plausible = [&] { return random.one_in(3) ? random.next() : random.one_in(2) ? random.below(kFrames) * kPageSize : random.below(kEnd); };
            for (int i = 0; i < 4; ++i) {
                // The guest writes to what is not a table.
                const u64 frame = random.below(kFrames);
                if (!fixture.guest.tables().is_table(frame)) fixture.memory.words(frame)[random.below(512)] = random.one_in(2) ? 0 : plausible();
            }
            GuestState& state = fixture.state;
            state.rax = random.below(static_cast<u64>(Hypercall::count) + 1), state.rdi = plausible(), state.rsi = random.one_in(2) ? random.below(64) : plausible();
            state.rsp = plausible();
            const Next next = random.one_in(10) ? fixture.guest.on_exception(state, random.below(32), random.next(), plausible()) : fixture.guest.on_syscall(state);
            if (random.one_in(5)) fixture.guest.post(Event::disk);
            if (next == Next::broken || fixture.guest.go_on(state) == Next::broken) {
                REQUIRE(fixture.guest.reason()[0] != 0);
                break;
            }
            u64 error = random.below(32);
            Translation translation;
            if (fixture.guest.find_page(random.one_in(2) ? plausible() : u64{32} << 39 | plausible(), error, translation)) REQUIRE(translation.frame < kFrames);
        }
        for (u64 frame = 0; frame < kFrames - 2; ++frame) REQUIRE(fixture.effects.tables.contains(frame) == fixture.guest.tables().is_table(frame));
    }
}

// ---- rings ----------------------------------------------------------------------------------------------------------

namespace {

struct SmallDisk final : vmm::Disk {
    std::vector<std::byte> bytes = std::vector<std::byte>(64 * vmm::kSectorSize);
    u64 sectors() const override { return 64; }
    bool writable() const override { return true; }
    bool read(u64 sector, std::span<std::byte> to) override { return std::memcpy(to.data(), bytes.data() + sector * 512, to.size()), true; }
    bool write(u64 sector, std::span<const std::byte> from) override { return std::memcpy(bytes.data() + sector * 512, from.data(), from.size()), true; }
    bool flush() override { return true; }
};

struct Wire final : vmm::NetPort {
    std::vector<std::vector<std::byte>> sent;
    void send(std::span<const std::byte> frame) override { sent.emplace_back(frame.begin(), frame.end()); }
};

/// A port that lends pages 0 to 3 to fill and 4 to 7 to read, and remembers what became of them.
struct LendingWire final : vmm::NetPort, vmm::LentPages {
    enum Use { nobodys, to_fill, to_read };
    Use uses[8]{};
    std::vector<std::pair<u64, u64>> sent;
    u64 copied = 0;
    std::vector<vmm::MacAddress> rooms;

    void send(std::span<const std::byte>) override { ++copied; }
    vmm::LentPages* lent_pages() override { return this; }
    u64 count() const override { return 8; }
    std::optional<u64> lend_room(const vmm::MacAddress& to) override {
        rooms.push_back(to);
        for (u64 page = 0; page < 4; ++page)
            if (uses[page] == nobodys) return uses[page] = to_fill, page;
        return {};
    }
    bool send_lent(u64 page, u64 size, std::optional<u64>& next) override {
        if (uses[page] != to_fill) return false;
        uses[page] = nobodys;
        sent.emplace_back(page, size);
        next = lend_room(rooms.back());
        return true;
    }
    bool give_back(u64 page) override {
        if (uses[page] != to_read) return false;
        uses[page] = nobodys;
        return true;
    }
    Frame frame_at(u64) const override { return {}; }
    Frame stand_in() const override { return {}; }
    void set_view(vmm::LentView&) override {}
};

/// The guest's end.
struct Client {
    PlainMemory& memory;
    u64 frame;
    u32 consumed = 0;
    Ring& ring() { return *reinterpret_cast<Ring*>(memory.words(frame)); }
    void ask(const Request& request) { ring().requests[ring().requests_produced++ % kRingSlots] = request; }
    std::optional<Response> take() {
        if (ring().responses_produced == consumed) return std::nullopt;
        return ring().responses[consumed++ % kRingSlots];
    }
};

}  // namespace

TEST_CASE("paravirt rings: a disk is read and written, and refuses what is not there") {
    PlainMemory memory(8);
    SmallDisk disk;
    RingDisk server(disk);
    server.ring().start(1);
    Client client{memory, 1};
    CHECK_FALSE(server.serve(memory));
    memory.words(2)[0] = 42;
    client.ask({70, Operation::write, 512, 3, 2 * kPageSize});
    client.ask({71, Operation::barrier, 0, 0, 0});
    client.ask({72, Operation::read, 512, 3, 3 * kPageSize + 512});
    client.ask({73, Operation::read, 512, 64, 3 * kPageSize});
    client.ask({74, Operation::read, 1024, 0, 3 * kPageSize + 4000});
    client.ask({75, Operation::read, 100, 0, 3 * kPageSize});
    client.ask({76, Operation::read, 512, ~u64{0}, 3 * kPageSize});
    client.ask({77, Operation::read, 512, 0, ~u64{0} - 511});
    client.ask({78, static_cast<Operation>(9), 512, 0, 3 * kPageSize});
    CHECK(server.serve(memory));
    for (u64 id = 70; id < 79; ++id) {
        const auto response = client.take();
        REQUIRE(response);
        CHECK(response->id == id);
        CHECK((response->failed != 0) == (id > 72));
        CHECK(response->size == (id == 72 ? 512 : 0));
    }
    CHECK_FALSE(client.take());
    CHECK(memory.words(3)[64] == 42);
    CHECK(server.ring().under_way() == 0);
}

TEST_CASE("paravirt rings: a disk that is read into its own ring makes no requests without end") {
    // Each block is a ring with one request more, for the next block.
    struct RingsDisk final : vmm::Disk {
        u64 sectors() const override { return u64{1} << 20; }
        bool writable() const override { return true; }
        bool read(u64 sector, std::span<std::byte> to) override {
            constexpr u64 kSectors = kPageSize / vmm::kSectorSize;
            Ring ring{};
            ring.requests_produced = static_cast<u32>(sector / kSectors) + 2;
            for (Request& each : ring.requests) each = {1, Operation::read, kPageSize, {sector + kSectors}, kPageSize};
            std::memcpy(to.data(), &ring, std::min(to.size(), sizeof ring));
            ++reads;
            return true;
        }
        bool write(u64, std::span<const std::byte>) override { return true; }
        bool flush() override { return true; }
        u64 reads = 0;
    } disk;
    PlainMemory memory(8);
    RingDisk server(disk);
    server.ring().start(1);
    Client client{memory, 1};
    client.ask({1, Operation::read, kPageSize, {0}, kPageSize});
    CHECK(server.serve(memory));
    CHECK(disk.reads == kRingSlots);
    CHECK(server.serve(memory));
    CHECK(disk.reads == 2 * kRingSlots);
}

TEST_CASE("paravirt rings: packets go out, and come in where there is room") {
    PlainMemory memory(8);
    Wire wire;
    RingNetwork server(wire);
    server.transmit_ring().start(1);
    server.receive_ring().start(2);
    Client out{memory, 1}, in{memory, 2};
    memory.words(3)[0] = 7;
    out.ask({1, Operation::send, 60, 0, 3 * kPageSize});
    out.ask({2, Operation::send, 10, 0, 3 * kPageSize});
    CHECK(server.transmit(memory));
    REQUIRE(wire.sent.size() == 1);
    CHECK((wire.sent[0].size() == 60 && wire.sent[0][0] == std::byte{7}));
    CHECK((out.take()->failed == 0 && out.take()->failed != 0));
    const std::vector<std::byte> packet(100, std::byte{9});
    CHECK_FALSE(server.receive(memory, packet));
    in.ask({1, Operation::buffer, 50, 0, 4 * kPageSize});
    in.ask({2, Operation::buffer, 4096, 0, 5 * kPageSize});
    CHECK(server.receive(memory, packet));
    CHECK(in.take()->failed != 0);
    const auto response = in.take();
    CHECK((response->id == 2 && response->size == 100));
    CHECK(memory.words(5)[0] == 0x0909'0909'0909'0909);
}

TEST_CASE("paravirt rings: lent pages are filled, sent, read and given back, and only by whom they were lent to") {
    constexpr u64 kLent = 64 * kPageSize;
    PlainMemory memory(8);
    LendingWire wire;
    RingNetwork server(wire, kLent);
    server.transmit_ring().start(1);
    server.receive_ring().start(2);
    Client out{memory, 1}, in{memory, 2};
    u64 id = 0;
    const auto ask = [&](Operation operation, u32 size, u64 lent, u64 address) {
        out.ask({++id, operation, size, {lent}, address});
        REQUIRE(server.transmit(memory));
        return *out.take();
    };
    constexpr u64 kPeer = 0x0605'0403'0202;
    const Response room = ask(Operation::room, 0, kPeer, 0);
    CHECK((room.failed == 0 && room.address == kLent));
    CHECK(wire.rooms.back() == vmm::MacAddress{2, 2, 3, 4, 5, 6});
    // It goes, another comes for it; and then it is not the guest's any more.
    const Response gone = ask(Operation::send, 1000, 0, room.address);
    CHECK((gone.failed == 0 && gone.address == kLent && wire.sent == std::vector<std::pair<u64, u64>>{{0, 1000}}));
    CHECK(ask(Operation::send, 1000, 0, kLent).failed == 0);
    wire.uses[0] = LendingWire::nobodys;
    for (const u64 address : {kLent, kLent + kPageSize, kLent + 8 * kPageSize, kLent - kPageSize, kLent + 1, ~u64{0} & ~u64{4095}})
        CHECK(ask(Operation::send, 1000, 0, address).failed != 0);
    // Too small for a frame of its own, or too large for any: it stays.
    wire.uses[1] = LendingWire::to_fill;
    for (const u64 size : {u64{0}, kLeastLent, vmm::kMaxFrame + 1, u64{kPageSize}, u64{~u32{0}}})
        CHECK(ask(Operation::send, static_cast<u32>(size), 0, kLent + kPageSize).failed != 0);
    CHECK(wire.uses[1] == LendingWire::to_fill);
    CHECK(wire.copied == 0);

    // What is received: the header where the guest said, the rest where it lies. What is given back without having been had is refused.
    const std::vector<std::byte> header(14, std::byte{9});
    in.ask({1, Operation::buffer, 4096, {0}, 4 * kPageSize});
    in.ask({2, Operation::buffer, 4096, {kLent + 5 * kPageSize}, 5 * kPageSize});
    in.ask({3, Operation::buffer, 10, {0}, 5 * kPageSize});
    in.ask({4, Operation::buffer, 4096, {kLent + 4 * kPageSize}, 5 * kPageSize});
    CHECK(server.receive_lent(memory, header, 4, 1200));
    wire.uses[4] = LendingWire::to_read;
    const auto first = in.take();
    CHECK((first->id == 1 && first->failed == 0 && first->size == 1200 && first->address == kLent + 4 * kPageSize));
    CHECK((memory.words(4)[0] == 0x0909'0909'0909'0909 && (memory.words(4)[1] >> 48) == 0));
    CHECK(server.receive_lent(memory, header, 6, 1300));
    CHECK((in.take()->failed != 0 && in.take()->failed != 0));
    const auto last = in.take();
    CHECK((last->id == 4 && last->failed == 0 && last->address == kLent + 6 * kPageSize && wire.uses[4] == LendingWire::nobodys));
    CHECK_FALSE(server.receive_lent(memory, header, 7, 1300));
}

TEST_CASE("paravirt rings: one that breaks the rules is served no more") {
    PlainMemory memory(8);
    RingServer server;
    Request request;
    CHECK_FALSE(server.take(memory, request));  // Never started.
    Client client{memory, 1};
    server.start(1);
    client.ring().requests_produced = kRingSlots + 1;
    CHECK_FALSE(server.take(memory, request));
    CHECK(std::string(server.reason()) == "more requests than slots");
    client.ring().requests_produced = 0;
    CHECK_FALSE(server.take(memory, request));
    server.start(1);
    client.ask({5, Operation::read, 0, 0, 0});
    client.ask({5, Operation::read, 0, 0, 0});
    CHECK(server.take(memory, request));
    CHECK_FALSE(server.take(memory, request));
    CHECK(std::string(server.reason()) == "two requests with one id");
    CHECK_FALSE(server.answer(memory, {5, 0, 0, 0}));
    memory.words(1)[0] = 0;
    server.start(1);
    CHECK_FALSE(server.answer(memory, {1, 0, 0, 0}));  // Nobody asked.
    for (u64 i = 0; i < kRingSlots; ++i) client.ask({i, Operation::read, 0, 0, 0});
    for (u64 i = 0; i < kRingSlots; ++i) CHECK(server.take(memory, request));
    client.ask({100, Operation::read, 0, 0, 0});
    CHECK_FALSE(server.take(memory, request));
    memory.absent = {2};
    server.start(2);
    CHECK_FALSE(server.take(memory, request));
    CHECK(std::string(server.reason()) == "its frame is gone");
}

TEST_CASE("paravirt guest: ticks that were missed are counted at once, and no period is too long or too short") {
    TickTimer timer;
    CHECK(timer.next() == TickTimer::kNever);
    timer.set(1000, 1'000'000);
    CHECK(timer.advance(1'000'999) == 0);
    CHECK(timer.advance(1'001'000) == 1);
    CHECK(timer.advance(1'001'000) == 0);
    CHECK(timer.advance(5'500'000) == 4);
    CHECK(timer.next() == 6'001'000);
    timer.set(0, 1);
    CHECK(timer.next() == TickTimer::kShortest);
    CHECK(timer.advance(u64{1} << 60) == (u64{1} << 60) / TickTimer::kShortest);
    for (const u64 period : {~u64{0}, ~u64{0} - 1000, u64{1} << 63, u64{1} << 62}) {
        constexpr u64 kNow = u64{1} << 50;
        timer.set(kNow, period);
        CHECK(timer.advance(kNow + 1'000'000) == 0);
        CHECK(timer.next() > kNow + 1'000'000);
    }
    timer.set(5, 0);
    CHECK(timer.next() == TickTimer::kNever);
    CHECK(timer.advance(~u64{0}) == 0);
}
