// A message queue with priorities, from one environment to another, bounded: messages are copied in, and out again, the
// most urgent first and among equals the oldest. Each priority is a ring of its own, so that no message waits for a less
// urgent one to be taken.
//
//   +-------+-------------------------+------------------------------------------+
//   | bell  | RingWords[priorities]   | slots[priorities][slots]: length, bytes  |
//   +-------+-------------------------+------------------------------------------+
//
// What the shape is both sides know; it is not read from the shared memory.
#pragma once

#include <array>
#include <bit>
#include <span>

#include "libos/ipc/ring.hpp"
#include "libos/ipc/shared_memory.hpp"
#include "libos/transfer/wait.hpp"

namespace tessera::libos {

/// How a queue is laid out.
struct QueueShape {
    static constexpr u64 kMaxPriorities = 8;

    u64 priorities;  ///< 1 to kMaxPriorities; the highest is the most urgent.
    u64 slots;       ///< Messages that a priority holds: a power of two.
    u64 bytes;       ///< The longest message.

    constexpr bool canonical() const {
        return priorities != 0 && priorities <= kMaxPriorities && std::has_single_bit(slots) && slots <= kPageSize && bytes != 0 &&
               bytes <= kPageSize;
    }
    constexpr u64 slot_size() const { return (sizeof(u64) + bytes + 7) / 8 * 8; }
    constexpr u64 ring_at(u64 priority) const { return sizeof(RingWords) * (1 + priority); }
    constexpr u64 slot_at(u64 priority, u64 count) const {
        return ring_at(priorities) + (priority * slots + count % slots) * slot_size();
    }
    constexpr u64 pages() const { return (slot_at(priorities, 0) + kPageSize - 1) / kPageSize; }
};

/// What came: how long it was and how urgent.
struct Received {
    u64 length;
    u64 priority;
};

class QueueSender {
  public:
    /// `memory` has shape.pages() pages, and the shape is canonical.
    QueueSender(SharedMemory& memory, QueueShape shape, EnvId peer);

    /// Copy a message in, sleeping while its priority is full.
    /// Errors: out_of_range (no such priority, too long, or empty), ended (the receiver has closed or ended, or the memory is
    /// gone), asleep (not by `deadline`, TSC), bad_argument (the peer breaks the rules).
    Outcome send(std::span<const u8> message, u64 priority, u64 deadline = kForever);
    /// The same, without sleeping. 0: full.
    Result<u64> try_send(std::span<const u8> message, u64 priority);
    /// Nothing more will come.
    void close();

  private:
    SharedMemory& memory_;
    QueueShape shape_;
    EnvId peer_;
    RingWords& bell_;  ///< produced: how many messages were sent in all; and who has closed.
    u64 sent_ = 0;
    std::array<RingProducer, QueueShape::kMaxPriorities> rings_{};
};

class QueueReceiver {
  public:
    QueueReceiver(SharedMemory& memory, QueueShape shape, EnvId peer);

    /// The most urgent message, copied to `to`, sleeping while there is none.
    /// Errors: out_of_range (longer than `to`: it is lost), ended (the sender has closed or ended and all was received, or the
    /// memory is gone), asleep (not by `deadline`), bad_argument (the peer breaks the rules).
    Result<Received> receive(std::span<u8> to, u64 deadline = kForever);
    /// The same, without sleeping. Length 0: there is none.
    Result<Received> try_receive(std::span<u8> to);
    void close();

  private:
    SharedMemory& memory_;
    QueueShape shape_;
    EnvId peer_;
    RingWords& bell_;
    u64 heard_ = 0;  ///< What the bell said before the rings were last looked at.
    std::array<RingConsumer, QueueShape::kMaxPriorities> rings_{};
};

}  // namespace tessera::libos
