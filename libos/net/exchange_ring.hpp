// The ring between a switch and one of its ports: requests one way, responses the other, in memory of the port's.
//
//   page 0      two shared indices, the switch's word and the port's address
//   pages 1-3   requests[64]        the port writes, the switch reads each once
//   pages 4-6   responses[64]       the switch writes
//
// Each side's other index, how far it has come in what the peer produces, is private. A request has an id, and every request
// gets exactly one response with that id, in any order. Who has no more than kRingSlots requests without a response never
// sees a place written that it has not read: that is the only flow control, and the switch holds its ports to it.
//
// Pure: the ring is memory that a hostile peer may change at any moment (docs/network.md).
#pragma once

#include <atomic>
#include <cstring>

#include "exokernel/abi/capability.hpp"
#include "libos/ipc/ring.hpp"
#include "libos/net/ethernet.hpp"

namespace tessera::libos {

inline constexpr u64 kRingSlots = 64;
inline constexpr u64 kSendFrames = 16;     ///< Frames that a port may hold to fill.
inline constexpr u64 kReceiveFrames = 32;  ///< Frames on their way to a port or in its hands.
inline constexpr u64 kSmallPayload = 160;  ///< Bytes behind the header that travel in the ring itself: no frame is worth it.
inline constexpr u32 kNoFrame = ~u32{0};

enum class RequestKind : u16 {
    send = 1,  ///< `frame`, filled, for another; without one: `small`, for nothing; with neither: give me a frame to fill. Of
               ///< length 0: `frame`, which is not sent, for one that nobody else sees.
    receive,   ///< `frame`, which has been read, or none, for the next that comes.
    send_again,  ///< As `send`; the frame that comes instead may be one that whoever this one is for sees anyway (roads.hpp).
};

struct NetRequest {
    u32 id;
    u32 frame;
    RequestKind kind;
    u16 length;  ///< Of the Ethernet frame, header included.
    EthernetHeader header;
    u8 unused[6];
    std::byte small[kSmallPayload];  ///< With kNoFrame: what is behind the header.
};

enum class NetStatus : u16 {
    done,      ///< Sent, or received.
    filtered,  ///< Not sent: it does not come from the port's own address.
    no_frame,  ///< There is no frame to give just now: ask again.
};

struct NetResponse {
    constexpr NetResponse() : small{} {}

    u32 id{};
    u32 frame{};  ///< Yours now, with `capability`: to fill, or to read.
    NetStatus status{};
    u16 length{};             ///< Of what was received.
    EthernetHeader header{};  ///< Of what was received, as judged by the switch; what the frame begins with is not to be believed.
                              ///< Of a frame to fill: `to`, if not zero, sees it while it is filled, and nobody else.
    u8 unused[6]{};
    union {
        Capability capability;
        std::byte small[kSmallPayload];  ///< Received without a frame: what is behind the header.
    };
};
inline constexpr u64 kSlotHead = offsetof(NetRequest, small);
static_assert(sizeof(NetRequest) == 192 && sizeof(NetResponse) == 192 && offsetof(NetResponse, capability) == kSlotHead);

enum class PortState : u64 { asking, open, cut_off };

/// Zero at first.
struct alignas(kPageSize) NetRing {
    alignas(64) u64 requests;   ///< Produced, by the port.
    alignas(64) u64 responses;  ///< Produced, by the switch.
    alignas(64) u64 listening;  ///< Not 0: the switch sleeps, and wants the bell rung.
    alignas(64) u64 state;      ///< PortState, by the switch; behind it:
    u64 port;                   ///< The event that rings the bell for this port.
    MacAddress address;         ///< The port's.
    alignas(kPageSize) NetRequest request[kRingSlots];
    alignas(kPageSize) NetResponse response[kRingSlots];
};
inline constexpr u64 kRingPages = sizeof(NetRing) / kPageSize;
static_assert(kRingPages == 7);

/// The port's side.
class RingFront {
  public:
    constexpr RingFront() = default;
    constexpr explicit RingFront(NetRing& ring) : ring_(&ring) {}

    /// False: kRingSlots requests are without a response, or have one that was not taken.
    bool put(const NetRequest& request, u64 bytes = kSlotHead) {
        if (put_ - got_ == kRingSlots) return false;
        std::memcpy(&ring_->request[put_ % kRingSlots], &request, bytes);
        publish(ring_->requests, ++put_);
        return true;
    }
    bool has_response() const { return read_once(ring_->responses) != got_; }
    /// Errors: bad_argument: more responses than requests.
    Result<bool> get(NetResponse& to) {
        const u64 produced = read_once(ring_->responses);
        if (produced - got_ > put_ - got_) return Error::bad_argument;
        if (produced == got_) return false;
        copy_once(&to, &ring_->response[got_++ % kRingSlots], sizeof to);
        return true;
    }
    u64 got() const { return got_; }

  private:
    NetRing* ring_ = nullptr;
    u64 put_ = 0, got_ = 0;
};

/// The switch's side.
class RingBack {
  public:
    constexpr RingBack() = default;
    constexpr explicit RingBack(NetRing& ring) : ring_(&ring) {}

    bool has_request() const { return read_once(ring_->requests) != taken_; }
    /// Errors: bad_argument: more requests without a response than there may be, or some taken back.
    Result<bool> take(NetRequest& to) {
        const u64 produced = read_once(ring_->requests);
        if (produced - answered_ > kRingSlots || produced - taken_ > produced - answered_) return Error::bad_argument;
        if (produced == taken_) return false;
        const NetRequest& from = ring_->request[taken_++ % kRingSlots];
        copy_once(&to, &from, kSlotHead);
        if (to.frame == kNoFrame && to.length != 0) copy_once(to.small, from.small, kSmallPayload);
        return true;
    }
    /// Answer a request that was taken: under_way() is not 0.  `bytes`: of the response, what is behind means nothing.
    void answer(const NetResponse& response, u64 bytes) {
        std::memcpy(&ring_->response[answered_ % kRingSlots], &response, bytes);
        publish(ring_->responses, ++answered_);
    }
    u64 under_way() const { return taken_ - answered_; }

  private:
    NetRing* ring_ = nullptr;
    u64 taken_ = 0, answered_ = 0;
};

}  // namespace tessera::libos
