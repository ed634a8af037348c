#include "libos/vmm/net/cable.hpp"

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/vmm/monitor/windows.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

Outcome Cable::open(std::string_view name, u64 deadline) {
    use_network(bind_in_windows);
    return port_.open(name, deadline);
}

// With all its frames under way, the guest's next one has to wait for the switch, which gets the CPU; but not for long.
void Cable::wait_for_switch() {
    if (!cut_) static_cast<void>(port_.flush(ticks() + information().quantum / 4));
}

std::span<std::byte> Cable::room() {
    room_ = port_.room();
    if (room_.empty()) wait_for_switch(), room_ = port_.room();
    return room_;
}

void Cable::send(std::span<const std::byte> frame) {
    const bool in_place = !room_.empty() && frame.data() == room_.data();
    Outcome sent = in_place ? port_.send(frame.size()) : port_.send(frame);
    if (!sent.ok() && sent.error() == Error::exhausted) wait_for_switch(), sent = port_.send(frame);
    room_ = {};
    ++(sent.ok() ? sent_ : not_sent_);
    copied_bytes_ += frame.size();
}

// A burst, and then the guest's turn, or who sends without end would keep it from running.
u64 Cable::tend(u64) {
    constexpr u64 kBurst = kReceiveFrames;
    ReceivedFrame frame;
    for (u64 i = 0; i < kBurst; ++i) {
        const auto came = port_.receive(frame);
        if (!came.ok() && !cut_) print("the network is gone: ", name_of(came.error()), "\n");
        cut_ = cut_ || !came.ok();
        if (cut_ || !came.value()) break;
        const bool taken = end_ != nullptr && end_->receive(std::as_bytes(std::span(&frame.header, 1)), frame.payload);
        ++(taken ? received_ : lost_);
        copied_bytes_ += kEthernetHeader + frame.payload.size();
    }
    return kNever;
}

std::optional<WakeTerm> Cable::wakes() const {
    if (cut_) return {};
    return port_.news();
}

void Cable::report(std::string_view guest) const {
    static_cast<void>(record("what", "cable", "guest", guest, "sent", sent_, "not_sent", not_sent_, "received", received_, "lost", lost_, "sent_with_a_frame",
                             port_.frames_filled(), "sent_in_the_ring", port_.frames_copied(), "bytes_copied", copied_bytes_));
}

}  // namespace tessera::vmm
