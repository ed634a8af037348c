// The switch without a kernel: who has which frame, where a frame goes, and who breaks the rules.
//
// A frame is, at any time, in one of five places: clean (in nobody's hands since its grant was renewed), with one port that fills
// it, with the ports that read it, used (back, but others still have capabilities and bindings), or on a road (the same, but
// those are one sender and one reader: roads.hpp). A used frame becomes clean only by renewal, which kills those. So whoever fills
// a frame is the only one who can touch it, or was told who else can; and whoever reads one shares it with nobody but its
// sender and those it was sent to.
//
// The switch never looks into a frame: the header that it judges by comes in the request, is copied once and handed on.
// Pure: capabilities and renewal are the host's (docs/network.md).
#pragma once

#include <bitset>
#include <span>

#include "libos/net/exchange_ring.hpp"
#include "libos/net/roads.hpp"

namespace tessera::libos {

/// What a switch needs from outside.
class SwitchHost {
  public:
    /// A capability for `frame` that only `to` can present, to read or to fill. False: it cannot be made.
    virtual bool lend(u32 frame, EnvId to, Rights rights, Capability& capability) = 0;
    /// Make whatever anybody has of these frames worthless.  Returns for how many of them, from the front on, that is done.
    virtual u64 renew(std::span<const u32> frames) = 0;
    /// A count that grows while `who` runs, in time slices.
    virtual u64 slices_of(EnvId who) = 0;

  protected:
    ~SwitchHost() = default;
};

struct PortCounts {
    u64 sent = 0, received = 0;     ///< Frames.
    u64 exchanged = 0, copied = 0;  ///< Of `received`: with a frame, or in the ring.
    u64 filtered = 0;               ///< Not from the port's address, so not sent.
    u64 lost = 0;                   ///< Came for the port, which had asked for no more.
};

class Switch {
  public:
    static constexpr u64 kPorts = MacTable::kPorts;
    static constexpr u64 kFramesOfPort = kSendFrames + kReceiveFrames;
    static constexpr u64 kAtOnce = 32;  ///< Frames renewed at once.
    static constexpr u64 kMaxFrames = Roads::kFrames;
    static constexpr u64 kBurst = 8;      ///< Requests of one port before the next one's turn.
    static constexpr u64 kPatience = 256;  ///< Slices of a port that keeps what it received, and loses more.

    /// Frames 0 to `frames` - 1 are used, at first. frames_for(ports): so many ports can be open, and never run out.
    /// `roads`: false: renew every frame, whatever the ports would allow.
    Switch(SwitchHost& host, u64 frames, bool roads = true);
    static constexpr u64 frames_for(u64 ports) { return ports * kFramesOfPort + 2 * kAtOnce; }

    /// A port for `who`, whose ring is all zero and stays while the port is open. `others_behind`: it may send from any
    /// address, and gets what is for nobody known.  Errors: exhausted.
    Result<u64> connect(EnvId who, NetRing& ring, bool others_behind);
    /// It has ended, or is of no more interest. What it holds is back, and what it keeps of that is worth nothing.
    void disconnect(u64 port);

    /// Every port's turn, once. True: there was something to do.
    bool sweep();
    bool has_work() const;

    u64 open_ports() const;
    bool is_open(u64 port) const { return ports_[port].open; }
    EnvId owner(u64 port) const { return ports_[port].who; }
    /// Why a port was cut off by sweep(); nullptr: it was not.
    const char* reason(u64 port) const { return ports_[port].reason; }
    const PortCounts& counts(u64 port) const { return ports_[port].counts; }
    const MacAddress& address(u64 port) const { return table_.given(port); }
    NetRing& ring(u64 port) { return *ports_[port].memory; }

    u64 frames() const { return frames_; }
    u64 renewed() const { return renewed_; }
    /// Frames in nobody's hands. With all ports closed: all.
    u64 frames_home() const { return clean_count_ + used_count_ + roads_.waiting(); }
    u64 went_again() const { return went_again_; }  ///< Frames that were lent to be filled without having been renewed.
    bool holds(u64 port, u32 frame) const { return ports_[port].filling[frame] || ports_[port].reading[frame]; }

  private:
    struct Port {
        bool open = false, others_behind = false;
        EnvId who;
        NetRing* memory = nullptr;
        RingBack ring;
        const char* reason = nullptr;
        std::bitset<kMaxFrames> filling, reading;
        u64 filling_count = 0, reading_count = 0;
        u32 waiting[kReceiveFrames]{};  // ids of receive requests, a ring
        u64 waiting_first = 0, waiting_count = 0;
        u64 stuck_since = 0;  // slices_of it + 1 when it first lost a frame and had something to give back
        PortCounts counts;
    };

    bool serve(u64 number);
    void cut_off(Port& port, const char* reason);
    void take_back_all(Port& port);
    void on_send(u64 number);
    void on_receive(Port& port);
    NetStatus forward(u64 from);
    void deliver(u64 number);
    void count_loss(Port& port);
    void answer_send(u64 number, NetStatus status, bool wants_frame);
    u32 take_clean();
    u32 take_on_road(u64 from);
    bool goes_again() const { return use_roads_ && request_.kind == RequestKind::send_again; }
    bool renew(u64 count);
    void put_back(u32 frame);

    SwitchHost& host_;
    const u64 frames_;
    const bool use_roads_;
    MacTable table_;
    Roads roads_;
    Port ports_[kPorts];
    u64 next_ = 0;
    u64 given_ = 0;  // addresses, of which none is given twice
    u32 clean_[kMaxFrames], used_[kMaxFrames];
    u64 clean_count_ = 0, used_count_ = 0, renewed_ = 0, went_again_ = 0;
    u8 holders_[kMaxFrames]{};
    NetRequest request_;  // the one that is being served
    NetResponse response_;
};
static_assert(Switch::kMaxFrames == Switch::frames_for(Switch::kPorts));

}  // namespace tessera::libos
