#include "libos/vmm/monitor/console.hpp"

#include <algorithm>

#include "libos/core/program.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

void Console::put(std::span<const std::byte> bytes) {
    for (const std::byte each : bytes) {
        text_[length_++] = static_cast<char>(each);
        if (length_ == sizeof text_) flush();
    }
}

void Console::flush() {
    if (length_ != 0) static_cast<void>(call<ConsoleWrite>({address(text_), length_}));
    length_ = 0;
}

// Often enough for somebody who types, and seldom enough for a guest that sleeps. Nothing more is read than the guest has
// room for: what is left waits in the kernel's port.
u64 Console::tend(u64 now) {
    constexpr u64 kTimesASecond = 50, kMost = 16;
    flush();
    if (serial_ != nullptr) {
        std::byte typed[kMost];
        const u64 room = std::min<u64>(serial_->room(), kMost);
        const auto count = room != 0 ? call<ConsoleRead>({address(typed), room}) : Result<u64>{u64{0}};
        if (count.ok() && count.value() <= room) serial_->receive(std::span(typed).first(count.value()));
    }
    return now + information().tsc_hz / kTimesASecond;
}

}  // namespace tessera::vmm
