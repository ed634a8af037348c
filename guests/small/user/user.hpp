// What the programs of the guest are written with: system calls, printing, and words of the command line.
#pragma once

#include "guests/small/calls.hpp"
#include "guests/small/print.hpp"
#include "guests/small/words.hpp"

namespace small {

/// A program. What it returns is its status.
u64 program_main();

template <class... Arguments>
inline i64 call(Call number, Arguments... arguments) {
    const u64 words[4] = {u64(arguments)...};
    u64 result = static_cast<u64>(number);
    // Safety: SYSCALL loses rcx and r11; the kernel may read and write memory that was named.
    asm volatile("syscall" : "+a"(result) : "D"(words[0]), "S"(words[1]), "d"(words[2]) : "rcx", "r11", "memory");
    return static_cast<i64>(result);
}

inline u64 address_of(const volatile void* pointer) { return reinterpret_cast<u64>(pointer); }

/// The time-stamp counter, in order with what is before and after.
inline u64 ticks() {
    u32 low, high;
    asm volatile("lfence\n rdtsc\n lfence" : "=a"(low), "=d"(high)::"memory");
    return u64{high} << 32 | low;
}

[[noreturn]] inline void exit(u64 status) {
    for (;;) call(Call::exit, status);
}

/// Run `body` in a child; what it returns is the child's status, which is the answer.
template <class Body>
u64 status_of_child(Body body) {
    if (call(Call::fork) == 0) exit(body());
    u64 status = ~u64{0};
    call(Call::wait, address_of(&status));
    return status;
}

/// The command line, with a zero at its end.
const char* command_line();

}  // namespace small
