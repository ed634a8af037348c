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

bool RingDisk::serve(GuestMemory& memory) {
    bool answered = false;
    for (Request request; ring_.take(memory, request);) {
        u32 written = 0;
        const bool done = carry_out(memory, request, written);
        answered |= ring_.answer(memory, {request.id, done ? 0u : 1u, done ? written : 0});
    }
    return answered;
}

bool RingNetwork::transmit(GuestMemory& memory) {
    bool answered = false;
    for (Request request; transmit_.take(memory, request);) {
        const std::span<std::byte> bytes = bytes_of(memory, request, false);
        const bool fits = request.operation == Operation::send && bytes.size() >= kMinFrame && bytes.size() <= kMaxFrame;
        if (fits) {
            // Whoever gets it may look twice.
            const std::span<std::byte> room = port_.room();
            std::byte* const frame = room.empty() ? frame_ : room.data();
            std::memcpy(frame, bytes.data(), bytes.size());
            port_.send({frame, bytes.size()});
        }
        answered |= transmit_.answer(memory, {request.id, fits ? 0u : 1u, 0});
    }
    return answered;
}

bool RingNetwork::receive(GuestMemory& memory, std::span<const std::byte> frame, std::span<const std::byte> rest) {
    const u64 size = frame.size() + rest.size();
    for (Request request; receive_.take(memory, request);) {
        const std::span<std::byte> room = bytes_of(memory, request, true);
        const bool fits = request.operation == Operation::buffer && room.size() >= size;
        if (fits) {
            std::ranges::copy(frame, room.begin());
            std::ranges::copy(rest, room.subspan(frame.size()).begin());
        }
        receive_.answer(memory, {request.id, fits ? 0u : 1u, fits ? static_cast<u32>(size) : 0});
        if (fits) return true;
    }
    return false;
}

}  // namespace tessera::vmm::paravirt
