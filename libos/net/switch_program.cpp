#include "libos/net/switch_program.hpp"

#include <algorithm>

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/transfer/board.hpp"

namespace tessera::libos {
namespace {

/// Nobody calls it, as the switch never waits for a call: it is there to be notified.
void nobody_calls() {}

}  // namespace

Outcome SwitchProgram::open() {
    Capability bell;
    TRY(call<EntryPublish>({0, VirtAddr{reinterpret_cast<u64>(nobody_calls)}, 0, address(bell)}));
    return post(kBellPost, bell);
}

void SwitchProgram::accept_all() {
    for (u64 index = 1; index < kMaxEnvironments; ++index) {
        const EnvId who{environment_info(EnvId{index}).id};
        if (!who || !is_alive(who)) continue;
        const auto posted = find_post(who, kRingPost);
        if (!posted.ok() || posted.value().tag[0] == seen_[index]) continue;
        seen_[index] = posted.value().tag[0];
        accept(who, posted.value());
    }
}

void SwitchProgram::accept(EnvId who, const Capability& posted) {
    const std::string_view name = environment_info(who).name;
    const auto seat = static_cast<u64>(std::ranges::find(seated_, false) - seated_);
    u64 own = 0;
    for (u64 port = 0; port < Switch::kPorts; ++port) own += seated_[port] && core_.owner(port) == who;
    if (seat == Switch::kPorts || own == kPortsOfOne) return static_cast<void>(print("no port for ", name, ": it has enough, or all are taken\n"));
    SharedMemory& memory = rings_[seat];
    const Outcome attached = memory.attach(posted, kRingPages, Right::read | Right::write);
    if (!attached.ok()) return static_cast<void>(print("no port for ", name, ": its ring: ", name_of(attached.error()), "\n"));
    const auto port = core_.connect(who, memory.at<NetRing>(0), name == others_behind_ && !others_behind_.empty());
    // Seats and ports are taken and left together, so both find the same one.
    if (!port.ok() || port.value() != seat) {
        print("no port for ", name, ": all are taken\n");
        return memory.detach();
    }
    seated_[seat] = true;
    std::ranges::fill(names_[seat], 0);
    std::ranges::copy(name.substr(0, sizeof names_[seat] - 1), names_[seat]);
    ++accepted_;
    user_count_ += users_[who.index()] != who.value;
    users_[who.index()] = static_cast<u32>(who.value);
}

void SwitchProgram::tell(u64 port) {
    const PortCounts& counts = core_.counts(port);
    static_cast<void>(record("port", std::string_view(names_[port]), "sent", counts.sent, "received", counts.received, "exchanged",
                             counts.exchanged, "copied", counts.copied, "filtered", counts.filtered, "lost", counts.lost, "cut_off",
                             core_.reason(port) != nullptr));
}

void SwitchProgram::close_port(u64 port) {
    core_.disconnect(port);
    tell(port);
    rings_[port].detach();
    seated_[port] = false;
}

void SwitchProgram::look_after(u64 port) {
    if (!seated_[port]) return;
    if (const char* reason = core_.reason(port); reason != nullptr) {
        print("port of ", std::string_view(names_[port]), " cut off: ", reason, "\n");
        return close_port(port);
    }
    if (!is_alive(core_.owner(port)) || rings_[port].lost()) close_port(port);
}

void SwitchProgram::listen(bool listening) {
    for (u64 port = 0; port < Switch::kPorts; ++port)
        if (seated_[port]) std::atomic_ref(core_.ring(port).listening).store(listening, std::memory_order_seq_cst);
}

bool SwitchProgram::is_needed(u64 users) const {
    if (user_count_ < users || core_.open_ports() != 0) return true;
    return std::ranges::any_of(users_, [](u32 each) { return each != 0 && is_alive(EnvId{each}); });
}

Outcome SwitchProgram::run(u64 users) {
    // A port that has ended rings no bell.
    const u64 look_again = information().tsc_hz / 10;
    // Nor can a port that keeps us busy keep others from getting one.
    constexpr u64 kSweeps = 64;
    accept_all();
    for (u64 busy = 0;;) {
        if (core_.sweep()) {
            for (u64 port = 0; port < Switch::kPorts; ++port) look_after(port);
            if (++busy % kSweeps == 0) accept_all();
            continue;
        }
        if (!is_needed(users)) break;
        // Order: whoever asks behind this look finds that we listen.
        bool asked = false;
        listen(true);
        if (!core_.has_work()) {
            ++sleeps_;
            const auto woken = call<Wait>({{}, 0, ticks() + look_again, ~u64{0}});
            asked = woken.ok() && (woken.value() & kAskingEvent);
        }
        // Order: a ring that is gone is found out by touching it, and its place is free for who asks.
        listen(false);
        for (u64 port = 0; port < Switch::kPorts; ++port) look_after(port);
        if (asked) accept_all();
    }
    const bool all_home = core_.frames_home() == core_.frames();
    static_cast<void>(record("what", "switch", "ports", accepted_, "frames", core_.frames(), "frames_home", core_.frames_home(), "renewed",
                             core_.renewed(), "went_again", core_.went_again(), "sleeps", sleeps_));
    bank_.close();
    if (!all_home) return Error::bad_argument;
    return Done{};
}

}  // namespace tessera::libos
