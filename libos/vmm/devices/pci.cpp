// Configuration space, base addresses, and the interrupts that functions share.
#include "libos/vmm/devices/pci.hpp"

namespace tessera::vmm {
namespace {

// Header type 0 (PCI 2.2, figure 6-1).
enum ConfigOffset : u32 {
    kVendor = 0x00,
    kDevice = 0x02,
    kCommand = 0x04,
    kStatus = 0x06,
    kRevision = 0x08,
    kClass = 0x09,
    kCacheLine = 0x0c,
    kLatency = 0x0d,
    kBase = 0x10,
    kSubsystemVendor = 0x2c,
    kSubsystem = 0x2e,
    kInterruptLine = 0x3c,
    kInterruptPin = 0x3d,
};
constexpr u8 kIoEnable = 1, kBusMaster = 4, kInterruptDisableHigh = 4, kInterruptStatus = 8;
constexpr u32 kIoSpace = 1;  // Bit 0 of a base address.
constexpr u32 kFirstBase = 0xc000;

// Intel's 440FX: the host bridge that every operating system knows, and that wants nothing of anybody.
constexpr PciIdentity kHostBridge{0x8086, 0x1237, 0x06'0000, 2, 0, 0};

template <class T>
void put(u8* at, T value, u32 size) {
    for (u32 i = 0; i < size; ++i) at[i] = static_cast<u8>(value >> 8 * i);
}

}  // namespace

PciFunction::PciFunction(const PciIdentity& identity, u32 io_size) : io_size_(io_size) {
    put(&config_[kVendor], identity.vendor, 2);
    put(&config_[kDevice], identity.device, 2);
    put(&config_[kRevision], identity.revision, 1);
    put(&config_[kClass], identity.class_code, 3);
    put(&config_[kSubsystemVendor], identity.subsystem_vendor, 2);
    put(&config_[kSubsystem], identity.subsystem, 2);
}

u32 PciFunction::io_read(u32, u32 size) { return all_ones(size); }
void PciFunction::io_write(u32, u32, u32) {}

u32 PciFunction::base() const {
    return (config_[kBase] | config_[kBase + 1] << 8 | config_[kBase + 2] << 16 | u32{config_[kBase + 3]} << 24) &
           ~u32{3};
}

/// Does the whole access lie in the range, where the guest has put it and switched it on?
bool PciFunction::answers(u16 port, u32 size) const {
    if (io_size_ == 0 || (command() & kIoEnable) == 0 || port < base()) return false;
    const u32 offset = port - base();
    return offset < io_size_ && size <= io_size_ - offset;
}

u8 PciFunction::writable_bits(u32 offset) const {
    switch (offset) {
        case kCommand:
            return kIoEnable | kBusMaster;
        case kCommand + 1:
            return kInterruptDisableHigh;
        case kCacheLine:
        case kLatency:
            return 0xff;
        case kInterruptLine:
            return io_size_ == 0 ? 0 : 0xff;
        case kBase:
        case kBase + 1:
        case kBase + 2:
        case kBase + 3:
            // All ones written and read back tell the size (6.2.5.1).
            return io_size_ == 0 ? u8{0} : static_cast<u8>(~(io_size_ - 1) >> 8 * (offset - kBase));
        default:
            return 0;
    }
}

u8 PciFunction::config_byte(u32 offset) const {
    if (offset >= kHeader) return 0;
    if (offset == kStatus) return interrupt_ ? kInterruptStatus : u8{0};
    return config_[offset];
}

void PciFunction::set_config_byte(u32 offset, u8 value) {
    if (offset >= kHeader) return;
    const u8 bits = writable_bits(offset);
    config_[offset] = static_cast<u8>((config_[offset] & ~bits) | (value & bits));
    if (offset == kCommand + 1 && bus_ != nullptr) bus_->drive(irq_);
}

void PciFunction::set_interrupt(bool level) {
    interrupt_ = level;
    if (bus_ != nullptr) bus_->drive(irq_);
}

PciBus::PciBus(Pic& pic) : pic_(pic), bridge_(kHostBridge, 0) { add(bridge_); }

bool PciBus::add(PciFunction& function) {
    if (count_ == kSlots) return false;
    const u32 slot = count_++;
    functions_[slot] = &function;
    function.bus_ = this;
    if (function.io_size_ == 0) return true;
    function.irq_ = kIrqs[(slot - 1) % sizeof kIrqs];
    put(&function.config_[kBase], (kFirstBase + slot * 0x100) | kIoSpace, 4);
    function.config_[kCommand] = kIoEnable;
    function.config_[kInterruptLine] = static_cast<u8>(function.irq_);
    function.config_[kInterruptPin] = 1;
    return true;
}

/// A line is up while any function that is wired to it pulls.
void PciBus::drive(u32 irq) {
    bool level = false;
    for (u32 i = 0; i < count_; ++i) level |= functions_[i]->irq_ == irq && functions_[i]->interrupts();
    pic_.set_line(irq, level);
}

/// CONFIG_ADDRESS: bit 31 on, 23-16 bus, 15-11 device, 10-8 function, 7-2 register.
PciFunction* PciBus::selected() const {
    const u32 slot = address_ >> 11 & 0x1f;
    if ((address_ & 0x80ff'0700) != 0x8000'0000 || slot >= count_) return nullptr;
    return functions_[slot];
}

PciFunction* PciBus::function_at(u16 port, u32 size) const {
    for (u32 i = 0; i < count_; ++i)
        if (functions_[i]->answers(port, size)) return functions_[i];
    return nullptr;
}

u32 PciBus::read(u16 port, u32 size) {
    if (port >= kWindow) {
        PciFunction* const function = function_at(port, size);
        return function == nullptr ? all_ones(size) : function->io_read(port - function->base(), size);
    }
    // CONFIG_ADDRESS is there for whole words only; anything smaller passes it by.
    if (port < kData) return port == kAddress && size == 4 ? address_ : all_ones(size);
    const PciFunction* const function = selected();
    if (function == nullptr) return all_ones(size);
    const u32 offset = (address_ & 0xfc) + (port - kData);
    u32 value = 0;
    for (u32 i = 0; i < size; ++i) value |= u32{function->config_byte(offset + i)} << 8 * i;
    return value;
}

void PciBus::write(u16 port, u32 size, u32 value) {
    if (port >= kWindow) {
        if (PciFunction* const function = function_at(port, size))
            function->io_write(port - function->base(), size, value);
        return;
    }
    if (port < kData) {
        if (port == kAddress && size == 4) address_ = value & 0x80ff'fffc;
        return;
    }
    PciFunction* const function = selected();
    if (function == nullptr) return;
    const u32 offset = (address_ & 0xfc) + (port - kData);
    for (u32 i = 0; i < size; ++i) function->set_config_byte(offset + i, static_cast<u8>(value >> 8 * i));
}

}  // namespace tessera::vmm
