// Reading the tables, and sampling.
#include "libos/arbiter/clients.hpp"

#include "libos/transfer/board.hpp"

namespace tessera::libos {

u64 Client::outstanding() const {
    const auto* requests = reinterpret_cast<const RevocationRequest*>(kInformation + kRequestTableOffset) + id.index() * kRequests;
    u64 frames = 0;
    for (u64 i = 0; i < kRequests; ++i) {
        const RevocationRequest& request = requests[i];
        const bool open = request.state == RequestState::asked || request.state == RequestState::told;
        if (!open || request.target != id.value || request.kind != RevocationKind::frames) continue;
        const u64 done = request.returned + request.taken;
        frames += done < request.count ? request.count - done : 0;
    }
    return frames;
}

bool Clients::open(std::string_view list, const Capability& authority) {
    authority_ = &authority;
    ListItem item{};
    while (count_ < kMost && take_item(list, item)) {
        Client& client = clients_[count_++];
        client.name = item.name;
        client.shares = item.number[0];
        client.floor = item.number[1];
    }
    return list.empty() && count_ != 0;
}

bool Clients::refresh() {
    bool changed = false;
    for (Client& client : all()) {
        if (client.id && is_alive(client.id)) continue;
        const EnvId now = find_environment(client.name);
        changed |= now != client.id;
        client.id = now;
        client.sample = {};
        if (now) client.quota = std::min(client.info().frame_quota, information().frames);  // the kernel gives no larger one back
    }
    return changed;
}

u64 Clients::living() const {
    u64 count = 0;
    for (u64 i = 0; i < count_; ++i) count += bool{clients_[i].id};
    return count;
}

static bool was_found(const BatchedCall& made) { return made.error == Error::ok && made.value != 0; }

// Whether it is touched is noted per frame, wherever it is bound. In one batch: each call by itself would stop all other CPUs.
u64 Clients::touched(const SampledFrames& sample) {
    static_assert(SampledFrames::kSize <= Batch::kMaxCount);
    u64 bits = 0, count = 0;
    for (u64 i = 0; i < sample.count(); ++i)
        if (!sample.was_touched(i))
            calls_[count++] = {FrameSample::number, {address(*authority_).value, sample[i].value, 1, address(bits).value}, Error::ok, 0};
    for (u64 done = 0; done < count;) {
        const auto made = call<Batch>({address(calls_[done]), count - done});
        if (!made.ok() || made.value() == 0) break;
        done += made.value();
    }
    u64 found = 0;
    for (u64 i = 0, next = 0; i < sample.count(); ++i)
        if (!sample.was_touched(i)) found |= u64{was_found(calls_[next++])} << i;
    return found;
}

void Clients::begin_period(RandomNumbers& random) {
    std::array<Client*, kMaxEnvironments> by_index{};
    for (Client& client : all()) {
        client.sample = {};
        if (client.id) by_index[client.id.index()] = &client;
    }
    const u64 frames = information().frames;
    for (u64 i = 0; i < frames; ++i) {
        const FrameInfo& info = frame_info(FrameNumber{i});
        if (info.state != FrameState::owned) continue;
        Client* client = by_index[EnvId{info.owner}.index() % kMaxEnvironments];
        if (client != nullptr && info.owner == client->id.value) client->sample.offer(FrameNumber{i}, random);
    }
    for (Client& client : all()) static_cast<void>(touched(client.sample));
}

void Clients::look(bool over) {
    for (Client& client : all()) {
        if (!client.id) continue;
        const u64 found = touched(client.sample);
        for (u64 i = 0; i < client.sample.count(); ++i)
            if (found >> i & 1) client.sample.touch(i);
        if (over)
            client.activity.end_period(client.sample.touched(), client.sample.count());
        else
            client.activity.look(client.sample.touched(), client.sample.count());
    }
}

}  // namespace tessera::libos
