#include "guests/differ/run.hpp"

#include "guests/trapped/registers.hpp"

extern "C" void differ_enter(differ::Frame* frame);

namespace differ {
namespace {

const Code* running;
Observer* told;
u64 caught;
Frame last;

constexpr u64 kMostExceptions = 48;
/// Those that stand on the instruction that raised them; behind the others it is over.
constexpr u64 kFaults = 1 << 0 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 0x1f << 10 | 1 << 16 | 1 << 17;

// What TCG 7.2 does otherwise than the manuals, and a monitor by the manuals: a fault does not set RF in the flags that it
// pushes (SDM vol. 3, 18.3.1.1), SYSCALL loses the arithmetic flags and DF (they are in r11 in any case).
constexpr u64 kResume = 1 << 16, kArithmetic = 0xcd5;
u64 comparable_flags(const Frame& frame) { return frame.rflags & ~(frame.vector == kSystemCall ? kResume | kArithmetic : kResume); }

// A page fault for reserved bits says that nothing is present (SDM vol. 3, 4.7). And an error code that names a gate has sixteen times its vector in it, not eight times (SDM vol. 3, 6.13): what kind it is remains.
u64 comparable_error(const Frame& frame) {
    constexpr u64 kOfGate = 2, kKind = 7, kPresent = 1, kReservedBits = 8;
    if (frame.vector == 14 && frame.error & kReservedBits) return frame.error | kPresent;
    return frame.vector != 14 && frame.error & kOfGate ? frame.error & kKind : frame.error;
}

// With CR0.TS, what needs SSE is #NM to it even where EM is set or CR4.OSFXSR is not; then it is #UD (SDM vol. 3, table 14-1).
u64 comparable_vector(const Frame& frame) {
    constexpr u64 kEmulate = 1 << 2, kSwitched = 1 << 3, kFxsave = 1 << 9;
    if (frame.vector != 6 && frame.vector != 7) return frame.vector;
    const u64 cr0 = small::trapped::cr0(), cr4 = small::trapped::cr4();
    return (cr0 & kSwitched) && ((cr0 & kEmulate) || !(cr4 & kFxsave)) ? 7 : frame.vector;
}

/// A SYSCALL that EFER.SCE does not let be: in ring 3 without hardware's help it has changed rcx and r11 by then.
void forget_refused_call(Frame& frame) {
    constexpr u8 kSystemCalls = 1;
    const auto* code = reinterpret_cast<const u8*>(frame.rip);
    const u64 offset = frame.rip - running->address();
    if (frame.vector != 6 || offset >= running->size() || code[0] != 0x0f || code[1] != 0x05) return;
    if (small::trapped::read_msr(small::trapped::kEfer) & kSystemCalls) return;
    constexpr u64 kR11 = 4, kRcx = 13;
    frame.registers[kR11] = frame.registers[kRcx] = 0;
}

/// Where the instruction behind the one at `offset` begins, or the end gate's place if there is none.
u64 next_start(u64 offset) {
    for (u64 i = 0; i < running->count(); ++i)
        if (running->start_of(i) > offset) return running->start_of(i);
    return running->start_of(running->count() - 1);
}

}  // namespace

extern "C" bool differ_caught(Frame* frame) {
    const u64 offset = frame->rip - running->address();
    const u64 end = running->start_of(running->count() - 1);
    const bool fault = frame->vector < 32 && kFaults >> frame->vector & 1;
    const bool over = frame->vector == kEndGate || offset > running->size() || (fault && offset >= end);
    forget_refused_call(*frame);
    told->word("exception", comparable_vector(*frame));
    told->word("  error", comparable_error(*frame));
    told->word("  at", offset);
    told->word("  cs", frame->cs);
    told->word("  flags", comparable_flags(*frame));
    told->word("  rsp", frame->rsp);
    told->word("  ss", frame->ss);
    if (frame->vector == 14) {
        u64 address;
        asm volatile("mov %%cr2, %0" : "=r"(address));
        told->word("  address", address);
    }
    if (over || ++caught == kMostExceptions) {
        last = *frame;
        return false;
    }
    if (fault) frame->rip = running->address() + next_start(offset);
    return true;
}

void run_sequence(const Begin& begin, const Code& code, Observer& observer) {
    running = &code, told = &observer, caught = 0;
    Frame frame{};
    constexpr Register kOrder[] = {r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax};
    for (u64 i = 0; i < 15; ++i) {
        frame.registers[i] = begin.registers[kOrder[i]];
        if (kOrder[i] == kDataBase) frame.registers[i] = kData;
        if (kOrder[i] == kTableBase) frame.registers[i] = table_address();
    }
    frame.rip = code.address();
    frame.cs = begin.user ? kUserCode | 3 : kKernelCode;
    frame.ss = begin.user ? kUserData | 3 : kKernelData;
    frame.rflags = begin.flags;
    frame.rsp = kStackTop;
    differ_enter(&frame);
    constexpr const char* kNames[] = {"r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8", "rdi", "rsi", "rbp", "rbx", "rdx", "rcx", "rax"};
    for (u64 i = 0; i < 15; ++i) observer.word(kNames[i], last.registers[i]);
}

}  // namespace differ
