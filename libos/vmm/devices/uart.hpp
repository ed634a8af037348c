// A 16550A serial port: what a guest prints, and what somebody types. (National Semiconductor PC16550D, June 1995.)
//
// The line is as fast as the monitor: a byte that is written has been sent, so the transmitter is always empty. Only
// received bytes wait, in the 16 bytes of the FIFO; whoever feeds it asks for room first.
#pragma once

#include <span>

#include "libos/vmm/devices/interrupt_line.hpp"
#include "libos/vmm/devices/ports.hpp"

namespace tessera::vmm {

/// Who gets what a guest sends on a serial line or a console. Called from within the guest's exit.
class ByteSink {
  public:
    virtual void put(std::span<const std::byte> bytes) = 0;

  protected:
    ~ByteSink() = default;
};

class Uart : public PortDevice {
  public:
    Uart(InterruptLine line, ByteSink& sink) : line_(line), sink_(sink) {}

    /// How many bytes can be received now without loss.
    u32 room() const { return capacity() - waiting_; }
    /// Somebody typed: as many as there is room for. Answers how many that were.
    u32 receive(std::span<const std::byte> bytes);

    static constexpr u16 kPorts = 8;
    u32 read(u16 port, u32 size) override;
    void write(u16 port, u32 size, u32 value) override;

  private:
    enum Register : u16 {
        data,
        interrupt_enable,
        interrupt_id,
        line_control,
        modem_control,
        line_status,
        modem_status,
        scratch
    };
    static constexpr u32 kFifo = 16;

    u32 capacity() const { return fifo_ ? kFifo : 1; }
    bool divisor_selected() const { return (line_control_ & 0x80) != 0; }
    bool looped() const { return (modem_control_ & 0x10) != 0; }
    u8 interrupt_cause() const;
    u8 modem() const;
    u8 take();
    void put(u8 byte);
    void store(u8 byte);
    void set_fifo(u8 control);
    void drive();

    InterruptLine line_;
    ByteSink& sink_;
    u8 interrupt_enable_ = 0, line_control_ = 0, modem_control_ = 0, scratch_ = 0;
    u16 divisor_ = 12;  ///< 9600 baud; nobody waits that long.
    bool fifo_ = false;
    u8 trigger_ = 1;
    bool sent_ = false;     ///< "Transmitter empty" has still to be told.
    bool overrun_ = false;  ///< A byte came for which there was no room.
    u8 received_[kFifo]{};
    u32 first_ = 0, waiting_ = 0;
};

}  // namespace tessera::vmm
