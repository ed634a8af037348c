// The indices of a ring in memory that two parties share who need not trust each other. One produces, one consumes.
//
// Each side keeps its own count to itself and only publishes it; the other's is read once at a time and believed only as
// far as it makes sense. So whatever the peer, or anybody else who has the page, writes there, a side never touches what
// lies outside the ring: it gets wrong bytes at worst, and an error where the counts cannot be right.
#pragma once

#include <atomic>
#include <cstring>

#include "exokernel/abi/result.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera::libos {

/// In shared memory, zero at first. Counts only grow: place i of the ring is count % capacity.
struct RingWords {
    alignas(64) u64 produced;  ///< Written by the producer,
    u64 producer_closed;       ///< as is this: nothing more will come.
    alignas(64) u64 consumed;  ///< Written by the consumer,
    u64 consumer_closed;       ///< as is this: nobody will take anything any more.
};
static_assert(sizeof(RingWords) == 128);

/// Read what a peer may be writing, once.
inline u64 read_once(u64& word) { return std::atomic_ref(word).load(std::memory_order_acquire); }
/// Let the peer see it, and all that was written before.
inline void publish(u64& word, u64 value) { std::atomic_ref(word).store(value, std::memory_order_release); }

/// Copy what a peer may be changing, once: what is used afterwards is the copy.
inline void copy_once(void* to, const void* from, u64 size) {
    std::memcpy(to, from, size);
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Either side's view: how far it has come itself, and how far the peer was when last looked at.
class RingSide {
  public:
    u64 position() const { return own_; }  ///< Where it goes on; modulo capacity: the place.
    u64 seen() const { return peer_; }     ///< The peer's count: what to wait for a change of.

  protected:
    u64 own_ = 0, peer_ = 0;
};

class RingProducer : public RingSide {
  public:
    constexpr RingProducer() = default;
    constexpr RingProducer(RingWords& words, u64 capacity) : words_(&words), capacity_(capacity) {}

    /// How many places are free. Errors: bad_argument: the peer claims to have consumed what never was.
    Result<u64> room() {
        const u64 consumed = read_once(words_->consumed);
        if (consumed - peer_ > own_ - peer_) return Error::bad_argument;
        peer_ = consumed;
        return capacity_ - (own_ - consumed);
    }
    /// `count` places, which were free, are filled.
    void produce(u64 count) { publish(words_->produced, own_ += count); }
    void close() { publish(words_->producer_closed, 1); }
    bool peer_closed() { return read_once(words_->consumer_closed) != 0; }

  private:
    RingWords* words_ = nullptr;
    u64 capacity_ = 0;
};

class RingConsumer : public RingSide {
  public:
    constexpr RingConsumer() = default;
    constexpr RingConsumer(RingWords& words, u64 capacity) : words_(&words), capacity_(capacity) {}

    /// How many places are filled. Errors: bad_argument: the peer claims more than there is room for, or takes some back.
    Result<u64> filled() {
        const u64 produced = read_once(words_->produced);
        if (produced - own_ > capacity_ || produced - own_ < peer_ - own_) return Error::bad_argument;
        peer_ = produced;
        return produced - own_;
    }
    /// `count` places, which were filled, are free again.
    void consume(u64 count) { publish(words_->consumed, own_ += count); }
    void close() { publish(words_->consumer_closed, 1); }
    bool peer_closed() { return read_once(words_->producer_closed) != 0; }

  private:
    RingWords* words_ = nullptr;
    u64 capacity_ = 0;
};

}  // namespace tessera::libos
