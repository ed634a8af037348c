// Frames that several guest frames stand on: found by the hash of what is in them, or by which they are, and counted.
//
//   hash --> chain of entries with that hash, to be compared one by one
//   frame        --> its entry --> one user less; the last one takes the frame with it
//
// A frame is a number and what it was got by: one that its owner has taken back may come again as somebody else's, while
// guest frames still stand on what it was.
//
// Pure: it knows nothing of guests and maps. Whoever puts a shared frame behind a guest frame adds a user, whoever puts
// something else there drops one.
#pragma once

#include <optional>
#include <span>

#include "libos/vmm/monitor/frame_supply.hpp"

namespace tessera::vmm {

class SharedFrames {
  public:
    struct Entry {
        u64 hash;
        SuppliedFrame frame;
        u64 users;
        u32 next_of_hash, next_of_number;  // 1 + index; 0: the last
    };

    constexpr SharedFrames() = default;
    /// `entries`: how many different contents there can be. `heads`: a power of two, at least 2, zero.
    SharedFrames(std::span<Entry> entries, std::span<u32> heads);

    /// The first entry whose contents have this hash, and the one behind it; null: no more.
    Entry* first(u64 hash);
    Entry* next(const Entry& entry);
    /// Null: that frame is not shared.
    Entry* find(SuppliedFrame frame);

    /// A frame that will be shared, so far by nobody. Null: no room.
    Entry* insert(u64 hash, SuppliedFrame frame);
    void add_user(Entry& entry) {
        ++entry.users;
        ++users_;
    }
    /// One user less. The frame, when it was the last: it is not shared any more, and the caller's. An entry without users
    /// is removed in the same way. Nothing: others use it, or it is none of ours.
    std::optional<SuppliedFrame> drop_user(SuppliedFrame frame);

    u64 frames() const { return count_; }  ///< That are shared.
    u64 users() const { return users_; }   ///< Guest frames that stand on them.

  private:
    Entry* at(u32 link) { return link == 0 ? nullptr : &entries_[link - 1]; }
    u32& head_of_hash(u64 hash) { return heads_[hash % half()]; }
    u32& head_of_number(FrameNumber frame) { return heads_[half() + frame.value % half()]; }
    u64 half() const { return heads_.size() / 2; }
    void unlink(u32 index);

    std::span<Entry> entries_;
    std::span<u32> heads_;  // one half by hash, one by number
    u32 free_ = 0;          // likewise 1 + index, linked by next_of_hash
    u64 untouched_ = 0;     // entries from here on were never used: they are on no list
    u64 count_ = 0, users_ = 0;
};

}  // namespace tessera::vmm
