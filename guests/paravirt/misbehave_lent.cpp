// A guest that uses lent pages as it likes: sends what it does not have, or twice, gives back what it keeps, or never had, puts page
// tables there. Now and then it means it: else it would soon be lent nothing.

#include <cstring>

#include "guests/paravirt/misbehave.hpp"
#include "guests/paravirt/ring.hpp"

namespace small {
namespace {

using namespace paravirt;
using paravirt_layer::RingEnd;

constexpr u64 kBuffers = 8, kPing = 1000;
alignas(kPageSize) u8 buffers[kBuffers][kPageSize];
bool offered[kBuffers];
RingEnd outgoing, incoming;
u64 ids, fillable, readable;  // the last page of either kind that was lent,
u64 lent[16], lent_count;     // and the last ones to fill
u64 receiver = 0xffff'ffff'ffff;

u64 any_lent_page(Random& random) {
    const auto& start = *paravirt_layer::start;
    switch (random.below(8)) {
        case 0: return random.next();
        case 1: return start.lent_pages + start.lent_page_count * kPageSize;
        case 2: return start.lent_pages + random.below(kPageSize);
        case 3: return fillable;
        case 5:
        case 6: return lent[random.below(16)];
        case 4: return readable;
        default: return start.lent_pages + random.below(start.lent_page_count) * kPageSize;
    }
}

void take_answers() {
    for (Response response; outgoing.take(response);)
        if (response.address != 0) lent[lent_count++ % 16] = fillable = response.address;
    for (Response response; incoming.take(response);) {
        offered[response.id % kBuffers] = false;
        if (response.address == 0) continue;
        readable = response.address;
        std::memcpy(&receiver, buffers[response.id % kBuffers] + 6, 6);
    }
}

/// An echo request (RFC 792), as far as it is looked at.
void write_ping(u8* packet) {
    static constexpr u8 kIp[] = {0x45, 0, (kPing - 14) >> 8, (kPing - 14) & 0xff, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2, 8};
    std::memset(packet, 0, kPing);
    std::memcpy(packet, &receiver, 6);
    std::memcpy(packet + 6, paravirt_layer::start->network_address, 6);
    packet[12] = 8;
    std::memcpy(packet + 14, kIp, sizeof kIp);
}

void ping() {
    fillable = 0;
    outgoing.ask({++ids, Operation::room, 0, {receiver}, 0});
    outgoing.notify();
    take_answers();
    if (fillable == 0) return;
    write_ping(reinterpret_cast<u8*>(fillable));
    outgoing.ask({++ids, Operation::send, kPing, {}, fillable});
    outgoing.notify();
    // Until the answer comes, or a tick.
    __atomic_store_n(&paravirt_layer::shared->pending, u64{0}, __ATOMIC_SEQ_CST);
    hypercall(Hypercall::wait);
}

void lie(Random& random) {
    static Update update;
    const u64 page = any_lent_page(random);
    const u32 size = random.below(4) != 0 ? kPing : static_cast<u32>(random.next());
    switch (random.below(6)) {
        case 0: outgoing.ask({++ids, Operation::room, size, {random.next()}, page}); break;
        case 1: hypercall(Hypercall::create_root, page); break;
        case 2: hypercall(Hypercall::start_ring, random.below(3), page); break;
        case 3:
            update = {page + 8 * random.below(512), page | 7};
            hypercall(Hypercall::update_entries, address_of(&update), 1);
            break;
        default: outgoing.ask({++ids, Operation::send, size, {page}, page}); break;
    }
    hypercall(Hypercall::zero_frames, address_of(&page), 1);
}

}  // namespace

void lie_about_lent_pages(Random& random, u64 rounds) {
    if (!outgoing.start(RingKind::transmit) || !incoming.start(RingKind::receive)) return;
    machine::mask_interrupts();
    machine::set_timer(1000);
    for (u64 i = 0; i < rounds; ++i) {
        if (random.below(3) == 0) ping();
        else lie(random);
        outgoing.notify();
        // No more than there may be without an answer: whoever asks for more has no ring any more.
        for (u64 buffer = 0; buffer < kBuffers; ++buffer) {
            if (offered[buffer]) continue;
            const u64 read = random.below(2) != 0 ? readable : any_lent_page(random);
            incoming.ask({buffer, Operation::buffer, kPageSize, {read}, address_of(buffers[buffer])});
            offered[buffer] = true;
        }
        hypercall(Hypercall::yield);
        take_answers();
    }
    const auto& start = *paravirt_layer::start;
    for (u64 page = 0; page < start.lent_page_count; ++page)
        *reinterpret_cast<volatile u8*>(start.lent_pages + page * kPageSize) = 1;
}

}  // namespace small
