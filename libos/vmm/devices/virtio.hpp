// Virtio over PCI, legacy interface: the registers in a device's I/O range. (Virtio 1.1, 4.1.4.8; virtio 0.9.5, 2.1.)
//
//   0 features offered   4 features taken   8 queue's page   12 queue's size (2)   14 queue selected (2)
//   16 notify (2)   18 status (1)   19 interrupt cause (1)   20... the device's own configuration
//
// A device whose guest breaks the rules stops: it sets "needs reset" in the status, says why once in the guest's log,
// and does nothing until the guest resets it. The guest has a broken disk then; nobody else has anything.
#pragma once

#include "libos/vmm/devices/pci.hpp"
#include "libos/vmm/devices/virtqueue.hpp"

namespace tessera::vmm {

struct VirtioKind {
    const char* name;
    u16 type;  ///< Virtio 1.1, chapter 5: what the subsystem number says.
    u16 pci_device;
    u32 class_code;
    u32 features;  ///< The device's own; the transport adds indirect descriptors and any layout.
    u16 queue_sizes[3];
};

class VirtioDevice : public PciFunction {
  public:
    VirtioDevice(const VirtioKind& kind, GuestMemory& memory, GuestLog& log);

    u32 io_read(u32 offset, u32 size) override;
    void io_write(u32 offset, u32 size, u32 value) override;

    /// Did the guest break the rules since it last reset the device?
    bool broken() const { return broken_; }
    /// Is more waiting in a queue than one notification is served? Then go_on(), soon.
    bool has_more() const { return unserved_ != 0; }
    void go_on();

  protected:
    ~VirtioDevice() = default;

    static constexpr u32 kQueues = 3;

    /// The guest has something in queue `queue`, below kQueues.
    virtual void on_notify(u32 queue) = 0;
    /// A byte of the device's configuration. Beyond its end: 0, and writes are lost.
    virtual u8 config(u32 offset) const = 0;
    virtual void set_config(u32, u8) {}
    virtual void on_reset() {}

    /// Serve chain after chain: `serve(chain)` answers how many bytes it wrote. As many as the queue is long at most, and none
    /// behind kMostAtOnce bytes: the rest, and what a guest adds meanwhile, waits for go_on(), or it could keep the monitor for ever.
    template <class Serve>
    void serve_all(u32 queue, Serve serve) {
        constexpr u64 kMostAtOnce = u64{4} << 20;
        VirtQueue& ring = queues_[queue];
        u32 served = 0;
        u64 bytes = 0;
        for (; served < ring.size() && bytes < kMostAtOnce && !broken_ && ring.take(memory_, chain_); ++served) {
            const u16 head = chain_.head();
            bytes += chain_.readable() + chain_.writable();
            const u32 written = serve(chain_);
            if (broken_ || !ring.finish(memory_, head, written)) break;
        }
        const bool full = served != 0 && (served == ring.size() || bytes >= kMostAtOnce);
        const bool more = full && ring.offers_more(memory_);
        unserved_ = static_cast<u8>((unserved_ & ~(1u << queue)) | more << queue);
        after(queue, served != 0);
    }
    /// Take one chain and keep it until finish(). False: none; what is wrong has been dealt with.
    bool take(u32 queue);
    void finish(u32 queue, u16 head, u32 written);

    /// The guest broke the rules: stop.
    void give_up(u32 queue, const char* why);
    /// Tell the guest that the configuration has changed.
    void config_changed();
    bool takes(u32 feature) const { return (features_taken_ >> feature & 1) != 0; }
    bool queue_ready(u32 queue) const { return !broken_ && queues_[queue].ready(); }

    GuestMemory& memory_;
    Chain chain_;  ///< The one in hand: too large for a stack.

  private:
    enum InterruptCause : u8 { kQueueUsed = 1, kConfigChanged = 2 };

    u8 register_byte(u32 offset);
    void set_status(u8 status);
    void interrupt(InterruptCause cause);
    void notify(u32 queue);
    void after(u32 queue, bool finished);

    GuestLog& log_;
    const char* name_;
    u32 features_offered_, features_taken_ = 0;
    VirtQueue queues_[kQueues];
    u16 selected_ = 0;
    u8 status_ = 0;
    u8 cause_ = 0;
    u8 unserved_ = 0;
    bool broken_ = false;
    bool told_ = false;  ///< Resetting does not make it told again.
};

}  // namespace tessera::vmm
