// Which page to put out when all frames of a paged region are in use: FIFO, clock, aging. Or your own.
//
// A policy sees places (0 to count, one a frame) and may ask whether the page in one was used since last
// asked. The answer comes from the accessed bits in the S-TLB, which the libOS reads for itself. A page that came
// in since, or that the S-TLB has lost since, counts as used; while it stays lost, as not used.
#pragma once

#include <array>
#include <optional>

#include "exokernel/abi/stlb_entry.hpp"

namespace tessera::libos {

/// Was the page in a place used? Asking clears the answer.
class UseBits {
  public:
    virtual bool test_and_clear(u64 place) = 0;

  protected:
    ~UseBits() = default;
};

class Eviction {
  public:
    /// A page has come into a place.
    virtual void on_filled(u64 place) = 0;
    /// All `count` places are filled: which one next?
    virtual u64 choose(u64 count, UseBits& used) = 0;

  protected:
    ~Eviction() = default;
};

/// Whichever came first.  Cost: constant.
class Fifo final : public Eviction {
  public:
    void on_filled(u64) override {}
    u64 choose(u64 count, UseBits&) override { return next_++ % count; }

  private:
    u64 next_ = 0;
};

/// Second chance (Corbato 1968): the hand goes round, passes over what was used, takes the first that was not.
/// Cost: constant on average; one round at worst.
class Clock final : public Eviction {
  public:
    void on_filled(u64) override {}
    u64 choose(u64 count, UseBits& used) override {
        for (u64 step = 0; step < count; ++step) {
            const u64 place = hand_++ % count;
            if (!used.test_and_clear(place)) return place;
        }
        return hand_++ % count;
    }

  private:
    u64 hand_ = 0;
};

/// Least recently used, nearly: a byte of history for each place, shifted whenever one has to go (aging).
/// Cost: one look at every place.
class Aging final : public Eviction {
  public:
    static constexpr u64 kMaxPlaces = 4096;
    void on_filled(u64 place) override { age_[place % kMaxPlaces] = 0x80; }
    u64 choose(u64 count, UseBits& used) override {
        u64 oldest = 0;
        for (u64 place = 0; place < count; ++place) {
            u8& age = age_[place % kMaxPlaces];
            age = static_cast<u8>(age >> 1 | (used.test_and_clear(place) ? 0x80 : 0));
            if (age < age_[oldest % kMaxPlaces]) oldest = place;
        }
        return oldest;
    }

  private:
    std::array<u8, kMaxPlaces> age_{};
};

/// The libOS's own S-TLB, bound readable.
class StlbView {
  public:
    StlbView() = default;
    StlbView(const StlbEntry* entries, u64 count) : entries_(entries), mask_(count - 1) {}

    /// Has its binding been used since it was made or its bit was cleared? Nothing: the page is not in the S-TLB, as
    /// another displaced it or the switch policy dropped it, and nobody knows.
    std::optional<bool> accessed(PageNumber page) const {
        const StlbEntry& entry = entries_[page.value & mask_];
        if (entry.tag != page.value) return {};
        return (entry.pte & pte::kAccessed) != 0;
    }
    explicit operator bool() const { return entries_ != nullptr; }

  private:
    const StlbEntry* entries_ = nullptr;
    u64 mask_ = 0;
};

}  // namespace tessera::libos
