// Where a guest's network device leads: a port of a switch, or a wire. And what such a port can do beyond carrying bytes: lend its
// frames to the guest as they are.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "exokernel/abi/capability.hpp"

namespace tessera::vmm {

using MacAddress = std::array<u8, 6>;
inline constexpr u64 kMinFrame = 14, kMaxFrame = 1518;  ///< Header; and with 1500 bytes in it, a VLAN tag too.

/// Who has lent pages bound for the guest.
class LentView {
  public:
    /// There is another frame at a page: what is bound there is of the last one.
    virtual void lent_page_changed(u64 page) = 0;

  protected:
    ~LentView() = default;
};

/// Frames that a port lends to its guest: pages beside the guest's memory, by number, each the guest's to fill, the guest's to
/// read, or not the guest's. What it may no longer use it may still see for a while, as docs/network.md says of any holder.
class LentPages {
  public:
    /// What stands behind a page that is the guest's. No capability: it is not.
    struct Frame {
        const Capability* capability;
        bool writable;
    };

    virtual u64 count() const = 0;
    /// A page for the guest to fill, for a frame to `to`, who may see it meanwhile. Nothing: there is none just now.
    virtual std::optional<u64> lend_room(const MacAddress& to) = 0;
    /// Send the first `size` bytes of a page that the guest has filled. False: it is not the guest's to fill, or cannot be sent; else
    /// it is gone, and `next` is another to fill for the same destination, if there is one.
    virtual bool send_lent(u64 page, u64 size, std::optional<u64>& next) = 0;
    /// The guest has read a page. False: it is not the guest's to read.
    virtual bool give_back(u64 page) = 0;
    virtual Frame frame_at(u64 page) const = 0;
    /// What stands in where a frame of the guest's was taken away.
    virtual Frame stand_in() const = 0;
    virtual void set_view(LentView& view) = 0;

  protected:
    ~LentPages() = default;
};

class NetPort {
  public:
    /// The guest sent a frame of kMinFrame to kMaxFrame bytes, good during the call. Nothing in it is to be believed.
    virtual void send(std::span<const std::byte> frame) = 0;
    /// Where it would have the next frame, kMaxFrame bytes, if that goes to `to`; empty: anywhere, as it copies.
    virtual std::span<std::byte> room(const MacAddress&) { return {}; }
    /// Does it lend its frames?
    virtual LentPages* lent_pages() { return nullptr; }

  protected:
    ~NetPort() = default;
};

}  // namespace tessera::vmm
