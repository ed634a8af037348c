// 16550A registers. Section numbers are PC16550D's.
#include "libos/vmm/devices/uart.hpp"

namespace tessera::vmm {

u32 Uart::receive(std::span<const std::byte> bytes) {
    // In loopback the receiver's pin is not connected (8.6).
    if (looped()) return 0;
    u32 taken = 0;
    for (; taken < bytes.size() && room() != 0; ++taken) store(static_cast<u8>(bytes[taken]));
    drive();
    return taken;
}

void Uart::store(u8 byte) {
    if (room() == 0) {
        overrun_ = true;  // 8.4: the byte that came is lost; without a FIFO it would be the one that waited.
        return;
    }
    received_[(first_ + waiting_++) % kFifo] = byte;
}

u8 Uart::take() {
    if (waiting_ == 0) return 0;
    const u8 byte = received_[first_];
    first_ = (first_ + 1) % kFifo;
    --waiting_;
    return byte;
}

void Uart::put(u8 byte) {
    if (looped())
        store(byte);
    else
        sink_.put(std::as_bytes(std::span(&byte, 1)));
    sent_ = true;
}

/// FCR (8.5): bit 0 FIFO on, 1 empty the receiver's, 7 and 6 how many bytes make an interrupt. Switching empties.
void Uart::set_fifo(u8 control) {
    const bool on = (control & 1) != 0;
    if (on != fifo_ || (on && (control & 2) != 0)) first_ = waiting_ = 0;
    fifo_ = on;
    constexpr u8 kTriggers[] = {1, 4, 8, 14};
    trigger_ = on ? kTriggers[control >> 6] : u8{1};
}

/// IIR (8.7, table III) without the FIFO bits: the most urgent cause, or 1. Bytes below the trigger are told at once, as
/// on the chip after four characters' time of silence: waiting makes sense only on a slow line.
u8 Uart::interrupt_cause() const {
    if ((interrupt_enable_ & 4) != 0 && overrun_) return 6;
    if ((interrupt_enable_ & 1) != 0 && waiting_ >= trigger_) return 4;
    if ((interrupt_enable_ & 1) != 0 && waiting_ != 0) return 0xc;
    if ((interrupt_enable_ & 2) != 0 && sent_) return 2;
    return 1;
}

/// On a PC, OUT 2 lets the interrupt out; in loopback it does not leave the chip (8.6).
void Uart::drive() { line_.set(interrupt_cause() != 1 && (modem_control_ & 0x18) == 8); }

/// MSR (8.8): somebody is there and listens; in loopback DTR, RTS, OUT 1 and OUT 2 come back as DSR, CTS, RI and DCD.
u8 Uart::modem() const {
    if (!looped()) return 0xb0;
    const u8 lines = modem_control_;
    return static_cast<u8>((lines & 2) << 3 | (lines & 1) << 5 | (lines & 4) << 4 | (lines & 8) << 4);
}

u32 Uart::read(u16 port, u32) {
    u8 value = 0;
    switch (port % kPorts) {
        case data:
            value = divisor_selected() ? static_cast<u8>(divisor_) : take();
            break;
        case interrupt_enable:
            value = divisor_selected() ? static_cast<u8>(divisor_ >> 8) : interrupt_enable_;
            break;
        case interrupt_id:
            value = interrupt_cause();
            if (value == 2) sent_ = false;
            if (fifo_) value |= 0xc0;
            break;
        case line_control:
            value = line_control_;
            break;
        case modem_control:
            value = modem_control_;
            break;
        case line_status:
            value = static_cast<u8>(0x60 | (waiting_ != 0) | overrun_ << 1);
            overrun_ = false;
            break;
        case modem_status:
            value = modem();
            break;
        default:
            value = scratch_;
    }
    drive();
    return value;
}

void Uart::write(u16 port, u32, u32 value) {
    const u8 byte = static_cast<u8>(value);
    switch (port % kPorts) {
        case data:
            if (divisor_selected())
                divisor_ = static_cast<u16>((divisor_ & 0xff00) | byte);
            else
                put(byte);
            break;
        case interrupt_enable:
            if (divisor_selected()) {
                divisor_ = static_cast<u16>((divisor_ & 0xff) | byte << 8);
            } else {
                // Enabling "transmitter empty" while it is tells so (8.7: and drivers kick themselves off by it).
                if ((byte & ~interrupt_enable_ & 2) != 0) sent_ = true;
                interrupt_enable_ = byte & 0xf;
            }
            break;
        case interrupt_id:
            set_fifo(byte);
            break;
        case line_control:
            line_control_ = byte;
            break;
        case modem_control:
            modem_control_ = byte & 0x1f;
            break;
        case scratch:
            scratch_ = byte;
            break;
        default:
            break;  // LSR and MSR are the chip's.
    }
    drive();
}

}  // namespace tessera::vmm
