// PCI bus 0 as a guest finds it by configuration mechanism #1, ports CF8 and CFC. (PCI Local Bus 2.2, 3.2.2.3.2 and
// chapter 6.) A host bridge in slot 0, and up to seven functions with one I/O range and one interrupt each.
//
// There is no firmware: what it would have done, giving out addresses and interrupt lines and writing them down in
// configuration space, is done when a function is added.
#pragma once

#include "libos/vmm/devices/interrupt_line.hpp"
#include "libos/vmm/devices/ports.hpp"

namespace tessera::vmm {

struct PciIdentity {
    u16 vendor, device;
    u32 class_code;  ///< Class, subclass, interface: 24 bits.
    u8 revision;
    u16 subsystem_vendor, subsystem;
};

class PciBus;

/// One function: its header (type 0), and its registers behind base address 0.
class PciFunction {
  public:
    /// `io_size`: how many ports it has, a power of two, at least 4; 0: none, and no interrupt either.
    PciFunction(const PciIdentity& identity, u32 io_size);

    /// `offset` + i names a byte below 256.
    u8 config_byte(u32 offset) const;
    void set_config_byte(u32 offset, u8 value);

    /// Registers. offset + size <= io_size.
    virtual u32 io_read(u32 offset, u32 size);
    virtual void io_write(u32 offset, u32 size, u32 value);

  protected:
    ~PciFunction() = default;
    /// INTA#, level-triggered.
    void set_interrupt(bool level);

  private:
    friend class PciBus;
    static constexpr u32 kHeader = 64;

    u16 command() const { return static_cast<u16>(config_[4] | config_[5] << 8); }
    u32 base() const;
    bool answers(u16 port, u32 size) const;
    bool interrupts() const { return interrupt_ && (command() & 0x400) == 0; }
    u8 writable_bits(u32 offset) const;

    u8 config_[kHeader]{};
    u32 io_size_;
    bool interrupt_ = false;
    PciBus* bus_ = nullptr;
    u32 irq_ = 0;
};

class PciBus : public PortDevice {
  public:
    explicit PciBus(Pic& pic);

    /// Put a function into the next slot. False: all are taken.
    bool add(PciFunction& function);
    /// A function's interrupt, or whether it is let through, changed.
    void drive(u32 irq);

    static constexpr u16 kConfig = 0xcf8;   ///< Eight ports: address and data.
    static constexpr u16 kWindow = 0x1000;  ///< From here on to the last, ports are the functions'.
    /// Lines that functions are wired to, in turn: what a PC has free. To be level-triggered.
    static constexpr u8 kIrqs[] = {10, 11, 5, 9};
    static constexpr u16 kLevelTriggered = 1 << 10 | 1 << 11 | 1 << 5 | 1 << 9;

    u32 read(u16 port, u32 size) override;
    void write(u16 port, u32 size, u32 value) override;

  private:
    static constexpr u32 kSlots = 8;
    static constexpr u16 kAddress = kConfig, kData = kConfig + 4;

    PciFunction* selected() const;
    PciFunction* function_at(u16 port, u32 size) const;

    Pic& pic_;
    PciFunction bridge_;
    PciFunction* functions_[kSlots]{};
    u32 count_ = 0;
    u32 address_ = 0;
};

}  // namespace tessera::vmm
