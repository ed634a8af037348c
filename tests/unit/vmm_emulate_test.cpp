// The emulator, family by family, against what the manuals say; and against the CPU that runs this test where ring 3 is enough.
#include <doctest/doctest.h>

#include <cstring>

#include "tests/unit/random.hpp"
#include "tests/unit/vmm_test_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::vmm::test;
using tessera::test::Random;

namespace {

u64 flags_of_this_cpu() {
    u64 flags;
    asm volatile("pushfq; popq %0" : "=r"(flags));  // Safety: below the red zone nothing is live: built with -O1 and locals in registers
    return flags;
}

}  // namespace

TEST_CASE("cli and sti change the virtual interrupt flag, and sti waits one instruction") {
    TestMachine m;
    CHECK(m.run({0xfb}).ending == Ending::done);
    CHECK(m.cpu.interrupts_enabled());
    CHECK(!m.cpu.may_interrupt());
    CHECK(m.run({0xfb}).ending == Ending::done);  // was on already: no new shadow, and the old one is over
    CHECK(m.cpu.may_interrupt());
    CHECK(m.run({0xfa}).ending == Ending::done);
    CHECK(!m.cpu.interrupts_enabled());
    CHECK(m.run({0xfb}).ending == Ending::done);
    CHECK(m.run({0xf4}).ending == Ending::halted);
    CHECK(m.cpu.halted);
    CHECK(m.cpu.may_interrupt());
    CHECK(m.cpu.rip == TestMachine::kCode + 5);

    m.enter_user();
    for (const int code : {0xfa, 0xfb, 0xf4}) {
        CHECK(raised(m.run({code}), kProtection, 0));
        CHECK(m.cpu.rip == TestMachine::kUserCode);
    }
    m.cpu.rflags |= rflags::kIopl;
    CHECK(m.run({0xfa}).ending == Ending::done);
    CHECK(!m.cpu.interrupts_enabled());
}

TEST_CASE("pushf and popf show and change the virtual flags by level") {
    TestMachine m;
    m.cpu.rflags = rflags::kFixed | rflags::kResume | rflags::kCarry | 2 << 12;
    CHECK(m.run({0x9c}).ending == Ending::done);
    CHECK(m.memory.get<u64>(m.cpu.gpr[kRsp]) == (rflags::kFixed | rflags::kCarry | 2 << 12));
    m.memory.put<u64>(m.cpu.gpr[kRsp], ~u64{0} & ~rflags::kTrap);
    CHECK(m.run({0x9d}).ending == Ending::done);
    CHECK(m.cpu.rflags == ((rflags::kAll & ~rflags::kTrap & ~rflags::kResume) | rflags::kFixed));

    // 16 bits: what is above stays.
    const u64 rsp = m.cpu.gpr[kRsp];
    CHECK(m.run({0x66, 0x9c}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRsp] == rsp - 2);
    m.memory.put<u16>(m.cpu.gpr[kRsp], 0);
    CHECK(m.run({0x66, 0x9d}).ending == Ending::done);
    CHECK(m.cpu.rflags == (rflags::kAlignment | rflags::kId | rflags::kFixed));
    CHECK(m.cpu.gpr[kRsp] == rsp);
}

TEST_CASE("user code's popf does to the virtual flags what this CPU does to the real ones") {
    Random random(1);
    // TF would trap in this process and AC fault in it.
    constexpr u64 kAsked = rflags::kAll & ~(rflags::kTrap | rflags::kAlignment | rflags::kResume);
    for (u32 round = 0; round < 500; ++round) {
        const u64 asked = random.next() & kAsked;
        u64 real;
        // Safety: the flags are put back; 128 bytes of red zone are stepped over.
        asm volatile(
            "leaq -128(%%rsp), %%rsp\n pushfq\n pushq %1\n popfq\n pushfq\n popq %0\n popfq\n leaq 128(%%rsp), %%rsp"
            : "=&r"(real)
            : "r"(asked)
            : "cc", "memory");
        TestMachine m;
        m.enter_user();
        m.cpu.rflags = rflags::kFixed | rflags::kInterrupt | (flags_of_this_cpu() & rflags::kId);
        m.cpu.gpr[kRsp] -= 8;
        m.memory.put<u64>(m.cpu.gpr[kRsp], asked);
        REQUIRE(m.run({0x9d}).ending == Ending::done);
        REQUIRE(m.cpu.rflags == real);
        REQUIRE(virtual_flags(m.cpu, real) == real);
    }
}

TEST_CASE("the flags of the real CPU and the virtual ones are put together") {
    TestMachine m;
    m.cpu.rflags = rflags::kFixed | rflags::kIopl | rflags::kCarry;
    CHECK(real_flags(m.cpu) == (rflags::kFixed | rflags::kInterrupt | rflags::kCarry));
    CHECK(virtual_flags(m.cpu, rflags::kFixed | rflags::kInterrupt | rflags::kZero) == (rflags::kFixed | rflags::kIopl | rflags::kZero));

    // NT is the guest's own and never the real CPU's, whose IRET it would spoil: neither lost nor taken over.
    m.cpu.rflags = rflags::kFixed | rflags::kNested;
    CHECK(real_flags(m.cpu) == (rflags::kFixed | rflags::kInterrupt));
    CHECK(virtual_flags(m.cpu, real_flags(m.cpu)) == (rflags::kFixed | rflags::kNested));
    m.cpu.rflags = rflags::kFixed;
    CHECK(virtual_flags(m.cpu, real_flags(m.cpu) | rflags::kNested) == rflags::kFixed);
    // RF is not seen by code, and what code may change comes from where it ran.
    m.cpu.rflags = rflags::kFixed | rflags::kResume | rflags::kDirection;
    CHECK(real_flags(m.cpu) == (rflags::kFixed | rflags::kInterrupt | rflags::kDirection));
    CHECK(virtual_flags(m.cpu, rflags::kFixed | rflags::kTrap | rflags::kAlignment) ==
          (rflags::kFixed | rflags::kResume | rflags::kTrap | rflags::kAlignment));
}

TEST_CASE("ports are asked for by size, and user code needs the TSS's leave") {
    TestMachine m;
    m.cpu.gpr[kRdx] = 0x3f8;
    m.cpu.gpr[kRax] = 0x1111'2222'3333'4444;
    CHECK(m.run({0xec}).ending == Ending::done);  // in al, dx
    CHECK(m.cpu.gpr[kRax] == (0x1111'2222'3333'4400 | ((0x3f8u * 0x0101'0101u + 1) & 0xff)));
    CHECK(m.run({0xe5, 0x60}).ending == Ending::done);  // in eax, 0x60: clears the upper half
    CHECK(m.cpu.gpr[kRax] == 0x6060'6060u + 2);
    CHECK(m.run({0x48, 0xef}).ending == Ending::done);  // REX.W changes nothing
    CHECK(m.run({0x66, 0xe7, 0x70}).ending == Ending::done);
    CHECK(m.effects.port_writes == std::vector<TestEffects::PortWrite>{{0x3f8, 4, 0x6060'6062}, {0x70, 2, 0x6062}});

    m.enter_user();
    m.effects.port_writes.clear();
    CHECK(raised(m.run({0xee}), kProtection, 0));  // the bitmap begins behind the limit
    m.cpu.tr.limit = 104 + 0x80;                   // 0x80 bytes of zeros, and the one behind them
    CHECK(m.run({0xee}).ending == Ending::done);
    m.memory.put<u8>(TestMachine::kTss + 104 + 0x3f8 / 8, 2);  // 0x3f9 is forbidden
    CHECK(m.run({0xee}).ending == Ending::done);
    CHECK(raised(m.run({0xef}), kProtection, 0));              // four ports from there
    m.cpu.gpr[kRdx] = 0x400;
    CHECK(raised(m.run({0xee}), kProtection, 0));
    CHECK(m.effects.port_writes.size() == 2);
    m.cpu.rflags |= rflags::kIopl;
    CHECK(m.run({0xee}).ending == Ending::done);
}

TEST_CASE("string ports go some units at a time, and stop where memory ends without losing input") {
    TestMachine m;
    m.cpu.gpr[kRdx] = 0x1f0;
    m.cpu.gpr[kRcx] = 100;
    m.cpu.gpr[kRdi] = TestMachine::kData;
    CHECK(m.run({0xf3, 0x66, 0x6d}).ending == Ending::again);  // rep insw
    CHECK(m.cpu.rip == TestMachine::kCode);
    CHECK(m.cpu.gpr[kRcx] == 36);
    CHECK(m.run({0xf3, 0x66, 0x6d}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRcx] == 0);
    CHECK(m.cpu.gpr[kRdi] == TestMachine::kData + 200);
    CHECK(m.effects.port_reads == 100);
    CHECK(m.memory.get<u16>(TestMachine::kData + 198) == static_cast<u16>(0x1f0u * 0x0101'0101u + 100));

    // The third unit has no place: two were read, not three.
    m.memory.rights[12].present = false;
    m.cpu.gpr[kRdi] = TestMachine::kData + 0x1000 - 4;
    m.cpu.gpr[kRcx] = 5;
    const Emulated stopped = m.run({0xf3, 0x66, 0x6d});
    CHECK(stopped.exception == Exception::page_fault(TestMachine::kData + 0x1000, 2));
    CHECK(m.effects.port_reads == 102);
    CHECK(m.cpu.gpr[kRcx] == 3);
    m.memory.rights[12].present = true;

    // Downwards, with a 32-bit address.
    m.cpu.rflags |= rflags::kDirection;
    m.cpu.gpr[kRsi] = 0xffff'ffff'0000'0000 | (TestMachine::kData + 3);
    m.memory.put<u32>(TestMachine::kData, 0x0403'0201);
    m.cpu.gpr[kRcx] = 2;
    CHECK(m.run({0x67, 0xf3, 0x6e}).ending == Ending::done);
    CHECK(m.effects.port_writes == std::vector<TestEffects::PortWrite>{{0x1f0, 1, 4}, {0x1f0, 1, 3}});
    CHECK(m.cpu.gpr[kRsi] == TestMachine::kData + 1);
    m.cpu.gpr[kRcx] = 0;
    CHECK(m.run({0xf3, 0x6e}).ending == Ending::done);
    CHECK(m.effects.port_writes.size() == 2);
}

TEST_CASE("string input needs a place that may be written, with the rights of who asks") {
    TestMachine m;
    m.cpu.gpr[kRdx] = 0x1f0;
    m.cpu.gpr[kRcx] = 3;
    m.cpu.gpr[kRdi] = TestMachine::kData;
    m.memory.rights[11].writable = false;
    CHECK(m.run({0xf3, 0x6c}).exception == Exception::page_fault(TestMachine::kData, 3));
    CHECK(m.run({0x6d}).exception == Exception::page_fault(TestMachine::kData, 3));
    CHECK(m.effects.port_reads == 0);
    CHECK(m.cpu.gpr[kRcx] == 3);
    CHECK(m.cpu.gpr[kRdi] == TestMachine::kData);
    // Half of a unit is none.
    m.memory.rights[11].writable = true;
    m.memory.rights[12].writable = false;
    m.cpu.gpr[kRdi] = TestMachine::kData + 0x1000 - 2;
    CHECK(m.run({0xf3, 0x6d}).exception == Exception::page_fault(TestMachine::kData + 0x1000, 3));
    CHECK(m.effects.port_reads == 0);
    m.memory.rights[12].writable = true;
    // Ring 3, to a page of the kernel's.
    m.enter_user();
    m.cpu.rflags |= rflags::kIopl;
    m.cpu.gpr[kRdi] = TestMachine::kStack;
    CHECK(m.run({0xf3, 0x6c}).exception == Exception::page_fault(TestMachine::kStack, 7));
    CHECK(m.effects.port_reads == 0);
    m.cpu.gpr[kRdi] = u64{1} << 50;
    CHECK(raised(m.run({0xf3, 0x6c}), kProtection, 0));
}

TEST_CASE("string output downwards stops at the page that is gone, and goes on from there") {
    TestMachine m;
    m.cpu.gpr[kRdx] = 0x70;
    m.cpu.gpr[kRcx] = 4;
    m.cpu.gpr[kRsi] = TestMachine::kData + 0x1000 + 2;
    m.cpu.rflags |= rflags::kDirection;
    for (u64 i = 0; i < 8; i += 2) m.memory.put<u16>(TestMachine::kData + 0x1000 - 4 + i, static_cast<u16>(0x1100 + i));
    m.memory.rights[11].present = false;
    CHECK(m.run({0xf3, 0x66, 0x6f}).exception == Exception::page_fault(TestMachine::kData + 0x1000 - 2, 0));
    CHECK(m.cpu.gpr[kRcx] == 2);
    CHECK(m.cpu.gpr[kRsi] == TestMachine::kData + 0x1000 - 2);
    CHECK(m.cpu.rip == TestMachine::kCode);
    CHECK(m.effects.port_writes == std::vector<TestEffects::PortWrite>{{0x70, 2, 0x1106}, {0x70, 2, 0x1104}});
    m.memory.rights[11].present = true;
    CHECK(m.run({0xf3, 0x66, 0x6f}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRcx] == 0);
    CHECK(m.effects.port_writes.size() == 4);
    CHECK(m.effects.port_writes.back() == TestEffects::PortWrite{0x70, 2, 0x1100});
    // Without REP the counter means nothing, and input goes down as well.
    m.cpu.gpr[kRdi] = TestMachine::kData;
    CHECK(m.run({0x6c}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRdi] == TestMachine::kData - 1);
    CHECK(m.cpu.gpr[kRcx] == 0);
}

TEST_CASE("control registers refuse what no CPU takes") {
    TestMachine m;
    m.cpu.gpr[kRax] = m.cpu.cr0 & ~cr0::kPaging;
    CHECK(raised(m.run({0x0f, 0x22, 0xc0}), kProtection, 0));  // no way out of paging in 64-bit code
    m.cpu.gpr[kRax] = m.cpu.cr0 | cr0::kNotWriteThrough;
    CHECK(raised(m.run({0x0f, 0x22, 0xc0}), kProtection, 0));
    m.cpu.gpr[kRax] = m.cpu.cr0 | u64{1} << 32;
    CHECK(raised(m.run({0x0f, 0x22, 0xc0}), kProtection, 0));
    CHECK(m.effects.paging.empty());
    m.cpu.gpr[kRax] = (m.cpu.cr0 | cr0::kWriteProtect | cr0::kSwitched) & ~cr0::kExtension;
    CHECK(m.run({0x0f, 0x22, 0xc0}).ending == Ending::done);
    CHECK(m.cpu.cr0 == (m.cpu.gpr[kRax] | cr0::kExtension));
    CHECK(m.effects.paging == std::vector{PagingChange::modes});
    CHECK(m.run({0x0f, 0x06}).ending == Ending::done);
    CHECK(!(m.cpu.cr0 & cr0::kSwitched));

    m.cpu.gpr[kR9] = 0x5000;
    CHECK(m.run({0x41, 0x0f, 0x22, 0xd9}).ending == Ending::done);
    CHECK(m.cpu.cr3 == 0x5000);
    CHECK(m.effects.paging.back() == PagingChange::root);
    m.cpu.gpr[kR9] = u64{1} << 40;
    CHECK(raised(m.run({0x41, 0x0f, 0x22, 0xd9}), kProtection, 0));
    m.cpu.gpr[kRax] = cr4::kPae | cr4::kSmep;
    CHECK(raised(m.run({0x0f, 0x22, 0xe0}), kProtection, 0));  // not in the model
    m.cpu.gpr[kRax] = 0;
    CHECK(raised(m.run({0x0f, 0x22, 0xe0}), kProtection, 0));  // PAE
    m.cpu.gpr[kRax] = 16;
    CHECK(raised(m.run({0x44, 0x0f, 0x22, 0xc0}), kProtection, 0));  // cr8
    m.cpu.gpr[kRax] = 9;
    CHECK(m.run({0x44, 0x0f, 0x22, 0xc0}).ending == Ending::done);
    CHECK(m.run({0x44, 0x0f, 0x20, 0xc3}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRbx] == 9);
    CHECK(raised(m.run({0x0f, 0x22, 0xc8}), kInvalidOpcode));  // cr1
    CHECK(raised(m.run({0xf0, 0x0f, 0x22, 0xc0}), kInvalidOpcode));
    CHECK(raised(m.run({0x0f, 0x22, 0xe8}), kInvalidOpcode));  // cr5
    // The mod bits do not count, and there is no displacement.
    m.cpu.gpr[kRax] = 3;
    CHECK(m.run({0x44, 0x0f, 0x22, 0x00}).ending == Ending::done);
    CHECK(m.cpu.cr8 == 3);

    m.enter_user();
    CHECK(raised(m.run({0x0f, 0x20, 0xc0}), kProtection, 0));
    CHECK(raised(m.run({0x0f, 0x06}), kProtection, 0));
}

TEST_CASE("lmsw sets PE and cannot clear it; smsw shows it") {
    TestMachine m;
    m.cpu.gpr[kRcx] = cr0::kSwitched;
    CHECK(m.run({0x0f, 0x01, 0xf1}).ending == Ending::done);
    CHECK((m.cpu.cr0 & 15) == (cr0::kProtected | cr0::kSwitched));
    CHECK(m.run({0x48, 0x0f, 0x01, 0xe3}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRbx] == m.cpu.cr0);
    m.enter_user();
    CHECK(m.run({0x0f, 0x01, 0xe3}).ending == Ending::done);
    m.cpu.cr4 |= cr4::kUmip;
    CHECK(raised(m.run({0x0f, 0x01, 0xe3}), kProtection, 0));
}

TEST_CASE("debug registers keep their fixed bits") {
    TestMachine m;
    m.cpu.gpr[kRax] = 0xffff'ffff;
    CHECK(m.run({0x0f, 0x23, 0xf0}).ending == Ending::done);
    CHECK(m.cpu.dr[6] == 0xffff'efff);
    m.cpu.gpr[kRax] = 0xffff'ffff & ~u64{1 << 13};
    CHECK(m.run({0x0f, 0x23, 0xf8}).ending == Ending::done);
    CHECK(m.cpu.dr[7] == 0xffff'07ff);
    m.cpu.gpr[kRax] = 0x1234'5678'9abc'def0;
    CHECK(m.run({0x0f, 0x23, 0xd8}).ending == Ending::done);
    CHECK(m.cpu.dr[3] == 0x1234'5678'9abc'def0);
    CHECK(raised(m.run({0x0f, 0x23, 0xf8}), kProtection, 0));
    CHECK(m.run({0x0f, 0x21, 0xe1}).ending == Ending::done);  // dr4 is dr6
    CHECK(m.cpu.gpr[kRcx] == m.cpu.dr[6]);
    m.cpu.cr4 |= cr4::kDebugExtensions;
    CHECK(raised(m.run({0x0f, 0x21, 0xe1}), kInvalidOpcode));
    m.cpu.dr[7] |= 1 << 13;
    CHECK(raised(m.run({0x0f, 0x21, 0xc1}), kDebug));
    CHECK((m.cpu.dr[6] & 1 << 13) != 0);
}

TEST_CASE("model-specific registers are checked by what they hold") {
    TestMachine m;
    const auto write = [&m](u32 index, u64 value) {
        m.cpu.gpr[kRcx] = index;
        m.cpu.gpr[kRax] = static_cast<u32>(value);
        m.cpu.gpr[kRdx] = value >> 32;
        return m.run({0x0f, 0x30});
    };
    CHECK(write(0xc000'0102, 0xffff'8000'0000'0000).ending == Ending::done);
    CHECK(m.cpu.kernel_gs_base == 0xffff'8000'0000'0000);
    CHECK(raised(write(0xc000'0102, 0x8000'0000'0000), kProtection, 0));
    CHECK(raised(write(0xc000'0080, efer::kSyscall), kProtection, 0));  // LME cannot go with paging on
    CHECK(write(0xc000'0080, efer::kLongEnable | efer::kNoExecute).ending == Ending::done);
    CHECK(m.cpu.efer == (efer::kLongEnable | efer::kLongActive | efer::kNoExecute));
    CHECK(m.effects.paging == std::vector{PagingChange::modes});
    CHECK(raised(write(0xc000'0080, efer::kLongEnable | 1 << 12), kProtection, 0));  // SVME is not the guest's
    CHECK(raised(write(0x277, 2), kProtection, 0));
    CHECK(raised(write(0x1234, 0), kProtection, 0));
    m.effects.msrs[0x1234] = 5;
    CHECK(write(0x1234, 0x7'0000'0009).ending == Ending::done);
    CHECK(m.run({0x0f, 0x32}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRax] == 9);
    CHECK(m.cpu.gpr[kRdx] == 7);
    CHECK(m.run({0x0f, 0x01, 0xf8}).ending == Ending::done);  // swapgs
    CHECK(m.cpu.gs.base == 0xffff'8000'0000'0000);
    CHECK(m.cpu.kernel_gs_base == 0);
    m.enter_user();
    CHECK(raised(m.run({0x0f, 0x32}), kProtection, 0));
    CHECK(raised(m.run({0x0f, 0x01, 0xf8}), kProtection, 0));
}

TEST_CASE("cpuid, time and XCR0") {
    TestMachine m;
    m.cpu.gpr[kRax] = 0xffff'ffff'0000'0007;
    m.cpu.gpr[kRcx] = 2;
    CHECK(m.run({0x0f, 0xa2}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRax] == 7);
    CHECK(m.cpu.gpr[kRcx] == 9);
    CHECK(m.run({0x0f, 0x31}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRax] == 0x5566'7788);
    CHECK(m.cpu.gpr[kRdx] == 0x1122'3344);
    CHECK(raised(m.run({0x0f, 0x01, 0xf9}), kInvalidOpcode));  // no rdtscp in the small model
    CHECK(raised(m.run({0x0f, 0x01, 0xd0}), kInvalidOpcode));  // OSXSAVE is off
    m.cpu.model.xcr0_allowed = 7;
    m.cpu.model.cr4_allowed |= cr4::kXsave;
    m.cpu.cr4 |= cr4::kXsave;
    m.cpu.gpr[kRcx] = m.cpu.gpr[kRdx] = 0;
    m.cpu.gpr[kRax] = 5;
    CHECK(raised(m.run({0x0f, 0x01, 0xd1}), kProtection, 0));  // AVX without SSE
    m.cpu.gpr[kRax] = 7;
    CHECK(m.run({0x0f, 0x01, 0xd1}).ending == Ending::done);
    CHECK(m.run({0x0f, 0x01, 0xd0}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRax] == 7);
    m.enter_user();
    m.cpu.cr4 |= cr4::kTimeStampDisable;
    CHECK(raised(m.run({0x0f, 0x31}), kProtection, 0));
    CHECK(raised(m.run({0x0f, 0x01, 0xd1}), kProtection, 0));
}

TEST_CASE("descriptor tables are stored and loaded") {
    TestMachine m;
    m.cpu.gpr[kRbx] = TestMachine::kData;
    CHECK(m.run({0x0f, 0x01, 0x43, 0x08}).ending == Ending::done);  // sgdt [rbx + 8]
    CHECK(m.memory.get<u16>(TestMachine::kData + 8) == m.cpu.gdtr.limit);
    CHECK(m.memory.get<u64>(TestMachine::kData + 10) == TestMachine::kGdt);
    m.memory.put<u16>(TestMachine::kData, 0x7ff);
    m.memory.put<u64>(TestMachine::kData + 2, 0xffff'9000'0000'0000);
    CHECK(m.run({0x0f, 0x01, 0x1b}).ending == Ending::done);  // lidt [rbx]
    CHECK(m.cpu.idtr.base == 0xffff'9000'0000'0000);
    CHECK(m.cpu.idtr.limit == 0x7ff);
    m.memory.put<u64>(TestMachine::kData + 2, 0x0000'9000'0000'0000);
    CHECK(raised(m.run({0x0f, 0x01, 0x1b}), kProtection, 0));
    m.cpu.gpr[kRbx] = 0x0000'9000'0000'0000;
    CHECK(raised(m.run({0x0f, 0x01, 0x1b}), kProtection, 0));
    CHECK(raised(m.run({0x36, 0x0f, 0x01, 0x1b}), kProtection, 0));  // an override that does not count in 64-bit mode
    CHECK(raised(m.run({0x0f, 0x01, 0x5d, 0x00}), kPageFault));      // rbp: nothing is there

    CHECK(m.run({0x0f, 0x00, 0xc8}).ending == Ending::done);  // str eax
    CHECK(m.cpu.gpr[kRax] == TestMachine::kTssSelector);
    m.cpu.tr = {};
    m.cpu.gpr[kRax] = TestMachine::kTssSelector;
    CHECK(m.run({0x0f, 0x00, 0xd8}).ending == Ending::done);  // ltr ax
    CHECK(m.cpu.tr.base == TestMachine::kTss);
    CHECK(m.cpu.tr.limit == 0x67);
    CHECK(m.memory.get<u8>(TestMachine::kGdt + TestMachine::kTssSelector + 5) == 0x8b);
    CHECK(raised(m.run({0x0f, 0x00, 0xd8}), kProtection, TestMachine::kTssSelector));  // busy now
    m.cpu.gpr[kRax] = 0;
    CHECK(raised(m.run({0x0f, 0x00, 0xd8}), kProtection, 0));
    CHECK(m.run({0x0f, 0x00, 0xd0}).ending == Ending::done);  // lldt: null is good
    m.cpu.gpr[kRax] = TestMachine::kKernelCs;
    CHECK(raised(m.run({0x0f, 0x00, 0xd0}), kProtection, TestMachine::kKernelCs));
    m.cpu.gpr[kRax] = 0xfff8;
    CHECK(raised(m.run({0x0f, 0x00, 0xd0}), kProtection, 0xfff8));
    m.cpu.gpr[kRbx] = 0x10'0000;
    CHECK(m.run({0x0f, 0x01, 0x3b}).ending == Ending::done);  // invlpg
    CHECK(m.effects.invalidated == std::vector<u64>{0x10'0000});

    m.enter_user();
    m.cpu.gpr[kRbx] = TestMachine::kData;
    CHECK(m.run({0x0f, 0x01, 0x03}).ending == Ending::done);
    m.cpu.cr4 |= cr4::kUmip;
    CHECK(raised(m.run({0x0f, 0x01, 0x03}), kProtection, 0));
    CHECK(raised(m.run({0x0f, 0x00, 0xc8}), kProtection, 0));
    CHECK(raised(m.run({0x0f, 0x01, 0x3b}), kProtection, 0));
}

TEST_CASE("segment registers are loaded from the guest's tables") {
    TestMachine m;
    const auto load = [&m](u16 selector, int modrm) {
        m.cpu.gpr[kRax] = selector;
        return m.run({0x8e, modrm});
    };
    CHECK(load(TestMachine::kUserSs, 0xd8).ending == Ending::done);  // ds
    CHECK(m.cpu.ds.selector == TestMachine::kUserSs);
    CHECK(m.cpu.ds.attributes == 0xcf3);
    CHECK(m.run({0x8c, 0xdb}).ending == Ending::done);
    CHECK(m.cpu.gpr[kRbx] == TestMachine::kUserSs);
    CHECK(load(0, 0xe0).ending == Ending::done);                      // fs
    CHECK(load(TestMachine::kKernelCs, 0xc0).ending == Ending::done);  // readable code into es
    CHECK(raised(load(TestMachine::kTssSelector, 0xd8), kProtection, TestMachine::kTssSelector));
    CHECK(raised(load(TestMachine::kAbsent, 0xd8), kNotPresent, TestMachine::kAbsent));
    CHECK(raised(load(TestMachine::kUserSs, 0xd0), kProtection, TestMachine::kUserSs & 0xfffc));  // ss of another level
    CHECK(load(TestMachine::kKernelSs, 0xd0).ending == Ending::done);
    CHECK(m.cpu.shadow);
    CHECK(load(0, 0xd0).ending == Ending::done);  // null ss is good in a 64-bit kernel
    CHECK(raised(load(TestMachine::kKernelCs, 0xc8), kInvalidOpcode));  // mov cs
    CHECK(raised(load(0, 0xf0), kInvalidOpcode));
    CHECK(raised(load(4 | 8, 0xd8), kProtection, 4 | 8));  // no LDT

    CHECK(m.run({0x0f, 0xa8}).ending == Ending::done);  // push gs
    CHECK(m.memory.get<u64>(m.cpu.gpr[kRsp]) == m.cpu.gs.selector);
    m.memory.put<u64>(m.cpu.gpr[kRsp], TestMachine::kUserSs);
    CHECK(m.run({0x0f, 0xa1}).ending == Ending::done);  // pop fs
    CHECK(m.cpu.fs.selector == TestMachine::kUserSs);

    m.enter_user();
    CHECK(raised(load(TestMachine::kKernelSs, 0xd8), kProtection, TestMachine::kKernelSs));
    CHECK(raised(load(0, 0xd0), kProtection, 0));
    m.memory.put<u32>(TestMachine::kData, 0x1234);
    m.memory.put<u16>(TestMachine::kData + 4, TestMachine::kUserSs);
    m.cpu.gpr[kRbx] = TestMachine::kData;
    CHECK(m.run({0x0f, 0xb2, 0x0b}).ending == Ending::done);  // lss ecx, [rbx]
    CHECK(m.cpu.gpr[kRcx] == 0x1234);
    CHECK(m.cpu.shadow);
}

TEST_CASE("lar, lsl, verr and verw look at the guest's descriptors") {
    TestMachine m;
    const auto inspect = [&m](u16 selector, std::initializer_list<int> code) {
        m.cpu.gpr[kRax] = selector;
        m.cpu.gpr[kRcx] = 77;
        REQUIRE(m.run(code).ending == Ending::done);
        return (m.cpu.rflags & rflags::kZero) != 0;
    };
    CHECK(inspect(TestMachine::kKernelCs, {0x0f, 0x02, 0xc8}));
    CHECK(m.cpu.gpr[kRcx] == 0x00af'9b00);
    CHECK(inspect(TestMachine::kKernelCs, {0x0f, 0x03, 0xc8}));
    CHECK(m.cpu.gpr[kRcx] == 0xffff'ffff);
    CHECK(inspect(TestMachine::kTssSelector, {0x0f, 0x03, 0xc8}));
    CHECK(m.cpu.gpr[kRcx] == 0x67);
    CHECK(!inspect(0, {0x0f, 0x02, 0xc8}));
    CHECK(m.cpu.gpr[kRcx] == 77);
    CHECK(!inspect(0x7ff8, {0x0f, 0x02, 0xc8}));
    CHECK(inspect(TestMachine::kKernelSs, {0x0f, 0x00, 0xe8}));   // verw
    CHECK(!inspect(TestMachine::kKernelCs, {0x0f, 0x00, 0xe8}));
    CHECK(inspect(TestMachine::kKernelCs, {0x0f, 0x00, 0xe0}));   // verr
    CHECK(!inspect(TestMachine::kTssSelector, {0x0f, 0x00, 0xe0}));
    m.enter_user();
    CHECK(!inspect(TestMachine::kKernelCs, {0x0f, 0x02, 0xc8}));
    CHECK(inspect(TestMachine::kConformingCode, {0x0f, 0x02, 0xc8}));
}

TEST_CASE("a single-step flag traps behind the instruction that was emulated") {
    TestMachine m;
    m.cpu.rflags |= rflags::kTrap;
    CHECK(raised(m.run({0x0f, 0xa2}), kDebug));
    CHECK(m.cpu.rip == TestMachine::kCode + 2);
    CHECK((m.cpu.dr[6] & 1 << 14) != 0);
    m.cpu.gpr[kRax] = TestMachine::kKernelSs;
    CHECK(m.run({0x8e, 0xd0}).ending == Ending::done);  // mov ss holds it off
}

TEST_CASE("what is not there is said as the guest's CPU would say it") {
    TestMachine m;
    CHECK(m.run({0x48, 0x89, 0xd8}).ending == Ending::ordinary);
    CHECK(m.cpu.rip == TestMachine::kCode);
    CHECK(raised(m.run({0x06}), kInvalidOpcode));
    CHECK(raised(m.run({0x0f, 0x01, 0xc1}), kInvalidOpcode));
    m.cpu.rip = TestMemory::kBase + TestMemory::kSize - 1;  // the second byte is not mapped
    m.memory.put<u8>(m.cpu.rip, 0x0f);
    CHECK(emulate(m.machine).exception == Exception::page_fault(TestMemory::kBase + TestMemory::kSize, 16));
    m.memory.put<u8>(m.cpu.rip, 0xfa);  // it need not be
    CHECK(emulate(m.machine).ending == Ending::done);
    m.cpu.rip = 0x8000'0000'0000;
    CHECK(raised(emulate(m.machine), kProtection, 0));
    m.cpu.rip = TestMachine::kCode;
    m.cpu.cpl = 3;
    CHECK(emulate(m.machine).exception == Exception::page_fault(TestMachine::kCode, 16 | 4 | 1));
}
