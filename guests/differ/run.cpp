#include "guests/differ/run.hpp"

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
    told->word("exception", frame->vector);
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
