// A port of a switch: frames out and in, for any libOS.
//
//   static SwitchPort port;
//   use_network();
//   port.open("net_switch");
//   std::span<std::byte> frame = port.room(to);    fill it ...        port.send(length);
//   while (port.receive(frame).value()) ...        look at it
//   port.wait();
//
// What is small travels in the ring; everything else in a frame that changes hands. A frame that was received can still be written
// by whoever sent it: read what you judge by once. Its header came another way and is right.
#pragma once

#include <span>
#include <string_view>

#include "libos/ipc/shared_memory.hpp"
#include "libos/net/lent_frames.hpp"
#include "libos/transfer/gate.hpp"
#include "libos/transfer/wait.hpp"

namespace tessera::libos {

struct ReceivedFrame {
    EthernetHeader header;               ///< As the switch has it: the sender's true address.
    std::span<const std::byte> payload;  ///< Behind the header. Until the next receive().
    u64 page;                            ///< The frame's among those of the port; kNoPage: it came in the ring.
};
inline constexpr u64 kNoPage = ~u64{0};

class SwitchPort {
  public:
    constexpr SwitchPort() = default;
    SwitchPort(const SwitchPort&) = delete;
    SwitchPort& operator=(const SwitchPort&) = delete;

    /// A port of the switch that is the environment `name`, waiting for that until `deadline` (TSC; 0: for ever).
    /// Errors: asleep (not by then), ended (the switch has), frame_alloc's, gate_bind's, post's.
    Outcome open(std::string_view name, u64 deadline = kForever);
    /// Sleep until the switch has taken all that was sent.  Errors: as wait(), and as receive().
    Outcome flush(u64 deadline = kForever);
    /// What the port's memory was goes back; the switch finds it gone. What was sent and not taken is lost.
    void close();

    const MacAddress& address() const { return address_; }
    EnvId peer() const { return gate_.callee(); }

    /// Memory for the next frame, kLongestFrame bytes, zero and nobody else's. Empty: all frames are under way.
    std::span<std::byte> room() { return room(kNobody); }
    /// The same for a frame that will go to `to`, which may see it while it is filled; there may be what went there before. That
    /// costs a fraction: nothing is renewed, lent or bound.
    std::span<std::byte> room(const MacAddress& to);
    /// Send what is in room(), `length` bytes of it, header first.
    /// Errors: out_of_range (the length), exhausted (there is no room), ended (the switch has, or has cut the port off).
    Outcome send(u64 length);
    /// The same with a frame that lies elsewhere: it is copied, once.
    Outcome send(std::span<const std::byte> frame);

    /// The next frame. False: there is none. `now`: its payload is about to be read.  Errors: ended; bad_argument: the switch breaks
    /// the rules.
    Result<bool> receive(ReceivedFrame& to, bool now = true);
    /// Has the switch answered something that was not looked at?
    bool has_news() const { return open_ && (shown_ != came_ || front_.has_response()); }
    /// What to sleep for until has_news().
    WakeTerm news() const { return changes_from(memory_.at<NetRing>(0).responses, front_.got()); }
    /// Sleep until has_news(); the switch gets the CPU first.  Errors: ended, asleep (the deadline).
    Outcome wait(u64 deadline = kForever);

    // Frames for somebody else to use: each is named by its page, until it is sent or given back.

    /// What room() has shown, or receive(): it stays, and neither shows it again.
    u64 keep_room();
    void keep_received() { last_shown_ = kNoPlace; }
    /// As send(), with what lies at a page that was kept; the header is read there, once. `to`: where it goes, if it does.
    /// Errors: as send(), and not_found (nothing to fill is kept there).
    Outcome send_kept(u64 page, u64 length, MacAddress& to);
    /// What was received and kept.  Errors: not_found, ended.
    Outcome give_back(u64 page);
    const LentFrames& frames() const { return frames_; }

    u64 found_bound() const { return frames_.found_bound(); }  ///< Frames that came to where they had been before.
    u64 frames_filled() const { return exchanged_; }  ///< Sent with a frame,
    u64 frames_copied() const { return copied_; }     ///< and in the ring.

  private:
    static constexpr u64 kPlaces = kSendFrames + kReceiveFrames, kNoPlace = kPlaces;
    static constexpr MacAddress kNobody{};

    /// What a request was made for, by its id: those to fill first, then those to read.
    struct Place {
        enum : u8 { empty, ours, kept, asked } state = empty;  ///< Without a frame; with one; with one, for somebody else; asked for.
        u8 page = 0;             ///< Where it is; of one to read, when it was shown.
        u32 number = kNoFrame;   ///< The switch's.
        MacAddress seen_by{};    ///< Of one to fill: kNobody but us.
    };

    NetRing& ring() const { return memory_.at<NetRing>(0); }
    bool cut_off() const { return read_once(ring().state) != static_cast<u64>(PortState::open); }
    Outcome put(const NetRequest& request, u64 bytes = kSlotHead);
    Outcome ask(u64 place);
    Outcome swap(u64 place);
    Outcome send_from(u64 place, u64 length, const EthernetHeader& header, RequestKind kind);
    Outcome take_responses();
    Outcome on_response();
    u64 find_room(const MacAddress& to) const;
    void make_room(const MacAddress& to);

    SharedMemory memory_;
    LentFrames frames_;
    Gate gate_;
    RingFront front_;
    MacAddress address_{};
    u64 bell_ = 0;
    bool open_ = false;
    Place places_[kPlaces]{};
    u64 room_ = kNoPlace;          ///< What room() has shown,
    MacAddress room_for_{};        ///< and for whom.
    u64 under_way_ = 0;            ///< How many sends and requests for a frame have no answer yet.
    u8 order_[kReceiveFrames]{};   ///< The places of what came, a ring,
    u64 came_ = 0, shown_ = 0;     ///< how many came, and how many of those were shown;
    u64 last_shown_ = kNoPlace;    ///< what receive() has shown, and neither given back nor kept.
    u8 place_at_[LentFrames::kPages]{};  ///< Whose page it was last.
    NetResponse arrived_[kReceiveFrames]{};
    NetResponse response_{};
    u64 exchanged_ = 0, copied_ = 0;
};

/// Let ports and shared memory have their page faults resolved, and `others` all other faults. First of all.
void use_network(FaultPolicy others = nullptr);

}  // namespace tessera::libos
