// Any bytes as what a guest does to its whole machine: ports, MSRs, memory, time, in any order.
#include "libos/vmm/platform.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/byte_writer.hpp"
#include "tests/unit/vmm_machine.hpp"

namespace tessera::fuzz {
namespace {

using namespace vmm;
using namespace test;

constexpr u64 kFrames = 64;

/// One step, eight bytes: what to do, how, where, and with what.
struct Step {
    u8 what;
    u8 how;
    u16 where;
    u32 value;
};
static_assert(sizeof(Step) == 8);
enum What : u8 { kOut, kIn, kPoke, kPass, kTake, kMsr, kType, kFrame, kBalloon, kWhats };

// MSRs of a guest, by place: x2APIC's, and those that are not there.
constexpr u32 kMsrs[] = {0x1b, 0x6e0, 0xc000'0080, 0x800, 0x810, 0x820, 0x830};

struct Machine {
    TestMemory memory{kFrames};
    TestLog log;
    TestSink serial, console_sink;
    TestDisk disk{32};
    TestPort port;
    TestOwner owner;
    Platform platform;
    VirtioNet* net;
    VirtioConsole* console;
    VirtioBalloon* balloon;
    u64 now = 0;

    explicit Machine(u32 cpus) : platform(memory, log, serial, {cpus, 1'000'000'000, 0}) {
        platform.add_disk(disk, "disk");
        net = platform.add_net(port, {2});
        console = platform.add_console(console_sink);
        balloon = platform.add_balloon(owner);
    }

    void carry_out(const Step& step) {
        const u32 cpu = step.how % platform.cpus(), size = 1u << step.how % 3;
        switch (step.what % kWhats) {
            case kOut:
                return platform.port_write(step.where, size, step.value);
            case kIn: {
                const u32 value = platform.port_read(step.where, size);
                return expect_kept((value & ~all_ones(size)) == 0 ? nullptr : "a read has the access's size");
            }
            case kPoke:
                memory.write(u64{step.where} << 2, step.value);
                return;
            case kPass:
                return pass(step.value);
            case kTake:
                if (platform.interrupt_pending(cpu)) platform.acknowledge(cpu);
                platform.apics().take_init(cpu);
                platform.apics().take_startup(cpu);
                return;
            case kMsr: {
                const u32 number = kMsrs[step.where % std::size(kMsrs)] + (step.where >> 8 & 0xf);
                platform.msr_write(number, step.value | u64{step.how} << 32, step.how & 1, cpu);
                platform.msr_read(number, cpu);
                return;
            }
            case kType:
                platform.serial().receive(Bytes(step.value % 40));
                console->receive(Bytes(step.value % 400));
                return;
            case kFrame:
                net->receive(Bytes(step.value % 1600));
                return;
            default:
                balloon->set_target(step.value);
                balloon->ask_statistics();
        }
    }
    void pass(u64 nanoseconds) {
        const u64 before = platform.next_event();
        expect_kept(before >= now ? nullptr : "nothing is due that advance() has not done");
        now += nanoseconds;
        platform.advance(now);
        if (before <= now) expect_kept(platform.next_event() > now ? nullptr : "what was due is done");
    }
};

struct Script {
    ByteWriter out;
    Script& step(u8 what, u8 how, u16 where, u32 value) {
        out.put(what, 1).put(how, 1).put(where, 2).put(value, 4);
        return *this;
    }
    Script& write(u16 port, u32 value, u8 how = 0) { return step(kOut, how, port, value); }
};

/// As a kernel begins: 8259s, timer, serial port.
Script begun() {
    Script script;
    for (const auto& [port, value] : {std::pair<u16, u32>{0x20, 0x11},
                                      {0x21, 0x30},
                                      {0x21, 4},
                                      {0x21, 1},
                                      {0x21, 0},
                                      {0xa0, 0x11},
                                      {0xa1, 0x38},
                                      {0xa1, 2},
                                      {0xa1, 1},
                                      {0xa1, 0},
                                      {0x43, 0x34},
                                      {0x40, 0xa9},
                                      {0x40, 4},
                                      {0x61, 1},
                                      {0x43, 0xb6},
                                      {0x42, 1},
                                      {0x42, 1},
                                      {0x3fa, 7},
                                      {0x3fc, 11},
                                      {0x3f9, 3},
                                      {0x3f8, 'x'},
                                      {0x70, 4}})
        script.write(port, value);
    return script.step(kPass, 0, 0, 2'000'000).step(kTake, 0, 0, 0).step(kType, 0, 0, 9).step(kIn, 0, 0x3f8, 0);
}

/// One device in PCI slot `slot` set up, with one chain in queue 0 and one in queue 1.
Script driven(u32 slot) {
    Script script = begun();
    const u16 base = static_cast<u16>(0xc000 + slot * 0x100);
    script.write(0xcf8, 0x8000'0000 | slot << 11 | 0x10, 2).step(kIn, 2, 0xcfc, 0);
    for (u16 queue = 0; queue < 2; ++queue) {
        script.write(static_cast<u16>(base + 14), queue, 1).write(static_cast<u16>(base + 8), 4u + 4u * queue, 2);
        const u16 table = static_cast<u16>((4 + 4 * queue) * 1024);  // in words
        const u16 available = static_cast<u16>(table + 512);
        // Descriptors: 16 bytes at 0x8000, 512 at 0x9000 and one at 0x9200 to be written.
        const u32 words[] = {0x8000, 0, 16, 0x1'0001, 0x9000, 0, 512, 0x2'0003, 0x9200, 0, 1, 2};
        for (u16 i = 0; i < std::size(words); ++i) script.step(kPoke, 0, static_cast<u16>(table + i), words[i]);
        script.step(kPoke, 0, available, 0x1'0000);
    }
    script.write(static_cast<u16>(base + 18), 7);
    for (u32 queue = 0; queue < 2; ++queue) script.write(static_cast<u16>(base + 16), queue, 1);
    return script.step(kFrame, 0, 0, 100)
        .step(kType, 0, 0, 9)
        .step(kBalloon, 0, 0, 5)
        .step(kIn, 0, static_cast<u16>(base + 19), 0);
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    Script apics = begun();
    for (u8 cpu = 0; cpu < 2; ++cpu)
        apics.step(kMsr, cpu, 0, 0xfee0'0c00).step(kMsr, cpu, 0xf03, 0x1ff).step(kMsr, cpu, 0x206, 0x4'0040);
    apics.step(kMsr, 2, 1, 5000).step(kMsr, 0, 6, 0xc'0041).step(kMsr, 0, 6, 0xc'4500).step(kPass, 0, 0, 10'000);
    std::vector<std::vector<u8>> all = {begun().out.bytes(), apics.out.bytes()};
    for (u32 slot = 1; slot <= 4; ++slot) all.push_back(driven(slot).out.bytes());
    // The number of CPUs comes first.
    for (std::vector<u8>& script : all) script.insert(script.begin(), static_cast<u8>(&script == &all[1]));
    return all;
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    using namespace tessera;
    using namespace tessera::fuzz;
    if (size == 0) return 0;
    Machine machine(1 + data[0] % 3);
    for (std::size_t at = 1; at + sizeof(Step) <= size; at += sizeof(Step)) {
        Step step;
        std::memcpy(&step, data + at, sizeof step);
        machine.carry_out(step);
    }
    expect_kept(machine.memory.outside ? "no page is asked for that cannot be" : nullptr);
    expect_kept(machine.log.notes.size() > 40 ? "the log is not filled" : nullptr);
    return 0;
}
