// Copies of one image, each in its own context, that hand the CPU round by directed yield.
//
// Only member 0 owns time slots; the others run when they are yielded to. When a slot ends in the middle of a
// round the kernel goes on with the slots' owner, that is with member 0, out of turn. It finds out by its
// neighbours' accounts, which everybody can read, and sends the CPU back to whom it was taken from. So all
// members count the same turns without a word between them.
#pragma once

#include <array>

#include "libos/core/libos.hpp"

namespace tessera::bench {

using namespace tessera::libos;

inline constexpr u64 kMostMembers = 8;

class Ring {
  public:
    /// Find the others: ring-0, ring-1, ... in the environment table. False: not all `count` are there.
    bool open(u64 count) {
        for (u64 i = 1; i < kMaxEnvironments; ++i) {
            const EnvironmentInfo& info = environment_info(EnvId{i});
            const std::string_view name = info.name;
            if (info.id == 0 || name.size() != 6 || !name.starts_with("ring-")) continue;
            const u64 member = static_cast<u64>(name[5] - '0');
            if (member >= kMostMembers) continue;
            members_[member] = EnvId{info.id};
            if (info.id == boot().self.value) self_ = member;
        }
        for (u64 member = 0; member < count; ++member)
            if (!members_[member]) return false;
        return true;
    }

    u64 self() const { return self_; }
    const EnvironmentInfo& accounts_of(u64 member) const { return environment_info(members_[member]); }

    /// From here on `size` members take turns.
    void begin(u64 size) {
        size_ = size;
        next_ = members_[self_ + 1 == size ? 0 : self_ + 1];
        turns_ = 0;
        for (u64 member = 0; member < size; ++member) yields_[member] = accounts_of(member).yields;
    }

    /// Yield to the next member; back when it is this one's turn again.
    [[gnu::always_inline]] void pass_on() {
        if (enter_yield(next_).error != Error::ok) [[unlikely]]
            exit(2);  // it has ended: there is no ring any more
        ++turns_;
        if (self_ != 0) return;
        const volatile u64& last = accounts_of(size_ - 1).yields;
        while (last != yields_[size_ - 1] + turns_) [[unlikely]]
            send_back();
    }

    /// Let everybody else end, also those who were in no ring.
    void see_off() {
        for (u64 member = 1; member < kMostMembers; ++member)
            while (members_[member] && accounts_of(member).id == members_[member].value) enter_yield(members_[member]);
    }

  private:
    /// A slot ended: go on with the first who has not had this turn.
    [[gnu::noinline]] void send_back() {
        for (u64 member = 1; member < size_; ++member) {
            const volatile u64& yields = accounts_of(member).yields;
            if (yields == yields_[member] + turns_) continue;
            if (enter_yield(members_[member]).error != Error::ok) exit(2);
            return;
        }
    }

    std::array<EnvId, kMostMembers> members_{};
    std::array<u64, kMostMembers> yields_{};
    EnvId next_;
    u64 self_ = 0, size_ = 0, turns_ = 0;
};

}  // namespace tessera::bench
