// A split virtqueue, walked on the device's side. (Virtio 1.1, 2.6 and, for the legacy layout, 2.6.2; 0.9.5, 2.3.)
//
//   queue address, in pages                                                 next page boundary
//   +------------------------+-----------------------------+----//----+----------------------------+
//   | descriptors: 16 * size | flags, index, heads, event  |          | flags, index, {head, bytes} |
//   +------------------------+-----------------------------+----//----+----------------------------+
//     table                    available: guest -> device               used: device -> guest
//
// All of it is the guest's memory, and the guest may lie: indices out of range, chains that bite their tails, buffers
// that are no memory. Every word is read once and checked before it is used; what cannot be is a problem, in words, and
// a queue with a problem gives out nothing any more.
#pragma once

#include "libos/vmm/guest_memory.hpp"

namespace tessera::vmm {

/// The most descriptors that a queue, and therefore a chain, can have.
inline constexpr u16 kMaxQueueSize = 128;

/// One request: buffers that the device reads, and behind them buffers that it writes, each seen as one run of bytes.
class Chain {
  public:
    u16 head() const { return head_; }
    u64 readable() const { return readable_; }  ///< In bytes.
    u64 writable() const { return writable_; }

    /// Copy out of the readable part, from `offset` on; or into the writable part. False: it does not have as much, or
    /// the guest's memory is not there.
    bool read(GuestMemory& memory, u64 offset, std::span<std::byte> to) const;
    bool write(GuestMemory& memory, u64 offset, std::span<const std::byte> from) const;

    /// The guest frame that a page's worth of the writable part from `offset` on is, if it is one and whole.
    std::optional<u64> whole_frame(u64 offset) const;

    template <class T>
    std::optional<T> read(GuestMemory& memory, u64 offset) const {
        T value{};
        if (!read(memory, offset, std::as_writable_bytes(std::span(&value, 1)))) return std::nullopt;
        return value;
    }

  private:
    friend class VirtQueue;
    struct Piece {
        u64 address;
        u32 length;
    };

    template <class Copy>
    bool each(u32 first, u32 end, u64 offset, u64 length, Copy copy) const;

    u16 head_ = 0;
    u32 count_ = 0;
    u32 readable_count_ = 0;
    u64 readable_ = 0, writable_ = 0;
    Piece pieces_[kMaxQueueSize];
};

class VirtQueue {
  public:
    /// `size`: a power of two, at most kMaxQueueSize.
    constexpr explicit VirtQueue(u16 size = 0) : size_(size) {}

    u16 size() const { return size_; }
    u32 page() const { return page_; }
    /// Put the queue at a guest frame and begin anew; 0 takes it out of use.
    void place(GuestMemory& memory, u32 guest_frame);
    bool ready() const { return page_ != 0 && problem_ == nullptr; }
    /// What the guest got wrong; null: nothing so far. `place` forgives.
    const char* problem() const { return problem_; }

    /// Take the next chain that the guest offers. False: there is none, or there is a problem.
    bool take(GuestMemory& memory, Chain& chain);
    /// Does the guest offer another one, as far as one can see without taking it?
    bool offers_more(GuestMemory& memory) const;
    /// The chain with this head has been served, and `written` bytes were written to it. False: there is a problem.
    bool finish(GuestMemory& memory, u16 head, u32 written);
    /// Does the guest want to hear of what was finished?
    bool wants_interrupt(GuestMemory& memory);

  private:
    bool fail(const char* problem);
    bool walk(GuestMemory& memory, Chain& chain);
    u64 table() const { return u64{page_} << kPageShift; }
    u64 available() const { return table() + u64{16} * size_; }
    u64 used() const { return (available() + 6 + u64{2} * size_ + kPageSize - 1) & ~(kPageSize - 1); }
    u64 end() const { return used() + 6 + u64{8} * size_; }

    u16 size_;
    u16 taken_ = 0;  ///< Chains taken so far, modulo 2^16: as the guest counts those that it offers.
    u16 finished_ = 0;
    u32 page_ = 0;
    const char* problem_ = nullptr;
};

}  // namespace tessera::vmm
