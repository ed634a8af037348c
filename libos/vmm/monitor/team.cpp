#include "libos/vmm/monitor/team.hpp"

#include "libos/core/program.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

u64 seen(const u64& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
void tell(u64& word, u64 value) { __atomic_store_n(&word, value, __ATOMIC_RELEASE); }

constexpr const char* kNames[kMaxGuestCpus] = {"", "vcpu-1", "vcpu-2", "vcpu-3", "vcpu-4", "vcpu-5", "vcpu-6", "vcpu-7"};

/// Nobody calls: the entry is there to be notified.
[[noreturn]] void never_called() {
    for (;;) static_cast<void>(enter_kernel<TransferAnswer>({}));
}

}  // namespace

Outcome Team::publish(Member& member) {
    TRY(call<EntryPublish>({kEntry, VirtAddr{reinterpret_cast<u64>(never_called)}, 0, address(member.entry)}));
    return Done{};
}

Outcome Team::bind_gates(u64 self) {
    for (u64 cpu = 0; cpu < count(); ++cpu)
        if (cpu != self) TRY(call<GateBind>({address(members_[cpu].entry), kFirstGate + cpu}));
    return Done{};
}

void Team::wake(u64 cpu) { static_cast<void>(call<Notify>({kFirstGate + cpu, kNotified})); }

void Team::run_member(void* pointer) {
    Member& member = *static_cast<Member*>(pointer);
    Team& team = *member.team;
    const bool published = team.publish(member).ok();
    tell(member.stage, published ? Stage::published : failed);
    while (seen(team.all_published_) == 0) static_cast<void>(call<Yield>());
    const bool good = published && team.bind_gates(member.cpu).ok() && team.guest_->processor(member.cpu).open().ok();
    tell(member.stage, good ? opened : failed);
    while (good && seen(team.begins_) == 0) static_cast<void>(call<Yield>());
    if (!good) return;
    member.monitor.set_events(kNotified);
    member.monitor.add(team.guest_->processor(member.cpu));
    member.monitor.run();
}

Outcome Team::wait_for(Stage stage) {
    for (u64 cpu = 1; cpu < count(); ++cpu)
        for (const u64 begin = ticks(); seen(members_[cpu].stage) != stage; static_cast<void>(call<Yield>()))
            if (seen(members_[cpu].stage) == failed || ticks() - begin > 10 * information().tsc_hz) return Error::asleep;
    return Done{};
}

Outcome Team::open(PcGuest& guest, u64 slots) {
    constexpr u64 kFrames = 16;
    guest_ = &guest;
    guest.machine().share(count(), *this);
    TRY(publish(members_[0]));
    for (u64 cpu = 1; cpu < count(); ++cpu) {
        Member& member = members_[cpu];
        member.team = this;
        member.cpu = cpu;
        TRY(member.companion.start(kNames[cpu], (boot().cpu + cpu) % information().cpus, slots, kFrames, run_member, &member));
    }
    TRY(wait_for(published));
    tell(all_published_, 1);
    TRY(bind_gates(0));
    return wait_for(opened);
}

void Team::begin() { tell(begins_, 1); }

void Team::join() {
    for (u64 cpu = 1; cpu < count(); ++cpu) members_[cpu].companion.join();
}

}  // namespace tessera::vmm
