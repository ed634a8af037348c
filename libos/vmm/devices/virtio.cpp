// The legacy registers, and what stopping a device means.
#include "libos/vmm/devices/virtio.hpp"

namespace tessera::vmm {
namespace {

enum Register : u32 {
    kFeatures = 0,
    kFeaturesTaken = 4,
    kQueuePage = 8,
    kQueueSize = 12,
    kQueueSelect = 14,
    kNotify = 16,
    kStatus = 18,
    kCause = 19,
    kConfig = 20,
};
constexpr u32 kIoSize = 64;
constexpr u16 kVirtioVendor = 0x1af4;
constexpr u8 kDriverOk = 4, kNeedsReset = 0x40;  // Device status (2.1).
constexpr u32 kAnyLayout = 1u << 27, kIndirectDescriptors = 1u << 28;

constexpr PciIdentity identity_of(const VirtioKind& kind) {
    return {kVirtioVendor, kind.pci_device, kind.class_code, 0, kVirtioVendor, kind.type};
}

}  // namespace

VirtioDevice::VirtioDevice(const VirtioKind& kind, GuestMemory& memory, GuestLog& log)
    : PciFunction(identity_of(kind), kIoSize),
      memory_(memory),
      log_(log),
      name_(kind.name),
      features_offered_(kind.features | kAnyLayout | kIndirectDescriptors) {
    for (u32 i = 0; i < kQueues; ++i) queues_[i] = VirtQueue(kind.queue_sizes[i]);
}

/// Byte by byte: only reading the interrupt's cause does anything (4.1.4.8: it clears it and takes the line down).
u8 VirtioDevice::register_byte(u32 offset) {
    const auto byte_of = [offset](u32 value, u32 first) { return static_cast<u8>(value >> 8 * (offset - first)); };
    if (offset >= kConfig) return config(offset - kConfig);
    if (offset == kCause) {
        const u8 cause = cause_;
        cause_ = 0;
        set_interrupt(false);
        return cause;
    }
    if (offset == kStatus) return static_cast<u8>(status_ | (broken_ ? kNeedsReset : 0));
    if (offset >= kNotify) return 0;
    if (offset >= kQueueSelect) return byte_of(selected_, kQueueSelect);
    if (offset >= kQueueSize) return selected_ < kQueues ? byte_of(queues_[selected_].size(), kQueueSize) : u8{0};
    if (offset >= kQueuePage) return selected_ < kQueues ? byte_of(queues_[selected_].page(), kQueuePage) : u8{0};
    if (offset >= kFeaturesTaken) return byte_of(features_taken_, kFeaturesTaken);
    return byte_of(features_offered_, kFeatures);
}

u32 VirtioDevice::io_read(u32 offset, u32 size) {
    u32 value = 0;
    for (u32 i = 0; i < size; ++i) value |= u32{register_byte(offset + i)} << 8 * i;
    return value;
}

void VirtioDevice::io_write(u32 offset, u32 size, u32 value) {
    if (offset >= kConfig) {
        for (u32 i = 0; i < size; ++i) set_config(offset - kConfig + i, static_cast<u8>(value >> 8 * i));
        return;
    }
    if (offset == kFeaturesTaken && size == 4)
        features_taken_ = value & features_offered_;
    else if (offset == kQueuePage && size == 4 && selected_ < kQueues && queues_[selected_].size() != 0)
        queues_[selected_].place(memory_, value);
    else if (offset == kQueueSelect && size == 2)
        selected_ = static_cast<u16>(value);
    else if (offset == kNotify && size == 2)
        notify(value);
    else if (offset == kStatus && size == 1)
        set_status(static_cast<u8>(value));
}

/// Writing 0 is a reset (2.1.2).
void VirtioDevice::set_status(u8 status) {
    status_ = status & static_cast<u8>(~kNeedsReset);
    if (status != 0) return;
    for (VirtQueue& queue : queues_) queue.place(memory_, 0);
    features_taken_ = 0;
    selected_ = 0;
    cause_ = unserved_ = 0;
    broken_ = false;
    set_interrupt(false);
    on_reset();
}

void VirtioDevice::notify(u32 queue) {
    if (queue >= kQueues || broken_) return;
    if (queues_[queue].problem() != nullptr) return give_up(queue, queues_[queue].problem());
    if (queues_[queue].ready()) on_notify(queue);
}

void VirtioDevice::go_on() {
    for (u32 queue = 0; queue < kQueues; ++queue)
        if (unserved_ >> queue & 1) notify(queue);
}

void VirtioDevice::after(u32 queue, bool finished) {
    if (!broken_ && queues_[queue].problem() != nullptr) give_up(queue, queues_[queue].problem());
    if (finished && queues_[queue].wants_interrupt(memory_)) interrupt(kQueueUsed);
}

bool VirtioDevice::take(u32 queue) {
    const bool taken = !broken_ && queues_[queue].take(memory_, chain_);
    after(queue, false);
    return taken;
}

void VirtioDevice::finish(u32 queue, u16 head, u32 written) {
    after(queue, queues_[queue].finish(memory_, head, written));
}

void VirtioDevice::give_up(u32 queue, const char* why) {
    broken_ = true;
    unserved_ = 0;
    if (!told_) log_.note(name_, why, queue);
    told_ = true;
}

/// Only to a driver that is there: nobody else would take the line down again.
void VirtioDevice::config_changed() {
    if (status_ & kDriverOk) interrupt(kConfigChanged);
}

void VirtioDevice::interrupt(InterruptCause cause) {
    cause_ |= cause;
    set_interrupt(true);
}

}  // namespace tessera::vmm
