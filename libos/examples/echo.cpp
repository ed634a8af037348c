// A plain libOS on the network: it answers whoever asks who it is (ARP, RFC 826) and whether it is there (ICMP echo, RFC 792).
//
//   ip=10.0.2.2      its address
//   count=N          it ends when it has answered so many echo requests
//   switch=NAME      net_switch if nothing is said
//
// What arrives can still be written by whoever sent it. So it is copied first, into the very frame that the answer goes out in,
// and judged there.
#include <algorithm>
#include <array>
#include <charconv>

#include "libos/core/libos.hpp"
#include "libos/net/port.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

using IpAddress = std::array<u8, 4>;

struct Arp {
    u8 kinds[6];  // Ethernet, IPv4, their sizes
    u8 operation[2];
    MacAddress from;
    IpAddress from_ip;
    MacAddress to;
    IpAddress to_ip;
};
struct Ip {
    u8 version_and_words, service, length[2], id[2], fragment[2], life, protocol, checksum[2];
    IpAddress from, to;
};
struct Icmp {
    u8 type, code, checksum[2], rest[4];
};
static_assert(sizeof(Arp) == 28 && sizeof(Ip) == 20 && sizeof(Icmp) == 8);

SwitchPort port;
IpAddress own;

u64 get16(const u8* at) { return u64{at[0]} << 8 | at[1]; }
void put16(u8* at, u64 value) { at[0] = static_cast<u8>(value >> 8), at[1] = static_cast<u8>(value); }

bool read_own() {
    const std::string_view text = argument("ip");
    const char* at = text.begin();
    for (u8& part : own) {
        const auto [end, error] = std::from_chars(at, text.end(), part);
        if (error != std::errc{}) return false;
        at = end + (end != text.end());
    }
    return at == text.end();
}

/// Make an answer of an ARP question. False: it is none, or not for us.
bool answer(Arp& arp) {
    constexpr u8 kEthernetAndIp[6] = {0, 1, 8, 0, 6, 4};
    if (!std::ranges::equal(arp.kinds, kEthernetAndIp) || get16(arp.operation) != 1 || arp.to_ip != own) return false;
    put16(arp.operation, 2);
    arp.to = arp.from, arp.to_ip = arp.from_ip;
    arp.from = port.address(), arp.from_ip = own;
    return true;
}

/// The same of an echo request, `size` bytes from the IP header on. 0: no answer; else how long it is.
u64 answer(Ip& ip, Icmp& icmp, u64 size) {
    constexpr u8 kNoOptions = 0x45, kIcmp = 1, kRequest = 8, kReply = 0;
    const u64 length = get16(ip.length);
    if (ip.version_and_words != kNoOptions || ip.protocol != kIcmp || ip.to != own || length > size || length < sizeof ip + sizeof icmp) return 0;
    if (icmp.type != kRequest) return 0;
    std::swap(ip.from, ip.to);  // changes no sum
    icmp.type = kReply;
    const u64 sum = get16(icmp.checksum) + (u64{kRequest} << 8);  // RFC 1624
    put16(icmp.checksum, (sum & 0xffff) + (sum >> 16));
    return length;
}

/// An answer in the room for the next frame: its length; 0: none.
u64 make_answer(std::span<std::byte> room, const ReceivedFrame& frame) {
    constexpr u64 kArp = 0x0806, kIp = 0x0800;
    const u64 size = frame.payload.size();
    std::byte* const body = room.data() + kEthernetHeader;
    const EthernetHeader header{frame.header.from, port.address(), frame.header.type};
    std::memcpy(room.data(), &header, sizeof header);
    std::memcpy(body, frame.payload.data(), size);
    const u64 type = get16(header.type.data());
    u64 length = 0;
    if (type == kArp && size >= sizeof(Arp) && answer(*reinterpret_cast<Arp*>(body))) length = sizeof(Arp);
    if (type == kIp && size >= sizeof(Ip) + sizeof(Icmp))
        length = answer(*reinterpret_cast<Ip*>(body), *reinterpret_cast<Icmp*>(body + sizeof(Ip)), size);
    constexpr u64 kShortest = 60;
    return length == 0 ? 0 : std::max(kEthernetHeader + length, kShortest);
}

}  // namespace

int libos_main() {
    use_network();
    if (!read_own()) return print("no address: ip=A.B.C.D is not given\n"), 2;
    const Outcome opened = port.open(argument("switch").empty() ? "net_switch" : argument("switch"));
    if (!opened.ok()) return print("no port: ", name_of(opened.error()), "\n"), 2;
    u64 answered = 0, others = 0;
    for (const u64 count = argument("count", 1); answered < count;) {
        ReceivedFrame frame;
        const auto came = port.receive(frame);
        if (!came.ok()) return print("the network is gone: ", name_of(came.error()), "\n"), 1;
        if (!came.value()) {
            if (!port.wait().ok()) return 1;
            continue;
        }
        const auto room = port.room(frame.header.from);
        const u64 length = room.empty() ? 0 : make_answer(room, frame);
        const bool sent = length != 0 && port.send(length).ok();
        const bool echo = sent && frame.header.type == std::array<u8, 2>{8, 0};
        ++(echo ? answered : others);
    }
    print("answered ", answered, " echo requests, and saw ", others, " other frames\n");
    return port.flush().ok() ? 0 : 1;
}
