#include "libos/vmm/paravirt/ring_devices.hpp"

#include <algorithm>
#include <cstring>

namespace tessera::vmm::paravirt {
namespace {

/// What a request is about, if that is memory, and within one frame.
std::span<std::byte> bytes_of(GuestMemory& memory, const Request& request, bool write) {
    const u64 offset = request.address % kPageSize;
    if (request.size == 0 || request.size > kPageSize - offset) return {};
    std::byte* page = memory.page(request.address >> kPageShift, write);
    return page != nullptr ? std::span(page + offset, request.size) : std::span<std::byte>();
}

}  // namespace

bool RingDisk::carry_out(GuestMemory& memory, const Request& request, u32& written) {
    if (request.operation == Operation::barrier) return true;
    const u64 count = request.size / kSectorSize;
    if (request.size % kSectorSize != 0 || count > disk_.sectors() || request.sector > disk_.sectors() - count) return false;
    const bool read = request.operation == Operation::read;
    if (!read && (request.operation != Operation::write || !disk_.writable())) return false;
    const std::span<std::byte> bytes = bytes_of(memory, request, read);
    if (bytes.empty()) return false;
    if (!read) return disk_.write(request.sector, bytes);
    written = request.size;
    return disk_.read(request.sector, bytes);
}

// What is read may lie in the ring itself, and be more requests: those are for the next time.
bool RingDisk::serve(GuestMemory& memory) {
    bool answered = false;
    Request request;
    for (u32 served = 0; served < kRingSlots && ring_.take(memory, request); ++served) {
        u32 written = 0;
        const bool done = carry_out(memory, request, written);
        answered |= ring_.answer(memory, {request.id, done ? 0u : 1u, done ? written : 0, 0});
    }
    return answered;
}

std::optional<u64> RingNetwork::lent_page(u64 address) const {
    if (lent_ == nullptr || address < lent_at_ || address % kPageSize != 0) return {};
    const u64 page = (address - lent_at_) >> kPageShift;
    return page < lent_->count() ? std::optional(page) : std::nullopt;
}

// Whoever gets it may look twice.
bool RingNetwork::send(std::span<const std::byte> bytes) {
    if (bytes.size() < kMinFrame || bytes.size() > kMaxFrame) return false;
    MacAddress to;
    std::memcpy(&to, bytes.data(), sizeof to);
    const std::span<std::byte> room = port_.room(to);
    std::byte* const frame = room.empty() ? frame_ : room.data();
    std::memcpy(frame, bytes.data(), bytes.size());
    port_.send({frame, bytes.size()});
    return true;
}

Response RingNetwork::carry_out(GuestMemory& memory, const Request& request) {
    const auto answer = [&](bool done, std::optional<u64> page = {}) {
        return Response{request.id, done ? 0u : 1u, 0, page ? lent_at_ + (*page << kPageShift) : 0};
    };
    if (request.operation == Operation::room) {
        MacAddress to;
        std::memcpy(&to, &request.lent, sizeof to);
        const auto page = lent_ != nullptr ? lent_->lend_room(to) : std::nullopt;
        return answer(page.has_value(), page);
    }
    if (request.operation != Operation::send) return answer(false);
    if (const auto page = lent_page(request.address)) {
        std::optional<u64> next;
        const bool sent = request.size > kLeastLent && request.size <= kMaxFrame && lent_->send_lent(*page, request.size, next);
        return answer(sent, next);
    }
    return answer(send(bytes_of(memory, request, false)));
}

bool RingNetwork::transmit(GuestMemory& memory) {
    bool answered = false;
    for (Request request; transmit_.take(memory, request);) answered |= transmit_.answer(memory, carry_out(memory, request));
    return answered;
}

/// The next request for a frame to come; what it gives back is given back.
bool RingNetwork::take_buffer(GuestMemory& memory, Request& request) {
    while (receive_.take(memory, request)) {
        bool good = request.operation == Operation::buffer;
        if (good && request.lent != 0) {
            const auto page = lent_page(request.lent);
            good = page && lent_->give_back(*page);
        }
        if (good) return true;
        receive_.answer(memory, {request.id, 1, 0, 0});
    }
    return false;
}

bool RingNetwork::receive(GuestMemory& memory, std::span<const std::byte> frame, std::span<const std::byte> rest) {
    const u64 size = frame.size() + rest.size();
    for (Request request; take_buffer(memory, request);) {
        const std::span<std::byte> room = bytes_of(memory, request, true);
        const bool fits = room.size() >= size;
        if (fits) {
            std::ranges::copy(frame, room.begin());
            std::ranges::copy(rest, room.subspan(frame.size()).begin());
        }
        receive_.answer(memory, {request.id, fits ? 0u : 1u, fits ? static_cast<u32>(size) : 0, 0});
        if (fits) return true;
    }
    return false;
}

bool RingNetwork::receive_lent(GuestMemory& memory, std::span<const std::byte> header, u64 page, u64 size) {
    for (Request request; take_buffer(memory, request);) {
        const std::span<std::byte> room = bytes_of(memory, request, true);
        const bool fits = room.size() >= header.size();
        if (fits) std::ranges::copy(header, room.begin());
        receive_.answer(memory, {request.id, fits ? 0u : 1u, fits ? static_cast<u32>(size) : 0, fits ? lent_at_ + (page << kPageShift) : 0});
        if (fits) return true;
    }
    return false;
}

}  // namespace tessera::vmm::paravirt
