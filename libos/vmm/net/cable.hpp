// A guest's network card on the switch: the cable between a device of the monitor's and a port (libos/net/port.hpp).
//
// An unmodified guest's buffers are no frames of their own, so the monitor copies each frame once at this edge: out of the guest straight
// into the frame that goes on, and out of the frame that came straight into the guest. To a guest that knows how (LentPages) the
// frames themselves are lent, and nothing is copied. In between they change hands.
//
//   static Cable cable;                            in the image, not on a heap: faults look at it
//   cable.open("net_switch");
//   cable.lead_to(*platform.add_net(cable, cable.address()));
//   monitor.add(cable);
#pragma once

#include "libos/net/port.hpp"
#include "libos/vmm/devices/virtio_net.hpp"
#include "libos/vmm/monitor/monitor.hpp"

namespace tessera::vmm {

/// Who takes what comes: the guest's device.
class CableEnd {
  public:
    /// False: it is lost.
    virtual bool receive(std::span<const std::byte> header, std::span<const std::byte> payload) = 0;
    /// Can it be lent frames?
    virtual bool takes_pages() const { return false; }
    /// `size` bytes, of which the header is not where the rest is, at a lent page. False: it is lost.
    virtual bool receive_lent(std::span<const std::byte>, u64, u64) { return false; }

  protected:
    ~CableEnd() = default;
};

/// Any device with a `receive` in two pieces, and perhaps a `receive_lent`.
template <class Device>
class DeviceEnd final : public CableEnd {
  public:
    explicit DeviceEnd(Device& device) : device_(device) {}
    bool receive(std::span<const std::byte> header, std::span<const std::byte> payload) override { return device_.receive(header, payload); }
    bool takes_pages() const override { return kTakesPages; }
    bool receive_lent(std::span<const std::byte> header, u64 page, u64 size) override {
        if constexpr (kTakesPages) return device_.receive_lent(header, page, size);
        else return false;
    }

  private:
    static constexpr bool kTakesPages = requires(Device& device) { device.receive_lent(std::span<const std::byte>(), u64{}, u64{}); };

    Device& device_;
};

class Cable final : public NetPort, public LentPages, public Chore {
  public:
    /// A port of the switch that is the environment `name`.  Errors: of SwitchPort::open.
    Outcome open(std::string_view name, u64 deadline = libos::kForever);
    const MacAddress& address() const { return port_.address(); }
    void lead_to(CableEnd& end) { end_ = &end; }
    /// Lend frames to a guest that knows how if they are longer than that; the rest is copied. 0: copy all.
    void lend_beyond(u64 bytes) { lend_beyond_ = bytes; }

    void send(std::span<const std::byte> frame) override;
    std::span<std::byte> room(const MacAddress& to) override;

    LentPages* lent_pages() override { return lend_beyond_ != 0 ? this : nullptr; }
    u64 count() const override { return libos::LentFrames::kPages; }
    std::optional<u64> lend_room(const MacAddress& to) override;
    bool send_lent(u64 page, u64 size, std::optional<u64>& next) override;
    bool give_back(u64 page) override;
    Frame frame_at(u64 page) const override;
    Frame stand_in() const override { return {&stand_in_, true}; }
    void set_view(LentView& view) override { view_ = &view; }

    u64 tend(u64 now) override;
    bool is_pressing() const override { return port_.has_news(); }
    std::optional<WakeTerm> wakes() const override;
    EnvId waits_for() const override { return port_.peer(); }

    /// A record: frames by the way that they went, bytes copied at this edge.
    void report(std::string_view guest) const;
    /// Of frames, not of what came or went in the ring.
    u64 bytes_copied() const { return copied_bytes_; }

  private:
    enum class Use : u8 { none, to_fill, to_read };  ///< Of a page, by the guest.
    /// As many as leave the port enough for what is copied, and for what comes while the guest keeps those.
    static constexpr u64 kMostToFill = libos::kSendFrames / 2, kMostToRead = libos::kReceiveFrames * 3 / 4;

    void wait_for_switch();
    bool receive(const libos::ReceivedFrame& frame);
    void lend(u64 page, Use use);
    void count(u64 bytes, bool in_ring) { (in_ring ? ring_bytes_ : copied_bytes_) += bytes; }

    libos::SwitchPort port_;
    CableEnd* end_ = nullptr;
    std::span<std::byte> room_;  ///< What the device was told to fill.
    bool cut_ = false;
    u64 sent_ = 0, not_sent_ = 0, received_ = 0, lost_ = 0, copied_bytes_ = 0, ring_bytes_ = 0;

    u64 lend_beyond_ = 0;
    Use uses_[libos::LentFrames::kPages]{};
    u64 changes_[libos::LentFrames::kPages]{};  ///< Of the frame that the guest may have bound there (LentFrames::changes).
    u64 to_fill_ = 0, to_read_ = 0;             ///< How many pages are the guest's.
    u64 sent_lent_ = 0, received_lent_ = 0;
    Capability stand_in_{};
    LentView* view_ = nullptr;
};

}  // namespace tessera::vmm
