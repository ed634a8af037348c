// The board of an unmodified guest: the small PC of libos/vmm/platform.hpp, with what it has to say in the log.
#pragma once

#include <string_view>

#include "libos/vmm/monitor/board.hpp"
#include "libos/vmm/platform.hpp"

namespace tessera::vmm {

/// What the devices note, as lines of the log.
class NoteLog final : public GuestLog {
  public:
    constexpr explicit NoteLog(std::string_view guest) : guest_(guest) {}
    void note(const char* who, const char* what, u64 number) override;

  private:
    std::string_view guest_;
};

/// What a guest prints, as lines of the log, each behind its name. Bytes that are no text are left out by the kernel.
class LineSink final : public ByteSink {
  public:
    constexpr explicit LineSink(std::string_view guest) : guest_(guest) {}
    void put(std::span<const std::byte> bytes) override;

  private:
    void write_line();

    std::string_view guest_;
    char line_[200];
    u64 length_ = 0;
};

class PcBoard final : public Board {
  public:
    explicit PcBoard(Platform& platform);

    u32 read_port(u16 port, u32 size) override { return platform_.port_read(port, size); }
    void write_port(u16 port, u32 size, u32 value) override { platform_.port_write(port, size, value); }
    CpuidAnswer cpuid(u64 cpu, u32 leaf, u32 subleaf) override;
    std::optional<u64> read_msr(u64 cpu, u32 index) override { return platform_.msr_read(index, static_cast<u32>(cpu)); }
    bool write_msr(u64 cpu, u32 index, u64 value) override;
    void advance(u64 now) override { platform_.advance(now); }
    u64 next_event() const override { return platform_.next_event(); }
    bool interrupt_pending(u64 cpu) const override { return platform_.interrupt_pending(static_cast<u32>(cpu)); }
    CpuSignal take_signal(u64 cpu) override;
    u64 attention() const override { return platform_.attention(); }
    u64 starting() const override { return platform_.apics().starting(); }
    u8 acknowledge(u64 cpu) override { return platform_.acknowledge(static_cast<u32>(cpu)); }

  private:
    Platform& platform_;
};

}  // namespace tessera::vmm
