#include "guests/small/user/peer.hpp"

#include <cstring>

namespace small {
namespace {

// Timer ticks: for an answer, which may come from a slow host, and until a question is asked again.
constexpr u64 kPatience = 3000, kAskAgain = 50;

// Offsets in a packet: Ethernet, then ARP, or IPv4 without options and ICMP.
constexpr u64 kTo = 0, kFrom = 6, kType = 12, kBody = 14;
constexpr u64 kArpOperation = 20, kArpFrom = 22, kArpFromIp = 28, kArpTo = 32, kArpToIp = 38, kArpSize = 42;
constexpr u64 kIpLength = 16, kIpProtocol = 23, kIpSum = 24, kIpFrom = 26, kIpTo = 30, kIcmp = 34, kIcmpSum = 36;
constexpr u64 kIcmpId = 38, kIcmpSequence = 40, kIcmpData = 42;
constexpr u8 kEchoRequest = 8, kEchoReply = 0;
constexpr u16 kArp = 0x0806, kIp = 0x0800, kId = 0x736d;

u16 get16(const u8* at) { return static_cast<u16>(at[0] << 8 | at[1]); }
void put16(u8* at, u64 value) { at[0] = static_cast<u8>(value >> 8), at[1] = static_cast<u8>(value); }

u16 checksum(const u8* at, u64 size) {
    u64 sum = 0;
    for (u64 i = 0; i < size; ++i) sum += i % 2 == 0 ? u64{at[i]} << 8 : at[i];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<u16>(~sum);
}

void read_ip(const char* name, u8* ip) {
    Word value;
    if (!find_option(command_line(), name, value)) return;
    for (int i = 0; i < 4; ++i) {
        Word part{value.begin, 0};
        while (part.size < value.size && part.begin[part.size] != '.') ++part.size;
        ip[i] = static_cast<u8>(number_of(part, 0));
        const u64 used = part.size < value.size ? part.size + 1 : part.size;
        value = {value.begin + used, value.size - used};
    }
}

void seal(u8* packet, u64 size) {
    put16(packet + kIpSum, 0), put16(packet + kIpSum, checksum(packet + kBody, kIcmp - kBody));
    put16(packet + kIcmpSum, 0), put16(packet + kIcmpSum, checksum(packet + kIcmp, size - kIcmp));
}

}  // namespace

bool Peer::open() {
    read_ip("ip", own_);
    read_ip("peer", peer_);
    return call(Call::network_address, address_of(own_hardware_)) == 0;
}

bool Peer::next_packet(u64 patience) {
    const i64 size = call(Call::receive, address_of(packet_), sizeof packet_, patience);
    size_ = size > 0 ? static_cast<u64>(size) : 0;
    return size_ >= kArpSize;
}

void Peer::address_to(const u8* hardware) {
    std::memcpy(packet_ + kTo, hardware, 6);
    std::memcpy(packet_ + kFrom, own_hardware_, 6);
}

bool Peer::find() {
    static constexpr u8 kEverybody[6] = {255, 255, 255, 255, 255, 255};
    static constexpr u8 kRequest[] = {0, 1, 8, 0, 6, 4, 0, 1};  // Ethernet, IPv4, their sizes, a question.
    if (!open()) return false;
    for (u64 attempt = 0; attempt < kPatience / kAskAgain; ++attempt) {
        std::memset(packet_, 0, sizeof packet_);
        address_to(kEverybody);
        put16(packet_ + kType, kArp);
        std::memcpy(packet_ + kBody, kRequest, sizeof kRequest);
        std::memcpy(packet_ + kArpFrom, own_hardware_, 6);
        std::memcpy(packet_ + kArpFromIp, own_, 4);
        std::memcpy(packet_ + kArpToIp, peer_, 4);
        call(Call::send, address_of(packet_), 60);
        while (next_packet(kAskAgain)) {
            if (get16(packet_ + kType) != kArp || get16(packet_ + kArpOperation) != 2 ||
                std::memcmp(packet_ + kArpFromIp, peer_, 4) != 0)
                continue;
            std::memcpy(peer_hardware_, packet_ + kArpFrom, 6);
            return true;
        }
    }
    return false;
}

bool Peer::echo(u16 sequence, u64 size) {
    static constexpr u8 kHeader[] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1};  // Version, length, .., time to live, ICMP.
    const u64 whole = kIcmpData + size;
    if (whole > kMaxPacket) return false;
    address_to(peer_hardware_);
    put16(packet_ + kType, kIp);
    std::memcpy(packet_ + kBody, kHeader, sizeof kHeader);
    put16(packet_ + kIpLength, whole - kBody);
    std::memcpy(packet_ + kIpFrom, own_, 4);
    std::memcpy(packet_ + kIpTo, peer_, 4);
    packet_[kIcmp] = kEchoRequest, packet_[kIcmp + 1] = 0;
    put16(packet_ + kIcmpId, kId);
    put16(packet_ + kIcmpSequence, sequence);
    for (u64 i = 0; i < size; ++i) packet_[kIcmpData + i] = static_cast<u8>(sequence + i);
    seal(packet_, whole);
    if (call(Call::send, address_of(packet_), whole) < 0) return false;
    while (next_packet(kPatience)) {
        if (get16(packet_ + kType) == kArp) {
            answer_arp();
            continue;
        }
        if (get16(packet_ + kType) != kIp || packet_[kIpProtocol] != 1 || packet_[kIcmp] != kEchoReply || size_ < whole ||
            get16(packet_ + kIcmpId) != kId || get16(packet_ + kIcmpSequence) != sequence)
            continue;
        for (u64 i = 0; i < size; ++i)
            if (packet_[kIcmpData + i] != static_cast<u8>(sequence + i)) return false;
        return true;
    }
    return false;
}

void Peer::answer_arp() {
    if (get16(packet_ + kArpOperation) != 1 || std::memcmp(packet_ + kArpToIp, own_, 4) != 0) return;
    std::memcpy(packet_ + kArpTo, packet_ + kArpFrom, 10);
    std::memcpy(packet_ + kArpFrom, own_hardware_, 6);
    std::memcpy(packet_ + kArpFromIp, own_, 4);
    put16(packet_ + kArpOperation, 2);
    address_to(packet_ + kArpTo);
    call(Call::send, address_of(packet_), size_);
}

bool Peer::answer_echo() {
    const u64 whole = kBody + get16(packet_ + kIpLength);
    if (packet_[kBody] != 0x45 || packet_[kIpProtocol] != 1 || packet_[kIcmp] != kEchoRequest || whole > size_ ||
        whole < kIcmpData || std::memcmp(packet_ + kIpTo, own_, 4) != 0)
        return false;
    u8 asker[6];
    std::memcpy(asker, packet_ + kFrom, 6);
    std::memcpy(packet_ + kIpTo, packet_ + kIpFrom, 4);
    std::memcpy(packet_ + kIpFrom, own_, 4);
    packet_[kIcmp] = kEchoReply;
    address_to(asker);
    seal(packet_, whole);
    return call(Call::send, address_of(packet_), whole) > 0;
}

void Peer::serve(u64 count) {
    while (count != 0) {
        if (!next_packet(kPatience)) continue;
        if (get16(packet_ + kType) == kArp) answer_arp();
        else if (get16(packet_ + kType) == kIp && answer_echo()) --count;
    }
    next_packet(kAskAgain);  // The card has time to send what it was given last.
}

}  // namespace small
