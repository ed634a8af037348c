// What a guest prints, and how many exits its benchmarks take: the small guest says what it measures next, and then what
// came out, so exits are counted from the end of the one line to the beginning of the other.
#pragma once

#include <algorithm>

#include "libos/core/print.hpp"
#include "libos/vmm/devices/uart.hpp"
#include "libos/vmm/monitor/exit_counts.hpp"

namespace tessera::bench {

class GuestWatch final : public vmm::ByteSink {
  public:
    constexpr explicit GuestWatch(std::string_view form) : form_(form) {}

    /// Before the guest runs: whose exits.
    void count(const vmm::ExitCounts& exits) { exits_ = &exits; }
    /// Did it come to its end?
    bool done() const { return done_; }

    void put(std::span<const std::byte> bytes) override {
        for (const std::byte each : bytes) put(static_cast<char>(each));
    }

  private:
    static constexpr std::string_view kMeasures = "small: measures ", kDone = "small: benchmarks done";

    void put(char c) {
        if (measuring_) tell();
        if (c == '\n') return end_line();
        if (c != '\r' && length_ < sizeof line_) line_[length_++] = c;
    }

    void end_line() {
        const std::string_view line(line_, length_);
        length_ = 0;
        libos::print(form_, "| ", line, "\n");
        done_ = done_ || line == kDone;
        if (!line.starts_with(kMeasures)) return;
        name_length_ = line.copy(name_, sizeof name_, kMeasures.size());
        before_ = *exits_;
        measuring_ = true;
    }

    /// One record: exits of each kind since the guest said what it measures.
    void tell() {
        measuring_ = false;
        libos::Json json;
        json.field("form", form_);
        json.field("bench", std::string_view(name_, name_length_));
        exits_->for_each([&](GuestExit exit, u64 count) {
            if (count != before_.of(exit)) json.field(vmm::name_of(exit), count - before_.of(exit));
        });
        json.field("exits", exits_->total() - before_.total());
        static_cast<void>(json.send());
    }

    const std::string_view form_;
    const vmm::ExitCounts* exits_ = nullptr;
    vmm::ExitCounts before_;
    char line_[200], name_[32];
    u64 length_ = 0, name_length_ = 0;
    bool measuring_ = false, done_ = false;
};

}  // namespace tessera::bench
