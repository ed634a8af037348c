// Roads: a frame that one port filled and one other read goes the same way again without being renewed.
//
// Between two renewals a frame has a past: who filled it, and who read it; those have capabilities for it and may have it bound.
// Whoever fills it next is watched by them. So it may go to nobody but the port that filled it before, and only with the
// words "what you write here, that one sees": a road, from a port to a port. On its road neither side
// needs a new capability, nor a new binding, and nothing is cleared. A frame that several read, or that was sent to somebody
// else, has no road, and waits for renewal like all others.
//
// Pure: lists of frames that wait at home, by road.
#pragma once

#include "libos/net/exchange_ring.hpp"
#include "libos/net/mac_table.hpp"

namespace tessera::libos {

class Roads {
  public:
    static constexpr u64 kPorts = MacTable::kPorts;
    static constexpr u64 kFrames = kPorts * (kSendFrames + kReceiveFrames) + 64;

    constexpr Roads() {
        for (auto& row : first_)
            for (u32& each : row) each = kNoFrame;
    }

    /// Nobody has anything of it.
    void on_renewed(u32 frame) { past_[frame] = {}; }
    void on_lent_to_fill(u32 frame, u64 port) { past_[frame].filler = static_cast<u8>(port); }
    /// `again`: the sender means to use the road again.
    void on_lent_to_read(u32 frame, u64 port, bool again) {
        u8& reader = past_[frame].reader;
        reader = again && (reader == kNobody || reader == port) ? static_cast<u8>(port) : kMany;
    }

    /// It is in nobody's hands: it waits for the next one on its road. False: it has none.
    bool put(u32 frame);
    /// One that waits; kNoFrame: none does.
    u32 take(u64 from, u64 to);
    u64 waiting() const { return waiting_; }

    /// The port has ended, or is somebody else's from now on: it has no roads, and `used` gets the frames that waited on them.
    template <class Used>
    void close(u64 port, Used&& used) {
        for (Past& each : past_)
            if (each.filler == port || each.reader == port) each.reader = kMany;
        for (u64 other = 0; other < kPorts; ++other) {
            empty(port, other, used);
            empty(other, port, used);
        }
    }
    /// There is nothing else to renew: `used` gets all that wait, of one port's roads or of several.
    template <class Used>
    void reclaim(Used&& used) {
        for (u64 tried = 0; tried < kPorts && waiting_ != 0; ++tried) {
            const u64 before = waiting_;
            for (u64 to = 0; to < kPorts; ++to) empty(next_, to, used);
            next_ = (next_ + 1) % kPorts;
            if (waiting_ != before) return;
        }
    }

  private:
    static constexpr u8 kNobody = 0xff, kMany = 0xfe;
    struct Past {
        u8 filler = kNobody, reader = kNobody;
    };

    template <class Used>
    void empty(u64 from, u64 to, Used& used) {
        for (u32 frame = take(from, to); frame != kNoFrame; frame = take(from, to)) used(frame);
    }

    Past past_[kFrames];
    u32 next_on_road_[kFrames]{};
    u32 first_[kPorts][kPorts];
    u64 waiting_ = 0, next_ = 0;
};

inline bool Roads::put(u32 frame) {
    const Past& past = past_[frame];
    if (past.filler >= kPorts || past.reader >= kPorts) return false;
    u32& first = first_[past.filler][past.reader];
    next_on_road_[frame] = first;
    first = frame;
    ++waiting_;
    return true;
}

// The last one that came home goes out first: then no more are on the road than are needed.
inline u32 Roads::take(u64 from, u64 to) {
    u32& first = first_[from][to];
    const u32 frame = first;
    if (frame == kNoFrame) return kNoFrame;
    first = next_on_road_[frame];
    --waiting_;
    return frame;
}

}  // namespace tessera::libos
