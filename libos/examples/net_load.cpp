// What a frame costs: one libOS sends, another takes, over the switch, for frames of several lengths. Those that are too long for the
// ring: on a road, which frames go again and again (libos/net/roads.hpp), and renewed for each.
//
//   role=sink           takes frames, and says so after every kWindow of them
//   role=source         finds the sink, sends, measures
//   frames=N            of each length
//   switch=NAME         net_switch if nothing is said
//
// Ticks are those of the TSC: instructions, in a scenario with icount. The sink looks at every byte, as whoever wants a frame does.
#include <algorithm>
#include <array>

#include "libos/core/libos.hpp"
#include "libos/net/port.hpp"
#include "libos/transfer/board.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constexpr std::array<u8, 2> kLocalUse{0x88, 0xb5};  // IEEE 802: for experiments
constexpr u64 kWindow = 16;
constexpr u64 kLengths[] = {64, 128, 174, 256, 512, 1024, 1514};

enum class Kind : u8 { who = 1, here, data, taken, end };

SwitchPort port;
std::byte frame[kLongestFrame];
u64 checksum;
bool again;

void write_header(std::byte* to, const MacAddress& destination) {
    const EthernetHeader header{destination, port.address(), kLocalUse};
    __builtin_memcpy(to, &header, sizeof header);
}

bool send_word(const MacAddress& to, Kind kind) {
    write_header(frame, to);
    frame[kEthernetHeader] = static_cast<std::byte>(kind);
    return port.send({frame, 60}).ok();
}

/// The next frame of those that this program sends; waits for it.
bool receive(ReceivedFrame& received) {
    for (;;) {
        const auto came = port.receive(received);
        if (!came.ok()) return false;
        if (came.value() && received.header.type == kLocalUse && !received.payload.empty()) return true;
        if (!came.value() && !port.wait().ok()) return false;
    }
}

void look_at(std::span<const std::byte> payload) {
    u64 sum = 0, word = 0;
    for (u64 i = 0; i + sizeof word <= payload.size(); i += sizeof word) {
        __builtin_memcpy(&word, payload.data() + i, sizeof word);
        sum += word;
    }
    checksum += sum;
}

int be_sink() {
    ReceivedFrame received;
    for (u64 taken = 0; receive(received);) {
        const MacAddress from = received.header.from;
        switch (static_cast<Kind>(received.payload[0])) {
            case Kind::who:
                if (!send_word(from, Kind::here)) return 1;
                break;
            case Kind::data:
                look_at(received.payload);
                if (++taken % kWindow == 0 && !send_word(from, Kind::taken)) return 1;
                break;
            case Kind::end:
                print("sink: ", taken, " frames, sum ", hex(checksum), "\n");
                return taken != 0 && checksum != 0 ? 0 : 1;
            default: break;
        }
    }
    return 1;
}

bool wait_for(Kind kind, MacAddress& from) {
    ReceivedFrame received;
    while (receive(received)) {
        from = received.header.from;
        if (static_cast<Kind>(received.payload[0]) == kind) return true;
    }
    return false;
}

bool is_small(u64 length) { return length <= kEthernetHeader + kSmallPayload; }

/// A frame that was written by hand where it will be sent from, as a program does that has something to say.
bool send_data(const MacAddress& to, u64 length) {
    const bool small = is_small(length);
    for (;;) {
        const auto room = small ? std::span(frame) : again ? port.room(to) : port.room();
        if (!room.empty()) {
            write_header(room.data(), to);
            __builtin_memset(room.data() + kEthernetHeader, static_cast<int>(Kind::data), length - kEthernetHeader);
            if ((small ? port.send({frame, length}) : port.send(length)).ok()) return true;
        }
        if (!port.wait().ok()) return false;
    }
}

struct Parties {
    EnvId source, network, sink;
    u64 ticks[3];
    void look() {
        const EnvId all[] = {source, network, sink};
        for (u64 i = 0; i < 3; ++i) {
            const volatile u64& ticks_of = environment_info(all[i]).ticks;
            ticks[i] = ticks_of;
        }
    }
};

/// Ticks to copy so many bytes from one place to another, both warm.
u64 copy_cost(u64 length) {
    static std::byte other[kLongestFrame];
    u64 least = ~u64{0};
    for (u64 round = 0; round < 4; ++round) {
        const u64 begin = ticks();
        std::memcpy(other, frame, length);
        asm volatile("" ::: "memory");
        least = std::min(least, ticks() - begin);
    }
    return least;
}

bool measure(const MacAddress& sink, Parties parties, u64 length, u64 count) {
    MacAddress from;
    parties.look();
    const Parties before = parties;
    const u64 begin = ticks();
    for (u64 i = 0; i < count; i += kWindow) {
        for (u64 each = 0; each < kWindow; ++each)
            if (!send_data(sink, length)) return false;
        if (!wait_for(Kind::taken, from)) return false;
    }
    const u64 elapsed = ticks() - begin;
    parties.look();
    print(length, " bytes: ", elapsed / count, " ticks a frame", again ? "\n" : ", renewed\n");
    return record("length", length, "way", is_small(length) ? "ring" : again ? "road" : "renewed", "frames", count, "ticks_a_frame", elapsed / count, "source", (parties.ticks[0] - before.ticks[0]) / count,
                  "switch", (parties.ticks[1] - before.ticks[1]) / count, "sink", (parties.ticks[2] - before.ticks[2]) / count,
                  "copy", copy_cost(length), "frames_a_second", information().tsc_hz * count / elapsed).ok();
}

int be_source(EnvId network) {
    MacAddress sink;
    ReceivedFrame received;
    for (bool found = false; !found;) {
        if (!send_word(kBroadcast, Kind::who)) return 1;
        const Outcome slept = port.wait(ticks() + information().quantum * 4);
        if (!slept.ok() && slept.error() == Error::ended) return 1;
        for (auto came = port.receive(received); came.ok() && came.value(); came = port.receive(received)) {
            sink = received.header.from;
            found = found || received.payload[0] == static_cast<std::byte>(Kind::here);
        }
    }
    const Parties parties{boot().self, network, find_environment(argument("sink")), {}};
    const u64 count = (argument("frames", 512) + kWindow - 1) / kWindow * kWindow;
    for (const u64 length : kLengths) {
        for (const bool on_road : {true, false}) {
            again = on_road;
            if (!on_road && is_small(length)) continue;
            if (!measure(sink, parties, length, kWindow) || !measure(sink, parties, length, count)) return 1;
        }
    }
    return send_word(sink, Kind::end) && port.flush().ok() ? 0 : 1;
}

}  // namespace

int libos_main() {
    use_network();
    const auto name = argument("switch").empty() ? std::string_view("net_switch") : argument("switch");
    const Outcome opened = port.open(name);
    if (!opened.ok()) return print("no port: ", name_of(opened.error()), "\n"), 2;
    return argument("role") == "sink" ? be_sink() : be_source(port.peer());
}
