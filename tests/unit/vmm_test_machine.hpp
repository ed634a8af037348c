// A machine for tests of the instruction emulator: 64 KiB of memory at a virtual address, pages with rights of their own, and
// effects that are written down.
#pragma once

#include <array>
#include <cstring>
#include <map>
#include <vector>

#include "libos/vmm/instructions/emulate.hpp"

namespace tessera::vmm::test {

struct PageRights {
    bool present = true, writable = true, user = true, executable = true;
};

class TestMemory final : public GuestAddressSpace {
  public:
    static constexpr u64 kBase = 0x10'0000, kPages = 16, kSize = kPages * kPageSize;
    std::vector<u8> bytes = std::vector<u8>(kSize);
    std::array<PageRights, kPages> rights{};
    u64 writes = 0;  ///< How many bytes were changed.
    bool asked_wrongly = false;  ///< For an address that is not canonical, or a range that wraps.

    bool check(u64 address, u64 length, Access access, Exception& fault) override {
        asked_wrongly |= !is_canonical(address) || !is_canonical(address + length - 1) || address + length - 1 < address;
        for (u64 i = 0; i < length; ++i) {
            const u64 at = address + i;
            const u32 code = (access.write ? 2u : 0u) | (access.user ? 4u : 0u) | (access.fetch ? 16u : 0u);
            const bool inside = at - kBase < kSize;
            const PageRights page = inside ? rights[(at - kBase) / kPageSize] : PageRights{.present = false};
            if (page.present && (!access.write || page.writable) && (!access.user || page.user) && (!access.fetch || page.executable)) continue;
            fault = Exception::page_fault(at, code | (page.present ? 1u : 0u));
            return false;
        }
        return true;
    }
    bool read(u64 address, void* to, u64 length, Access access, Exception& fault) override {
        if (!check(address, length, access, fault)) return false;
        std::memcpy(to, &bytes[address - kBase], length);
        return true;
    }
    bool write(u64 address, const void* from, u64 length, Access access, Exception& fault) override {
        access.write = true;
        if (!check(address, length, access, fault)) return false;
        std::memcpy(&bytes[address - kBase], from, length);
        writes += length;
        return true;
    }

    template <class T>
    T get(u64 address) const {
        T value;
        std::memcpy(&value, &bytes.at(address - kBase), sizeof value);
        return value;
    }
    template <class T>
    void put(u64 address, T value) {
        std::memcpy(&bytes.at(address - kBase), &value, sizeof value);
    }
    void put_code(u64 address, std::initializer_list<int> code) {
        for (const int byte : code) put<u8>(address++, static_cast<u8>(byte));
    }
};

class TestEffects final : public MachineEffects {
  public:
    struct PortWrite {
        u16 port;
        u32 size, value;
        bool operator==(const PortWrite&) const = default;
    };
    std::vector<PortWrite> port_writes;
    u32 port_reads = 0;
    std::map<u32, u64> msrs;
    std::vector<PagingChange> paging;
    std::vector<u64> invalidated;

    u32 port_read(u16 port, u32 size) override {
        ++port_reads;
        const u32 value = port * 0x0101'0101u + port_reads;
        return size == 4 ? value : value & ((1u << 8 * size) - 1);
    }
    void port_write(u16 port, u32 size, u32 value) override { port_writes.push_back({port, size, value}); }
    CpuidAnswer cpuid(u32 leaf, u32 subleaf) override { return {leaf, subleaf, leaf + subleaf, 0x1234}; }
    u64 time_stamp() override { return 0x1122'3344'5566'7788; }
    bool msr_read(u32 index, u64& value) override {
        if (!msrs.contains(index)) return false;
        value = msrs[index];
        return true;
    }
    bool msr_write(u32 index, u64 value) override {
        if (!msrs.contains(index)) return false;
        msrs[index] = value;
        return true;
    }
    void paging_changed(PagingChange what) override { paging.push_back(what); }
    void page_invalidated(u64 address) override { invalidated.push_back(address); }
};

/// A kernel's machine: GDT, IDT, TSS and stacks, each in a page of its own, all of it supervisor memory but the user's.
struct TestMachine {
    static constexpr u64 kCode = TestMemory::kBase, kGdt = kCode + 0x1000, kIdt = kCode + 0x2000, kTss = kCode + 0x3000,
                         kStack = kCode + 0x5000, kIstStack = kCode + 0x6000, kUserCode = kCode + 0x8000, kUserStack = kCode + 0xa000,
                         kData = kCode + 0xb000;
    // Selectors as SYSCALL wants them.
    static constexpr u16 kKernelCs = 8, kKernelSs = 16, kUserCs32 = 24 | 3, kUserSs = 32 | 3, kUserCs = 40 | 3, kTssSelector = 48,
                         kAbsent = 64, kConformingCode = 72;
    static constexpr u64 kHandlers = kCode + 0x800;  ///< The handler of vector v is at kHandlers + v.

    TestMemory memory;
    TestEffects effects;
    VirtualCpu cpu;
    VirtualMachine machine{cpu, memory, effects};

    TestMachine() {
        cpu = make_long_mode_cpu(kSmallModel, kCode, 0x1000);
        const u64 gdt[] = {0,
                           0x00af'9b00'0000'ffff,   // kernel code
                           0x00cf'9300'0000'ffff,   // data
                           0x00cf'fb00'0000'ffff,   // user code, 32 bits
                           0x00cf'f300'0000'ffff,   // user data
                           0x00af'fb00'0000'ffff,   // user code
                           0x0000'8900'0000'0067 | (kTss & 0xff'ffff) << 16 | (kTss >> 24 & 0xff) << 56,
                           kTss >> 32,
                           0x00af'1b00'0000'ffff,   // kernel code that is not present
                           0x00af'9f00'0000'ffff};  // conforming kernel code
        for (u64 i = 0; i < std::size(gdt); ++i) memory.put(kGdt + 8 * i, gdt[i]);
        cpu.gdtr = {kGdt, sizeof gdt - 1};
        for (u32 vector = 0; vector < 256; ++vector) set_gate(vector, kHandlers + vector, kKernelCs, 0, 0, true);
        cpu.idtr = {kIdt, 256 * 16 - 1};
        memory.put<u64>(kTss + 4, kStack);
        memory.put<u64>(kTss + 36, kIstStack);
        memory.put<u16>(kTss + 102, 104);
        cpu.tr = {kTssSelector, attribute::kPresent | 11, 0x67, kTss};
        cpu.cs = {kKernelCs, 0xa9b, 0xffff'ffff, 0};
        cpu.ss = {kKernelSs, 0xc93, 0xffff'ffff, 0};
        cpu.gpr[kRsp] = kStack - 0x100;
        cpu.efer |= efer::kSyscall;
        cpu.star = u64{kUserCs32} << 48 | u64{kKernelCs} << 32;
        cpu.lstar = kCode + 0x700;
        for (u64 page = 0; page < 8; ++page) memory.rights[page].user = false;
    }

    void set_gate(u32 vector, u64 target, u16 selector, u32 dpl, u32 ist, bool interrupt_gate) {
        memory.put<u64>(kIdt + 16 * vector, (target & 0xffff) | u64{selector} << 16 | u64{ist} << 32 | u64{interrupt_gate ? 14u : 15u} << 40 | u64{dpl} << 45 |
                                                u64{1} << 47 | (target >> 16 & 0xffff) << 48);
        memory.put<u64>(kIdt + 16 * vector + 8, target >> 32);
    }

    void enter_user() {
        cpu.cpl = 3;
        cpu.cs = {kUserCs, 0xafb, 0xffff'ffff, 0};
        cpu.ss = {kUserSs, 0xcf3, 0xffff'ffff, 0};
        cpu.rip = kUserCode;
        cpu.gpr[kRsp] = kUserStack;
        cpu.rflags |= rflags::kInterrupt;
    }

    /// Put `code` where rip is, and emulate it.
    Emulated run(std::initializer_list<int> code) {
        memory.put_code(cpu.rip, code);
        return emulate(machine);
    }
};

/// Is it this exception, with nothing done?
inline bool raised(const Emulated& emulated, u8 vector) { return emulated.ending == Ending::exception && emulated.exception.vector == vector; }
inline bool raised(const Emulated& emulated, u8 vector, u32 error) {
    return emulated.ending == Ending::exception && emulated.exception == Exception::with_error(vector, error);
}

}  // namespace tessera::vmm::test
