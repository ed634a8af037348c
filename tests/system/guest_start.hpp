// A guest in 64-bit mode on a page of code: what guest tests share. The first GiB is mapped one to one.
//
//   0x1000 page tables   0x4000 GDT   0x5000 IDT   0x6000 stack, downwards from 0x8000   0x10000 code
#pragma once

#include "libos/core/print.hpp"
#include "libos/vmm/monitor/processor.hpp"

namespace tessera::guest_test {

using namespace tessera::libos;
using namespace tessera::vmm;

inline constexpr u64 kTables = 0x1000, kGdt = 0x4000, kIdt = 0x5000, kStack = 0x8000, kCode = 0x1'0000;
inline constexpr u16 kCodeSelector = 0x10, kDataSelector = 0x18;

/// What a test found wrong, each with a line of the log.
inline u64 wrong = 0;
inline void expect(const char* what, bool fact, u64 detail = 0) {
    if (fact) return;
    ++wrong;
    print("WRONG ", what, " ", hex(detail), "\n");
}

/// A board on which nothing is but the ports that a test gives it.
class QuietBoard : public Board {
  public:
    CpuidAnswer cpuid(u64, u32, u32) override { return {}; }
    std::optional<u64> read_msr(u64, u32) override { return {}; }
    bool write_msr(u64, u32, u64) override { return false; }
    void advance(u64) override {}
    u64 next_event() const override { return kNoEvent; }
    bool interrupt_pending(u64) const override { return false; }
    u8 acknowledge(u64) override { return 0; }

  protected:
    ~QuietBoard() = default;
};

/// Tables for the first GiB, in pages of 2 MiB.
inline bool write_tables(GuestMemory& memory) {
    constexpr u64 kPresentWritable = 3, kLarge = 0x80;
    bool good = memory.write(kTables, kTables + kPageSize + kPresentWritable) &&
                memory.write(kTables + kPageSize, kTables + 2 * kPageSize + kPresentWritable);
    for (u64 i = 0; i < 512; ++i)
        good = good && memory.write(kTables + 2 * kPageSize + 8 * i, (i << kLargeShift) | kPresentWritable | kLarge);
    return good && memory.write(kGdt + kCodeSelector, u64{0x00af'9b00'0000'ffff}) &&
           memory.write(kGdt + kDataSelector, u64{0x00cf'9300'0000'ffff});
}

/// An interrupt gate to `handler`.
inline bool write_gate(GuestMemory& memory, u64 vector, u64 handler) {
    const u64 low = (handler & 0xffff) | u64{kCodeSelector} << 16 | u64{0x8e00} << 32 | (handler >> 16 & 0xffff) << 48;
    return memory.write(kIdt + 16 * vector, low) && memory.write(kIdt + 16 * vector + 8, handler >> 32);
}

/// The proposals for a start at `rip`, with interrupts off.
inline void write_start(GuestState& state, u64 rip) {
    const GuestSegment code{kCodeSelector, 0xa9b, ~u32{0}, 0}, data{kDataSelector, 0xc93, ~u32{0}, 0};
    state.cs = code;
    state.ds = state.es = state.ss = state.fs = state.gs = data;
    state.ldtr = {0, 0x82, 0xffff, 0};
    state.tr = {0, 0x8b, 0xffff, 0};
    state.gdtr = {0, 0, 0x1f, kGdt};
    state.idtr = {0, 0, 0xfff, kIdt};
    state.cr0 = 0x8000'0011;
    state.cr3 = kTables;
    state.cr4 = 0x20;
    state.efer = 0x500;
    state.rip = rip;
    state.rsp = kStack;
    state.rflags = rflags::kFixed;
    state.changed = kAllGuestParts;
}

/// A guest of `frames` guest frames with one virtual CPU and nested paging.
class TestGuest {
  public:
    TestGuest(FrameSupply& supply, u64 frames, std::string_view name, Board& board)
        : memory(supply, take_map(map_, frames)), paging(memory), machine(name, memory, board, paging), processor(machine, 0) {}

    /// With `code` at kCode.  Errors: of what is opened; bad_address: the memory is too small.
    Outcome open(std::span<const std::byte> code) {
        TRY(paging.open()); 
        TRY(processor.open()); 
        if (!write_tables(memory) || !memory.copy_out(kCode, code)) return Error::bad_address;
        write_start(processor.cpu().state(), kCode);
        return Done{};
    }
    Outcome close() {
        TRY(processor.close());
        TRY(paging.close());
        memory.close();
        return Done{};
    }

  private:
    static std::span<GuestFrame> take_map(RunWindow& window, u64 frames) {
        if (!window.take(Memory::map_pages(frames)).ok()) return {};
        return {reinterpret_cast<GuestFrame*>(window.memory()), frames};
    }
    RunWindow map_;

  public:
    Memory memory;
    NestedPaging paging;
    Machine machine;
    Processor processor;
};

}  // namespace tessera::guest_test
