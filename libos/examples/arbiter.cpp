// An arbiter: gives the machine's memory and time out by shares, and asks it back where it is due least.
//
// It is the libOS that was loaded with the option `arbiter=1`, and so may revoke from everybody; whom it looks after, and how,
// are its arguments. Each period it samples which frames its clients use; where memory is short it asks those back whose
// shares per page are lowest, with idle memory taxed (libos/arbiter/policy.hpp). It ends when they have all ended.
//
//   clients=name:shares:floor,...   whom, with how many shares; `floor` frames are never asked for
//   tax=PERCENT (75)   period=MICROSECONDS (10000)   patience=PERIODS (20)   grain=FRAMES (16)   slots=COUNT (0)
//   of each CPU: with some, the clients are spread over the CPUs
//   quiet=1: says nothing on the log but the last line
#include "libos/arbiter/clients.hpp"
#include "libos/arbiter/slots.hpp"
#include "libos/core/libos.hpp"
#include "libos/transfer/wait.hpp"
#include "secure_bindings/capability.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constexpr u64 kLooksAPeriod = 2;

struct Rules {
    u64 tax, period, patience, grain;
    bool quiet;
};

Clients clients;
Rules rules;

void sleep_until(u64 tsc) {
    while (ticks() < tsc) static_cast<void>(sleep_until_any({}, tsc));
}

/// In the state `hard` or below there is a quarter of the time to answer.
RevocationSpec spec_for(ReclaimState state, u64 frames) {
    const u64 patience = rules.period * rules.patience;
    const u64 ticks = std::max(state >= ReclaimState::hard ? patience / 4 : patience, information().grace);
    return {RevocationKind::frames, 0, kAny, frames, ticks / 2, ticks};
}

void set_quota(const Client& client, u64 frames) {
    if (client.limit() != frames) static_cast<void>(call<EnvQuota>({address(boot().every_environment), client.id, frames}));
}

/// Who gives, of those that are there: what is asked of them already counts as given.
void choose(ReclaimState state, std::span<u64> take) {
    std::array<Claim, Clients::kMost> claims{};
    const std::span<Client> all = clients.all();
    u64 coming = 0;
    for (u64 i = 0; i < all.size(); ++i) {
        if (!all[i].id) continue;
        claims[i] = all[i].claim();
        const u64 outstanding = std::min(all[i].outstanding(), claims[i].frames);
        claims[i].frames -= outstanding;
        coming += outstanding;
    }
    const u64 missing = frames_short(state, information().frames_free + coming, information().frames_usable);
    choose_victims({claims.data(), all.size()}, rules.tax, missing, rules.grain, take.first(all.size()));
}

/// Ask for what is missing. Who is asked gets no other frames until there are enough again; in the state `low`, nobody does.
void reclaim(ReclaimState state) {
    std::array<u64, Clients::kMost> take{};
    choose(state, take);
    const u64 free = information().frames_free;
    u64 client_number = 0;
    for (Client& client : clients.all()) {
        const u64 frames = take[client_number++];
        if (!client.id) continue;
        if (state == ReclaimState::high) set_quota(client, client.quota);
        if (state == ReclaimState::low) set_quota(client, std::min(client.limit(), client.info().frames));
        if (frames == 0) continue;
        const RevocationSpec spec = spec_for(state, frames);
        if (!call<Revoke>({address(boot().every_environment), client.id, address(spec)}).ok()) continue;
        client.asked += frames;
        set_quota(client, client.info().frames - std::min(client.info().frames, client.outstanding()));
        if (rules.quiet) continue;
        print("memory ", kReclaimNames[static_cast<u64>(state)], ", ", free, " frames free: asked ", client.name, " for ", frames, "\n");
    }
}

/// What a reader, or a plot, wants to know of a period.
void report(u64 period, u64 since, ReclaimState state) {
    Json json;
    json.field("period", period);
    json.field("microseconds", (ticks() - since) / (information().tsc_hz / 1'000'000));
    json.field("state", kReclaimNames[static_cast<u64>(state)]);
    json.field("free", information().frames_free);
    for (const Client& client : clients.all()) {
        char name[40];
        Writer key(name, sizeof name);
        key.add(client.name);
        json.field(key.view(), client.id ? client.info().frames : 0);
        key.add("_used");
        json.field(key.view(), client.id ? client.claim().used : 0);
    }
    static_cast<void>(json.send());
}

/// The accounts, for people.
void print_table() {
    print("client            shares  frames    used   asked repossessed  slices\n");
    for (const Client& client : clients.all()) {
        if (!client.id) continue;
        char line[128];
        Writer text(line, sizeof line);
        const auto column = [&text](u64 end, const auto& value) {
            char digits[24];
            Writer number(digits, sizeof digits);
            number.add(value);
            while (text.view().size() + number.view().size() < end) text.add(' ');
            text.add(number.view());
        };
        text.add(client.name);
        column(24, client.shares);
        column(32, client.info().frames);
        column(40, client.claim().used);
        column(48, client.asked);
        column(60, client.info().repossessed);
        column(68, client.info().slices);
        print(text.view(), "\n");
    }
}

/// Let a client live on `cpu`, where there are slots for it.
void place(const Client& client, u64 cpu) {
    const auto only_it = attenuate(boot().every_environment, only_range(client.id.index(), 1));
    if (client.info().cpu != cpu && only_it.ok()) static_cast<void>(call<EnvPlace>({address(only_it.value()), cpu}));
}

/// Slots of each CPU, for the clients that live there: one goes to the first CPU with slots, the next to the next, and round.
class Machine {
  public:
    void open(u64 slots_each) {
        for (u64 cpu = 0; cpu < information().cpus; ++cpu)
            if (slots_[cpu].open(cpu, slots_each) != 0) cpus_[count_++] = cpu;
    }
    void share() {
        std::array<EnvId, Clients::kMost> ids{};
        std::array<u64, Clients::kMost> shares{};
        const std::span<Client> all = clients.all();
        for (u64 i = 0; i < count_; ++i) {
            for (u64 each = 0; each < all.size(); ++each) {
                const bool here = each % count_ == i && all[each].id;
                if (here) place(all[each], cpus_[i]);
                ids[each] = here ? all[each].id : EnvId{};
                shares[each] = all[each].shares;
            }
            slots_[cpus_[i]].deal({ids.data(), all.size()}, {shares.data(), all.size()});
        }
    }

  private:
    std::array<SlotShares, kMaxCpus> slots_{};
    std::array<u64, kMaxCpus> cpus_{};
    u64 count_ = 0;
};

}  // namespace

int libos_main() {
    if (boot().every_environment.kind != ResourceKind::environment) {
        print("needs the option arbiter=1\n");
        return 2;
    }
    const u64 microsecond = information().tsc_hz / 1'000'000;
    rules = {argument("tax", 75) * kWhole / 100, argument("period", 10'000) * microsecond, argument("patience", 20), argument("grain", 16),
             argument("quiet", 0) != 0};
    if (!clients.open(argument("clients"), boot().every_environment) || rules.period == 0) return 2;
    static Machine machine;
    machine.open(argument("slots", 0));

    RandomNumbers random(boot().self.value);
    ReclaimState state = ReclaimState::high;
    const u64 begin = ticks();
    clients.refresh();
    if (clients.living() == 0) return 1;
    machine.share();
    u64 next = begin, periods = 0;
    for (; clients.living() != 0; ++periods) {
        clients.begin_period(random);
        for (u64 look = 1; look <= kLooksAPeriod; ++look) {
            next += rules.period / kLooksAPeriod;
            sleep_until(next);
            if (clients.refresh()) machine.share();
            clients.look(look == kLooksAPeriod);
            const ReclaimState before = state;
            state = next_state(state, information().frames_free, information().frames_usable);
            if (state != ReclaimState::high && before == ReclaimState::high && !rules.quiet) print_table();
            reclaim(state);
        }
        report(periods, begin, state);
    }
    print("all have ended after ", periods, " periods\n");
    return 0;
}
