// Those whose memory and slots an arbiter gives out: who they are, what they hold and use, what they were asked for.
// Everything is read from the kernel's tables; only sampling takes calls.
#pragma once

#include <array>
#include <span>

#include "libos/arbiter/policy.hpp"
#include "libos/arbiter/sampling.hpp"
#include "libos/core/program.hpp"

namespace tessera::libos {

struct Client {
    std::string_view name;
    EnvId id;              ///< Zero: it has ended, or has not begun.
    u64 shares;
    u64 floor;             ///< It is not asked to go below this many frames.
    u64 quota;             ///< What it had in the beginning.
    u64 asked;             ///< Frames, in all.
    SampledFrames sample;  ///< This period's.
    ActivityEstimate activity;

    const EnvironmentInfo& info() const { return environment_info(id); }
    /// What stands in the accounts, and what sampling says of it.
    Claim claim() const { return {shares, info().frames, info().frames * activity.value() / kWhole, floor}; }
    /// Frames that were asked of it and that it may still give, or lose.
    u64 outstanding() const;
    /// How many it may come to own: its quota in force.
    u64 limit() const { return info().frame_quota; }
};

class Clients {
  public:
    static constexpr u64 kMost = 16;

    /// `list`: name:shares:floor,...; `authority`: BootInfo::every_environment. Both must stay. False: the list is not like that.
    bool open(std::string_view list, const Capability& authority);

    /// Look who is there. True: it is not who was there the last time.
    bool refresh();
    std::span<Client> all() { return {clients_.data(), count_}; }
    u64 living() const;

    /// A new period: choose frames of each client at random, and forget whether they were touched.
    /// Cost: one look at the frame table, and a batch of calls for each client.
    void begin_period(RandomNumbers& random);
    /// Which of them were touched meanwhile? As often a period as one likes; at its end with `over`.
    void look(bool over);

  private:
    /// Bit i: frame i was touched since it was last sampled, and was not known to be.
    u64 touched(const SampledFrames& sample);

    std::array<Client, kMost> clients_{};
    u64 count_ = 0;
    const Capability* authority_ = nullptr;
    std::array<BatchedCall, SampledFrames::kSize> calls_{};
};

}  // namespace tessera::libos
