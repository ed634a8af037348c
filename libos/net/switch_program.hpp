// A switch as a libOS of its own: who asks gets a port, and the CPU is only used while there are frames.
//
// A port asks by posting its ring, narrowed to the switch, as kRingPost on the board, and ringing the bell that the switch
// posts as kBellPost. The rings are the ports' own memory; the frames are the switch's (docs/network.md).
#pragma once

#include <string_view>

#include "libos/ipc/shared_memory.hpp"
#include "libos/net/frame_bank.hpp"
#include "libos/net/switch_core.hpp"

namespace tessera::libos {

inline constexpr std::string_view kRingPost = "net-ring", kBellPost = "net-bell";
/// Notified by who has posted a ring; events below it are the ports'.
inline constexpr u64 kAskingEvent = u64{1} << 63;

class SwitchProgram {
  public:
    static constexpr u64 kPortsOfOne = 4;  ///< That one environment can have.

    /// `ports`: at once. `others_behind`: the environment behind whose ports there may be more addresses; empty: none.
    /// `roads`: as Switch::Switch.
    SwitchProgram(u64 ports, std::string_view others_behind, bool roads)
        : core_(bank_, Switch::frames_for(ports), roads), others_behind_(others_behind) {}

    /// Post the bell. Fault policy: SharedMemory must resolve (use_shared_memory).  Errors: entry_publish's, post's.
    Outcome open();
    /// Until `users` environments have had ports and all of those have ended.  Errors: bad_argument: frames were lost.
    Outcome run(u64 users);

  private:
    void accept_all();
    void accept(EnvId who, const Capability& ring);
    void look_after(u64 port);
    void close_port(u64 port);
    bool is_needed(u64 users) const;
    void listen(bool listening);
    void tell(u64 port);

    FrameBank bank_;
    Switch core_;
    std::string_view others_behind_;
    SharedMemory rings_[Switch::kPorts];
    char names_[Switch::kPorts][16]{};
    bool seated_[Switch::kPorts]{};  ///< Its ring is attached.
    u64 seen_[kMaxEnvironments]{};   ///< The tag of what each environment asked with last.
    u32 users_[kMaxEnvironments]{};  ///< Who has had a port, by index.
    u64 user_count_ = 0, accepted_ = 0, sleeps_ = 0;
};

}  // namespace tessera::libos
