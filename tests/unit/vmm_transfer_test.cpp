// Transfers between the guest's levels: system calls, returns, and delivery through its IDT.
#include <doctest/doctest.h>

#include "tests/unit/random.hpp"
#include "tests/unit/vmm_test_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::vmm::test;
using tessera::test::Random;

namespace {

struct Frame {
    u64 rip, cs, rflags, rsp, ss;
};

void push_frame(TestMachine& m, const Frame& frame) {
    m.cpu.gpr[kRsp] -= sizeof frame;
    m.memory.put(m.cpu.gpr[kRsp], frame);
}

}  // namespace

TEST_CASE("syscall and sysret change levels without looking at memory") {
    TestMachine m;
    m.enter_user();
    m.cpu.sfmask = rflags::kInterrupt | rflags::kTrap;
    m.cpu.rflags |= rflags::kCarry;
    const u64 flags = m.cpu.rflags;
    CHECK(m.run({0x0f, 0x05}).ending == Ending::done);
    CHECK(m.cpu.cpl == 0);
    CHECK(m.cpu.rip == m.cpu.lstar);
    CHECK(m.cpu.gpr[kRcx] == TestMachine::kUserCode + 2);
    CHECK(m.cpu.gpr[kR11] == flags);
    CHECK(m.cpu.rflags == (flags & ~rflags::kInterrupt));
    CHECK(m.cpu.cs.selector == TestMachine::kKernelCs);
    CHECK(m.cpu.ss.selector == TestMachine::kKernelSs);
    CHECK(m.cpu.gpr[kRsp] == TestMachine::kUserStack);

    CHECK(m.run({0x48, 0x0f, 0x07}).ending == Ending::done);
    CHECK(m.cpu.cpl == 3);
    CHECK(m.cpu.rip == TestMachine::kUserCode + 2);
    CHECK(m.cpu.rflags == flags);
    CHECK(m.cpu.cs.selector == TestMachine::kUserCs);
    CHECK(m.cpu.ss.selector == TestMachine::kUserSs);
    CHECK(m.cpu.is64());
    CHECK(raised(m.run({0x48, 0x0f, 0x07}), kProtection, 0));

    m.cpu.efer &= ~efer::kSyscall;
    CHECK(raised(m.run({0x0f, 0x05}), kInvalidOpcode));
    TestMachine k;
    k.cpu.gpr[kRcx] = 0x8000'0000'0000;
    CHECK(raised(k.run({0x48, 0x0f, 0x07}), kProtection, 0));
    CHECK(k.cpu.cpl == 0);
    k.cpu.gpr[kRcx] = 0x1'0000'1000;
    CHECK(k.run({0x0f, 0x07}).ending == Ending::done);  // to 32-bit code
    CHECK(k.cpu.rip == 0x1000);
    CHECK(!k.cpu.is64());
}

TEST_CASE("iretq goes to the same level and to an outer one, with the flags that the level may change") {
    TestMachine m;
    push_frame(m, {TestMachine::kCode + 0x40, TestMachine::kKernelCs, rflags::kInterrupt | rflags::kIopl, TestMachine::kStack, TestMachine::kKernelSs});
    CHECK(m.run({0x48, 0xcf}).ending == Ending::done);
    CHECK(m.cpu.cpl == 0);
    CHECK(m.cpu.rip == TestMachine::kCode + 0x40);
    CHECK(m.cpu.rflags == (rflags::kInterrupt | rflags::kIopl | rflags::kFixed));
    CHECK(m.cpu.gpr[kRsp] == TestMachine::kStack);

    m.cpu.ds = m.cpu.ss;  // of the kernel's: not for the user
    m.cpu.es = m.cpu.fs = {3, 0, 0, 0};  // null, which the user may load
    push_frame(m, {TestMachine::kUserCode, TestMachine::kUserCs, rflags::kInterrupt, TestMachine::kUserStack, TestMachine::kUserSs});
    CHECK(m.run({0x48, 0xcf}).ending == Ending::done);
    CHECK(m.cpu.cpl == 3);
    CHECK(m.cpu.iopl() == 0);
    CHECK(m.cpu.ds.selector == 0);
    CHECK(m.cpu.es.selector == 0);
    CHECK(m.cpu.fs.selector == 3);
    CHECK(m.cpu.gpr[kRsp] == TestMachine::kUserStack);

    // The user cannot raise itself, and keeps IF.
    push_frame(m, {TestMachine::kUserCode, TestMachine::kUserCs, rflags::kIopl, TestMachine::kUserStack, TestMachine::kUserSs});
    CHECK(m.run({0x48, 0xcf}).ending == Ending::done);
    CHECK(m.cpu.interrupts_enabled());
    CHECK(m.cpu.iopl() == 0);
    push_frame(m, {TestMachine::kCode, TestMachine::kKernelCs, 0, TestMachine::kStack, TestMachine::kKernelSs});
    CHECK(raised(m.run({0x48, 0xcf}), kProtection, TestMachine::kKernelCs));
}

TEST_CASE("iretq refuses bad frames and changes nothing") {
    TestMachine m;
    const auto refuse = [&m](const Frame& frame, u8 vector, u32 error) {
        push_frame(m, frame);
        const VirtualCpu before = m.cpu;
        CHECK(raised(m.run({0x48, 0xcf}), vector, error));
        CHECK(m.cpu.rip == before.rip);
        CHECK(m.cpu.gpr[kRsp] == before.gpr[kRsp]);
        CHECK(m.cpu.rflags == before.rflags);
        CHECK(m.cpu.cpl == 0);
    };
    refuse({0x8000'0000'0000, TestMachine::kKernelCs, 0, 0, 0}, kProtection, 0);
    refuse({0, 0, 0, 0, 0}, kProtection, 0);
    refuse({0, TestMachine::kKernelSs, 0, 0, 0}, kProtection, TestMachine::kKernelSs);
    refuse({0, TestMachine::kAbsent, 0, 0, 0}, kNotPresent, TestMachine::kAbsent);
    refuse({0, 0x100, 0, 0, 0}, kProtection, 0x100);
    refuse({0, TestMachine::kUserCs, 0, 0, 0}, kProtection, 0);  // the user's stack segment cannot be null
    refuse({0, TestMachine::kUserCs, 0, 0, TestMachine::kKernelSs}, kProtection, TestMachine::kKernelSs);
    refuse({0, TestMachine::kUserCs & ~3, 0, 0, TestMachine::kKernelSs}, kProtection, TestMachine::kUserCs & ~3);
    m.cpu.rflags |= rflags::kNested;
    refuse({0, TestMachine::kKernelCs, 0, 0, TestMachine::kKernelSs}, kProtection, 0);
    m.cpu.rflags &= ~rflags::kNested;
    m.cpu.gpr[kRsp] = 0x8000'0000'0000;
    CHECK(raised(m.run({0x48, 0xcf}), kStackFault, 0));
}

TEST_CASE("far returns, jumps and calls load CS") {
    TestMachine m;
    m.cpu.gpr[kRsp] -= 16;
    m.memory.put<u64>(m.cpu.gpr[kRsp], TestMachine::kCode + 0x80);
    m.memory.put<u64>(m.cpu.gpr[kRsp] + 8, TestMachine::kConformingCode);
    const u64 rsp = m.cpu.gpr[kRsp];
    CHECK(m.run({0x48, 0xcb}).ending == Ending::done);
    CHECK(m.cpu.rip == TestMachine::kCode + 0x80);
    CHECK(m.cpu.cs.selector == TestMachine::kConformingCode);
    CHECK(m.cpu.gpr[kRsp] == rsp + 16);

    m.cpu.gpr[kRbx] = TestMachine::kData;
    m.memory.put<u32>(TestMachine::kData, TestMachine::kCode + 0x90);
    m.memory.put<u16>(TestMachine::kData + 4, TestMachine::kKernelCs);
    CHECK(m.run({0xff, 0x2b}).ending == Ending::done);
    CHECK(m.cpu.rip == TestMachine::kCode + 0x90);
    CHECK(m.cpu.cs.selector == TestMachine::kKernelCs);
    CHECK(m.run({0xff, 0x1b}).ending == Ending::done);  // call
    CHECK(m.memory.get<u32>(m.cpu.gpr[kRsp]) == TestMachine::kCode + 0x92);
    CHECK(m.memory.get<u32>(m.cpu.gpr[kRsp] + 4) == TestMachine::kKernelCs);
    CHECK(m.run({0xcb}).ending == Ending::done);  // 32-bit words
    CHECK(m.cpu.rip == TestMachine::kCode + 0x92);
    m.memory.put<u16>(TestMachine::kData + 4, TestMachine::kUserCs);
    CHECK(raised(m.run({0xff, 0x2b}), kProtection, TestMachine::kUserCs & 0xfffc));
    CHECK(m.run({0xff, 0xe1}).ending == Ending::ordinary);  // jmp rcx
    CHECK(raised(m.run({0xff, 0xeb}), kInvalidOpcode));

    // To the outer level, releasing arguments on both stacks.
    m.cpu.gpr[kRsp] = TestMachine::kStack - 64;
    u64 at = m.cpu.gpr[kRsp];
    for (const u64 word : {TestMachine::kUserCode, u64{TestMachine::kUserCs}, u64{0}, u64{0}, TestMachine::kUserStack, u64{TestMachine::kUserSs}}) {
        m.memory.put(at, word);
        at += 8;
    }
    CHECK(m.run({0x48, 0xca, 16, 0}).ending == Ending::done);
    CHECK(m.cpu.cpl == 3);
    CHECK(m.cpu.gpr[kRsp] == TestMachine::kUserStack + 16);
}

TEST_CASE("an exception of the user's goes to the kernel on the stack of the TSS") {
    TestMachine m;
    m.enter_user();
    m.cpu.rflags |= rflags::kTrap | rflags::kCarry;
    const VirtualCpu before = m.cpu;
    CHECK(deliver_exception(m.machine, Exception::page_fault(0x1234, 6)) == Delivered::done);
    CHECK(m.cpu.cpl == 0);
    CHECK(m.cpu.cr2 == 0x1234);
    CHECK(m.cpu.rip == TestMachine::kHandlers + kPageFault);
    CHECK(m.cpu.gpr[kRsp] == TestMachine::kStack - 48);
    CHECK(m.memory.get<u64>(m.cpu.gpr[kRsp]) == 6);
    const auto frame = m.memory.get<Frame>(m.cpu.gpr[kRsp] + 8);
    CHECK(frame.rip == before.rip);
    CHECK(frame.cs == TestMachine::kUserCs);
    CHECK(frame.rflags == (before.rflags | rflags::kResume));
    CHECK(frame.rsp == before.gpr[kRsp]);
    CHECK(frame.ss == TestMachine::kUserSs);
    CHECK(m.cpu.ss.selector == 0);
    CHECK(m.cpu.rflags == (rflags::kFixed | rflags::kCarry));
    // And back, to exactly where it was.
    m.cpu.gpr[kRsp] += 8;
    CHECK(m.run({0x48, 0xcf}).ending == Ending::done);
    CHECK(m.cpu.rflags == (before.rflags | rflags::kResume));
    CHECK(m.cpu.rip == before.rip);
    CHECK(m.cpu.gpr[kRsp] == before.gpr[kRsp]);
}

TEST_CASE("the kernel's own exceptions stay on its stack, rounded down; an IST takes another") {
    TestMachine m;
    m.cpu.gpr[kRsp] = TestMachine::kStack - 0x103;
    m.cpu.rflags |= rflags::kInterrupt;
    m.set_gate(kDivide, TestMachine::kHandlers, TestMachine::kKernelCs, 0, 0, false);
    CHECK(deliver_exception(m.machine, Exception::plain(kDivide)) == Delivered::done);
    CHECK(m.cpu.gpr[kRsp] == TestMachine::kStack - 0x110 - 40);
    CHECK(m.memory.get<Frame>(m.cpu.gpr[kRsp]).rsp == TestMachine::kStack - 0x103);
    CHECK(m.cpu.interrupts_enabled());  // a trap gate
    m.set_gate(kNmi, TestMachine::kHandlers, TestMachine::kKernelCs, 0, 1, true);
    CHECK(deliver_interrupt(m.machine, kNmi) == Delivered::done);
    CHECK(m.cpu.gpr[kRsp] == TestMachine::kIstStack - 40);
    CHECK(!m.cpu.interrupts_enabled());
}

TEST_CASE("software interrupts respect the gate's level and return behind themselves") {
    TestMachine m;
    m.enter_user();
    CHECK(raised(m.run({0xcd, 0x80}), kProtection, 0x80 * 8 + 2));
    m.set_gate(0x80, TestMachine::kHandlers, TestMachine::kKernelCs, 3, 0, true);
    CHECK(m.run({0xcd, 0x80}).ending == Ending::done);
    CHECK(m.cpu.cpl == 0);
    CHECK(m.memory.get<Frame>(m.cpu.gpr[kRsp]).rip == TestMachine::kUserCode + 2);
    CHECK(m.memory.get<Frame>(m.cpu.gpr[kRsp]).rflags == (rflags::kFixed | rflags::kInterrupt));
    m.cpu.idtr.limit = 0x80 * 16 + 14;
    CHECK(raised(m.run({0xcd, 0x80}), kProtection, 0x80 * 8 + 2));
}

TEST_CASE("an interrupt ends a halt, and waits for the shadow") {
    TestMachine m;
    m.run({0xfb});
    CHECK(!m.cpu.may_interrupt());
    CHECK(m.run({0xf4}).ending == Ending::halted);
    CHECK(m.cpu.may_interrupt());
    CHECK(deliver_interrupt(m.machine, 0x20) == Delivered::done);
    CHECK(!m.cpu.halted);
    CHECK(m.memory.get<Frame>(m.cpu.gpr[kRsp]).rip == TestMachine::kCode + 2);
    CHECK(m.memory.get<Frame>(m.cpu.gpr[kRsp]).rflags == (rflags::kFixed | rflags::kInterrupt));
}

TEST_CASE("a fault on the way to a handler becomes another, a double fault, or the end") {
    TestMachine m;
    m.enter_user();
    m.set_gate(kPageFault, TestMachine::kHandlers, TestMachine::kAbsent, 0, 0, true);
    CHECK(deliver_exception(m.machine, Exception::page_fault(0x5000, 4)) == Delivered::done);  // #PF, then #NP: double
    CHECK(m.cpu.rip == TestMachine::kHandlers + kDoubleFault);
    CHECK(m.memory.get<u64>(m.cpu.gpr[kRsp]) == 0);

    TestMachine benign;
    benign.enter_user();
    benign.set_gate(kInvalidOpcode, TestMachine::kHandlers, TestMachine::kAbsent, 0, 0, true);
    CHECK(deliver_exception(benign.machine, Exception::plain(kInvalidOpcode)) == Delivered::done);  // #UD, then #NP
    CHECK(benign.cpu.rip == TestMachine::kHandlers + kNotPresent);
    CHECK(benign.memory.get<u64>(benign.cpu.gpr[kRsp]) == (TestMachine::kAbsent | 1));

    TestMachine no_stack;
    no_stack.enter_user();
    no_stack.memory.put<u64>(TestMachine::kTss + 4, 0x8000'0000'0000);
    no_stack.set_gate(kDoubleFault, TestMachine::kHandlers + kDoubleFault, TestMachine::kKernelCs, 0, 1, true);
    // #BP's #SS is delivered as it is, and fails with another one.
    CHECK(deliver_exception(no_stack.machine, Exception::plain(kBreakpoint)) == Delivered::done);
    CHECK(no_stack.cpu.rip == TestMachine::kHandlers + kDoubleFault);
    CHECK(no_stack.cpu.gpr[kRsp] == TestMachine::kIstStack - 48);

    TestMachine hopeless;
    hopeless.cpu.idtr.limit = 0;
    const VirtualCpu before = hopeless.cpu;
    CHECK(deliver_exception(hopeless.machine, Exception::plain(kBreakpoint)) == Delivered::ended);
    CHECK(hopeless.cpu.rip == before.rip);
    CHECK(hopeless.memory.writes == 0);
    TestMachine unmapped;  // the stack cannot be written: #PF in delivering #PF
    unmapped.memory.rights[4].writable = false;
    CHECK(deliver_exception(unmapped.machine, Exception::page_fault(0, 0)) == Delivered::ended);
}

TEST_CASE("delivery and iretq are inverse to each other") {
    Random random(7);
    for (u32 round = 0; round < 3000; ++round) {
        TestMachine m;
        const bool user = random.one_in(2);
        if (user) m.enter_user();
        m.cpu.rflags = (random.next() & (rflags::kAll & ~rflags::kNested & ~rflags::kResume)) | rflags::kFixed;
        m.cpu.gpr[kRsp] -= random.below(64);
        const u8 vector = static_cast<u8>(random.below(256));
        const bool ist = random.one_in(4);
        // A conforming handler stays at the user's level, where it could not give IF back.
        const u16 selector = !user && random.one_in(3) ? TestMachine::kConformingCode : TestMachine::kKernelCs;
        m.set_gate(vector, TestMachine::kCode + 0x20, selector, 0, ist, random.one_in(2));
        const VirtualCpu before = m.cpu;
        REQUIRE(deliver_interrupt(m.machine, vector) == Delivered::done);
        REQUIRE(m.cpu.rip == TestMachine::kCode + 0x20);
        REQUIRE(m.cpu.gpr[kRsp] % 16 == 8);
        REQUIRE(m.run({0x48, 0xcf}).ending == Ending::done);
        REQUIRE(m.cpu.rip == before.rip);
        REQUIRE(m.cpu.cpl == before.cpl);
        REQUIRE(m.cpu.gpr[kRsp] == before.gpr[kRsp]);
        REQUIRE(m.cpu.cs.selector == before.cs.selector);
        REQUIRE(m.cpu.ss.selector == before.ss.selector);
        REQUIRE(m.cpu.rflags == before.rflags);
    }
}
