// A guest's network card on the switch: the cable between a device of the monitor's and a port (libos/net/port.hpp).
//
// A guest's buffers are no frames of their own, so the monitor copies each frame once at this edge: out of the guest straight into
// the frame that goes on, and out of the frame that came straight into the guest. In between it changes hands.
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

  protected:
    ~CableEnd() = default;
};

/// Any device with a `receive` in two pieces.
template <class Device>
class DeviceEnd final : public CableEnd {
  public:
    explicit DeviceEnd(Device& device) : device_(device) {}
    bool receive(std::span<const std::byte> header, std::span<const std::byte> payload) override { return device_.receive(header, payload); }

  private:
    Device& device_;
};

class Cable final : public NetPort, public Chore {
  public:
    /// A port of the switch that is the environment `name`.  Errors: of SwitchPort::open.
    Outcome open(std::string_view name, u64 deadline = libos::kForever);
    const MacAddress& address() const { return port_.address(); }
    void lead_to(CableEnd& end) { end_ = &end; }

    void send(std::span<const std::byte> frame) override;
    std::span<std::byte> room() override;

    u64 tend(u64 now) override;
    bool is_pressing() const override { return port_.has_news(); }
    std::optional<WakeTerm> wakes() const override;
    EnvId waits_for() const override { return port_.peer(); }

    /// A record: frames by the way that they went, bytes copied at this edge.
    void report(std::string_view guest) const;

  private:
    void wait_for_switch();

    libos::SwitchPort port_;
    CableEnd* end_ = nullptr;
    std::span<std::byte> room_;  ///< What the device was told to fill.
    bool cut_ = false;
    u64 sent_ = 0, not_sent_ = 0, received_ = 0, lost_ = 0, copied_bytes_ = 0;
};

}  // namespace tessera::vmm
