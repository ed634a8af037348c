// A monitor of paravirtual guests: `kernel=NAME cmdline=WORDS`. With `peer=1` a second guest is on the same wire and answers; with
// `hostile=1` a second one computes, while the first may end as it likes; with `net=NAME` the wire leads to the switch of that
// name, which lends the guest its frames, if `lend=0` does not say that it is to copy. Each has a disk in memory. With `after=NAME` it
// begins when the environment of that name has ended. The exit code is good if all guests that should say that they are.
#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/monitor/files.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/paravirt_guest.hpp"
#include "libos/vmm/monitor/pc_board.hpp"
#include "libos/vmm/net/cable.hpp"
#include "tests/system/guest_things.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;
using namespace tessera::guest_things;

namespace {

constinit FrameSupply supply;
BootFileWindow kernel;

/// One end of a wire between two of them.
class Wire final : public NetPort {
  public:
    void lead_to(ParavirtGuest& guest) { there_ = &guest; }
    void send(std::span<const std::byte> frame) override {
        if (there_ != nullptr) static_cast<void>(there_->receive(frame));
    }

  private:
    ParavirtGuest* there_ = nullptr;
};

/// A hostile guest may also do nothing at all, for ever: it is given up some turns after the one beside it is done.
class Patience final : public Chore {
  public:
    Patience(Machine& hostile, const Machine& beside) : hostile_(hostile), beside_(beside) {}
    u64 tend(u64 now) override {
        if (!beside_.is_running() && turns_-- == 0) hostile_.stop({End::power_off, "was given up"});
        return now + information().quantum;
    }

  private:
    Machine& hostile_;
    const Machine& beside_;
    u64 turns_ = 40;
};

MemoryDisk disks[2];
Wire wires[2];
Cable cable;
LineSink sinks[2]{LineSink("one"), LineSink("two")};

bool start(ParavirtGuest& guest, std::string_view words) {
    const auto opened = guest.open();
    if (!opened.ok()) return print(guest.name(), ": ", name_of(opened.error()), "\n"), false;
    const char* problem = guest.boot(kernel.bytes(), words);
    if (problem != nullptr) print(guest.name(), ": ", problem, "\n");
    return problem == nullptr;
}

void tell(const ParavirtGuest& guest) {
    Json json;
    json.field("what", guest.name());
    guest.exits().for_each([&](GuestExit exit, u64 count) { json.field(name_of(exit), count); });
    json.field("exits", guest.exits().total());
    json.field("fills", guest.shadows().fills());
    json.field("evictions", guest.shadows().evictions());
    json.field("guest_ticks", guest.exits().guest_ticks());
    json.field("monitor_ticks", guest.exits().monitor_ticks());
    static_cast<void>(json.send());
}

}  // namespace

/// Until the environment of that name has come and gone.
void let_end(std::string_view name) {
    const auto who = await_environment(name);
    while (who.ok() && is_alive(who.value())) static_cast<void>(call<Wait>({{}, 0, ticks() + information().quantum, 0}));
}

int libos_main() {
    if (!argument("after").empty()) let_end(argument("after"));
    if (!kernel.open(argument("kernel"))) return print("no kernel\n"), 2;
    const bool peer = argument("peer", 0) != 0, hostile = argument("hostile", 0) != 0;
    const u64 count = peer || hostile ? 2 : 1, frames = argument("memory", 32) << 20 >> kPageShift;
    for (u64 i = 0; i < count; ++i)
        if (!disks[i].open(256).ok()) return print("no disk\n"), 2;
    const bool switched = !argument("net").empty();
    if (switched && argument("lend", 1) != 0) cable.lend_beyond(paravirt::kLeastLent);
    if (switched && !cable.open(argument("net")).ok()) return print("no network\n"), 2;
    static ParavirtGuest one(supply, {.name = "one", .frames = frames, .console = sinks[0], .disk = &disks[0],
                                      .port = switched ? static_cast<NetPort*>(&cable) : &wires[0],
                                      .address = switched ? cable.address() : MacAddress{0x52, 0x54, 0, 0, 0, 1}});
    static DeviceEnd end(one);
    cable.lead_to(end);
    static ParavirtGuest two(supply, {.name = "two", .frames = count == 2 ? frames : 3, .console = sinks[1], .disk = &disks[1], .port = &wires[1], .address = {0x52, 0x54, 0, 0, 0, 2}});
    ParavirtGuest* const guests[] = {&one, &two};
    if (!start(one, command_line())) return 1;
    if (peer) wires[0].lead_to(two), wires[1].lead_to(one);
    if (count == 2 && !start(two, peer ? "answer ip=10.0.2.2 count=5" : "compute bound=300000")) return 1;
    static Monitor monitor;
    for (u64 i = 0; i < count; ++i) monitor.add(*guests[i]);
    static Patience patience(one.machine(), two.machine());
    if (hostile) monitor.add(patience);
    if (switched) monitor.add(cable);
    monitor.run();
    if (switched) {
        cable.report("one");
        print("of frames, ", cable.bytes_copied(), " bytes were copied\n");
    }
    bool good = true;
    for (u64 i = 0; i < count; ++i) {
        tell(*guests[i]);
        good = good && ((hostile && i == 0) || guests[i]->machine().end().kind == End::power_off);
        if (!guests[i]->close().ok() || !disks[i].close().ok()) return print("no clean end\n"), 1;
    }
    return good ? 0 : 1;
}
