// System calls. Everything a process passes is checked: its memory is reached only through its AddressSpace, which
// answers no for what is not its own.

#include "guests/small/calls.hpp"

#include <algorithm>
#include <cstring>

#include "guests/small/frames.hpp"
#include "guests/small/kernel.hpp"
#include "guests/small/machine.hpp"
#include "guests/small/print.hpp"
#include "guests/small/process.hpp"

namespace small {
namespace {

constexpr u64 kMaxName = 64;

u64 error(i64 code) { return static_cast<u64>(code); }

u64 write_console(u64 text, u64 size) {
    char part[128];
    for (u64 done = 0; done < size;) {
        const u64 count = std::min<u64>(size - done, sizeof part);
        if (!current().space.read(text + done, part, count)) return error(kBadArgument);
        print_text(part, count);
        done += count;
    }
    return size;
}

u64 spawn_program(u64 name, u64 size) {
    char copy[kMaxName]{};
    if (size >= sizeof copy || !current().space.read(name, copy, size)) return error(kBadArgument);
    const Process* child = spawn(copy, &current());
    return child != nullptr ? child->id : error(kNoSuch);
}

u64 fork_current(const TrapFrame& frame) {
    const Process* child = fork(frame);
    return child != nullptr ? child->id : error(kNoMemory);
}

u64 wait_for_any(u64 status_address) {
    u64 status = 0;
    const u64 id = wait_for_child(status);
    if (id == 0) return error(kNoSuch);
    return current().space.write(status_address, &status, sizeof status) ? id : error(kBadArgument);
}

u64 map(u64 pages) {
    const u64 begin = current().space.find_room(pages);
    const Region region{begin, begin + pages * kPageSize, {.write = true}, nullptr, 0};
    return begin != 0 && current().space.add_region(region) ? begin : error(kNoMemory);
}

u64 transfer_block(u64 sector, u64 address, bool write) {
    constexpr u64 kSectors = kPageSize / 512;
    if (machine::block_sectors() < kSectors || sector > machine::block_sectors() - kSectors) return error(kBadArgument);
    Process& self = current();
    // A page is written to the disk from where it is.
    const Frame page = write && address % kPageSize == 0 ? self.space.hold(address) : Frame{};
    if (write && !page && !self.space.read(address, self.buffer.as(), kPageSize)) return error(kBadArgument);
    BlockRequest request{sector, page ? page : self.buffer, write, false, false};
    bool started;
    {
        Masked masked;
        started = machine::start_block(request);
        while (started && !request.done) block_on(&request, 0);
    }
    if (page) release_frame(page);
    if (!started) return error(kTryAgain);
    if (!request.ok) return error(kFailed);
    if (!write && !self.space.write(address, self.buffer.as(), kPageSize)) return error(kBadArgument);
    return kPageSize;
}

u64 send(u64 address, u64 size) {
    Process& self = current();
    if (size == 0 || size > kMaxPacket || !self.space.read(address, self.buffer.as(), size)) return error(kBadArgument);
    if (!machine::has_network()) return error(kNoSuch);
    Masked masked;
    return machine::send_packet(self.buffer.as(), size) ? size : error(kTryAgain);
}

u64 receive(u64 address, u64 capacity, u64 patience) {
    Process& self = current();
    if (!machine::has_network()) return error(kNoSuch);
    const u64 until = clock() + std::min<u64>(patience, 1u << 30);
    u64 size;
    {
        Masked masked;
        while ((size = machine::receive_packet(self.buffer.as(), std::min(capacity, kMaxPacket))) == 0) {
            if (clock() >= until) return error(kTryAgain);
            block_on(&kPacketCame, until);
        }
    }
    return self.space.write(address, self.buffer.as(), size) ? size : error(kBadArgument);
}

u64 copy_text(u64 address, u64 capacity, const char* text) {
    u64 size = 0;
    while (text[size] != 0) ++size;
    if (size >= capacity || !current().space.write(address, text, size + 1)) return error(kBadArgument);
    return size;
}

u64 machine_test(u64 index, u64 address, u64 capacity) {
    const char* name = "";
    bool passed = false;
    if (!machine::self_test(index, name, passed)) return error(kNoSuch);
    const u64 copied = copy_text(address, capacity, name);
    return static_cast<i64>(copied) < 0 ? copied : passed;
}

void sleep(u64 ticks) {
    static constexpr u8 kNothing = 0;  // That anybody wakes sleepers for.
    Masked masked;
    block_on(&kNothing, clock() + std::clamp<u64>(ticks, 1, 1u << 30));
}

u64 answer(TrapFrame& frame) {
    const u64 a = frame.rdi, b = frame.rsi, c = frame.rdx;
    AddressSpace& space = current().space;
    switch (static_cast<Call>(frame.rax)) {
        case Call::null: return 0;
        case Call::write: return write_console(a, b);
        case Call::exit: end_current(a);
        case Call::process_id: return current().id;
        case Call::fork: return fork_current(frame);
        case Call::spawn: return spawn_program(a, b);
        case Call::wait: return wait_for_any(a);
        case Call::yield: return schedule(), 0;
        case Call::map: return map(a);
        case Call::unmap: return space.remove(a, b) ? 0 : error(kBadArgument);
        case Call::protect:
            return space.protect(a, b, {(c & kMayWrite) != 0, (c & kMayExecute) != 0}) ? 0 : error(kBadArgument);
        case Call::block_sectors: return machine::block_sectors();
        case Call::block_read: return transfer_block(a, b, false);
        case Call::block_write: return transfer_block(a, b, true);
        case Call::send: return send(a, b);
        case Call::receive: return receive(a, b, c);
        case Call::network_address:
            if (!machine::has_network()) return error(kNoSuch);
            return space.write(a, machine::network_address(), 6) ? 0 : error(kBadArgument);
        case Call::clock: return clock();
        case Call::idle_time: return idle_time();
        case Call::set_timer:
            if (a != 0 && (a < 19 || a > 100'000)) return error(kBadArgument);
            return machine::set_timer(static_cast<u32>(a)), 0;
        case Call::command_line: return copy_text(a, b, command_line());
        case Call::machine_test: return machine_test(a, b, c);
        case Call::sleep: return sleep(a), 0;
        case Call::free_frames: return free_frames();
        case Call::count: break;
    }
    return error(kNoSuch);
}

}  // namespace

void on_system_call(TrapFrame& frame) { frame.rax = answer(frame); }

}  // namespace small
