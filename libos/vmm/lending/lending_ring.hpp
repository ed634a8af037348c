// What a monitor and a lender have between them: memory of the monitor's, with a ring each way and pages to show.
//
//   page 0       the indices of both rings, and what the lender says of itself
//   page 1       requests[256]     the monitor writes, the lender reads each once
//   pages 2-4    answers[64]       the lender writes, the monitor reads each once
//   pages 5-12   shown[8]          contents that the monitor shows, copied out of its guests
//
//   monitor                                           lender
//   has    hash                             --->      does somebody else have it?  If so:
//                                           <---      show    hash
//   shows  hash, a page of shown            --->      compares with its own frames, or copies into a new one
//                                           <---      lends   the page's number, capability        (or refuses)
//   returns  loan                           --->
//                                           <---      recalls loan
//
// Only `shows` has an answer that must come; everything else is a hint, and may be dropped where a ring is full.
// Pure: the ring is memory that a hostile peer may change at any moment.
#pragma once

#include <cstddef>

#include "exokernel/abi/capability.hpp"
#include "libos/ipc/ring.hpp"

namespace tessera::vmm {

inline constexpr u64 kLendingRequests = 256, kLendingAnswers = 64;
inline constexpr u64 kShownPages = 8;  ///< Pages that a monitor may show at once.

/// A frame that was lent: its place with the lender, and how often that has been used. Never 0; the two highest bits are.
struct LoanId {
    u64 bits{};
    static constexpr u32 kGenerations = 1 << 30;
    static constexpr LoanId make(u64 place, u64 generation) { return {generation << 32 | (place + 1)}; }
    constexpr u64 place() const { return (bits & 0xffff'ffff) - 1; }
    constexpr u64 generation() const { return bits >> 32; }
    constexpr bool operator==(const LoanId&) const = default;
};

struct LendingRequest {
    enum Kind : u32 {
        has = 1,  ///< `word`: the hash of a page.
        shows,    ///< `word`: a hash, `place`: the shown page with those contents.
        returns,  ///< `word`: a LoanId, which is not used any more.
    };
    u32 kind;
    u32 place;
    u64 word;
};

struct LendingAnswer {
    enum Kind : u32 {
        show = 1,  ///< `word`: a hash. Whoever has a page with it, please show it.
        lends,     ///< `place`: the shown page; `word`: a LoanId; `capability`: to read a frame with the same contents.
        refuses,   ///< `place`: the shown page.
        recalls,   ///< `word`: a LoanId that is to be returned.
    };
    u32 kind;
    u32 place;
    u64 word;
    Capability capability;
};
static_assert(sizeof(LendingRequest) == 16 && sizeof(LendingAnswer) == 176);

enum class LendingState : u64 { asking, open, cut_off };

/// Zero at first.
struct alignas(kPageSize) LendingRing {
    libos::RingWords requests, answers;
    alignas(64) u64 listening;  ///< Not 0: the lender sleeps, and wants the bell rung.
    alignas(64) u64 state;      ///< LendingState, by the lender; behind it:
    u64 seed;                   ///< of the hash,
    u64 seat;                   ///< and the event that rings the bell for this monitor.
    alignas(kPageSize) LendingRequest request[kLendingRequests];
    alignas(kPageSize) LendingAnswer answer[kLendingAnswers];
    alignas(kPageSize) std::byte shown[kShownPages][kPageSize];
};
inline constexpr u64 kLendingPages = sizeof(LendingRing) / kPageSize;
static_assert(kLendingPages == 13);

/// One side of a ring of `T`: what is put goes into the next place, what is got is a copy.
template <class T, u64 kPlaces>
class LendingWriter {
  public:
    constexpr LendingWriter() = default;
    constexpr LendingWriter(libos::RingWords& words, T (&places)[kPlaces]) : producer_(words, kPlaces), places_(places) {}
    /// Errors: bad_argument: the peer has taken what never was there.
    Result<u64> room() { return producer_.room(); }
    /// There must be room.
    void put(const T& item) {
        std::memcpy(&places_[producer_.position() % kPlaces], &item, sizeof item);
        producer_.produce(1);
    }

  private:
    libos::RingProducer producer_;
    T* places_ = nullptr;
};
template <class T, u64 kPlaces>
class LendingReader {
  public:
    constexpr LendingReader() = default;
    constexpr LendingReader(libos::RingWords& words, T (&places)[kPlaces]) : consumer_(words, kPlaces), places_(places) {}
    /// False: there is nothing.  Errors: bad_argument: more than there is room for.
    Result<bool> get(T& item) {
        if (TRY(consumer_.filled()) == 0) return false;
        libos::copy_once(&item, &places_[consumer_.position() % kPlaces], sizeof item);
        consumer_.consume(1);
        return true;
    }
    bool has_any() {
        const auto filled = consumer_.filled();
        return !filled.ok() || filled.value() != 0;
    }

  private:
    libos::RingConsumer consumer_;
    const T* places_ = nullptr;
};

}  // namespace tessera::vmm
