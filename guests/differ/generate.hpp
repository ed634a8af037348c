// Sequences out of numbers. Each is some pieces of a few instructions, one after another; a piece belongs to a class, and classes can be left
// out where a kind of guest is known not to reach them.
//
// What no sequence contains: backward branches, stores through anything but the registers that never change or the stack, and what
// would take the machine down on any CPU (paging off, a task state that is none).
#pragma once

#include "guests/differ/code.hpp"
#include "guests/differ/random.hpp"

namespace differ {

struct Maker {
    Code& code;
    Random& random;
    bool user;    ///< Ring 3, as far as one can tell without running it.
    bool halting; ///< HLT is #GP here: nothing can have led to ring 0.

    /// One of those that may change.
    Register any() {
        constexpr Register kFree[] = {rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r15};
        return random.one_of(kFree);
    }
    u64 scratch() { return kScratch + random.below(0x700); }
    bool one_in(u64 n) { return random.below(n) == 0; }
};

struct Class {
    const char* name;
    void (*make)(Maker&);
};
inline constexpr u64 kClasses = 20;
extern const Class kClassTable[kClasses];

/// Which pieces may be there.
struct Choice {
    u64 kernel, user;  ///< By class: in ring 0, in ring 3.
};

/// How a sequence begins, besides its code.
struct Begin {
    bool user;
    u64 flags;
    u64 registers[16];
};

/// Sequence `index` of those that `seed` makes. counts: pieces made, by class.
Begin generate(u64 seed, u64 index, const Choice& choice, Code& code, u64 (&counts)[kClasses]);

// The classes, in privileged.cpp, ordinary.cpp, transfers.cpp, paging.cpp.
void make_arithmetic(Maker& m);
void make_memory(Maker& m);
void make_branch(Maker& m);
void make_flags(Maker& m);
void make_faults(Maker& m);
void make_control(Maker& m);
void make_write_protect(Maker& m);
void make_debug(Maker& m);
void make_tables(Maker& m);
void make_segments(Maker& m);
void make_descriptors(Maker& m);
void make_model_registers(Maker& m);
void make_transfers(Maker& m);
void make_ports(Maker& m);
void make_paging(Maker& m);
void make_identity(Maker& m);
void make_undefined(Maker& m);
void make_fpu(Maker& m);
void make_made_return(Maker& m);
void make_virtualization(Maker& m);

}  // namespace differ
