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
        if (now) client.quota = client.info().frame_quota;
    }
    return changed;
}

u64 Clients::living() const {
    u64 count = 0;
    for (u64 i = 0; i < count_; ++i) count += bool{clients_[i].id};
    return count;
}

// Whether it is touched is noted per frame, wherever it is bound.
bool Clients::touched(FrameNumber frame) const {
    u64 bits = 0;
    const auto count = call<FrameSample>({address(*authority_), frame, 1, address(bits)});
    return count.ok() && count.value() != 0;
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
    for (Client& client : all())
        for (u64 i = 0; i < client.sample.count(); ++i) static_cast<void>(touched(client.sample[i]));
}

void Clients::look(bool over) {
    for (Client& client : all()) {
        if (!client.id) continue;
        for (u64 i = 0; i < client.sample.count(); ++i)
            if (!client.sample.was_touched(i) && touched(client.sample[i])) client.sample.touch(i);
        if (over)
            client.activity.end_period(client.sample.touched(), client.sample.count());
        else
            client.activity.look(client.sample.touched(), client.sample.count());
    }
}

}  // namespace tessera::libos
