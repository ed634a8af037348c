// What the kernel keeps for each CPU, and how it finds it: at the bottom of the aligned block that also holds
// the CPU's stacks (layout.h), so masking the stack pointer is enough.
#pragma once

#include "exokernel/abi/types.hpp"
#include "exokernel/arch/x86_64/layout.h"
#include "exokernel/arch/x86_64/trap_frame.hpp"

namespace tessera::kernel {

struct Environment;
struct Context;
struct Guest;

/// Which translations the hardware side holds: what a switch wipes, and what `tlb.entries` bounds, first in, first
/// out. A slot may stand here twice or be empty by now: clearing it again is harmless, as it is only a cache.
struct HardwareTlbLog {
    static constexpr u64 kCapacity = 4096;
    struct Item {
        u64* slot;
        u64 tag;
    };
    Item* next;    ///< Where the next one goes; trap code appends here.
    Item* limit;   ///< Behind the last that fits: from then on each takes the oldest's place.
    Item* first;
    Item* oldest;
};

struct TaskState {  // SDM vol. 3, 8.7
    u32 reserved0;
    u64 rsp[3];
    u64 reserved1;
    u64 ist[7];
    u64 reserved2;
    u16 reserved3;
    u16 io_map;
} __attribute__((packed));

struct alignas(64) Cpu {
    // What assembly reads (offsets.cpp).
    Cpu* self;
    u64 user_stack_slot;   ///< Address of the rsp word of the first trap frame on the main stack.
    Environment* env;      ///< Who runs; nullptr: idle.
    Context* context;      ///< Whose tables CR3 names; nullptr: the kernel's own.
    HardwareTlbLog log;

    u64 index;
    u64 apic_id;
    // Time (core/slots.cpp).
    u64 since;             ///< TSC when `env` was switched to or last charged.
    u64 boundary;          ///< TSC at which the current slot ends.
    u64 alarm;             ///< TSC for which the timer is set,
    u64 due;               ///< and would be, had nobody stopped
    EnvId extended_for;    ///< who ran then.
    u64 slot;              ///< Position in this CPU's vector.
    u64 cursor;            ///< Position whose environment runs (differs from `slot` when a slot is reused).
    u64 attention;         ///< What a switch has to look after; zero: nothing (the bits below).
    Environment* fpu_owner;  ///< Whose FPU state the registers hold.
    // Other CPUs (core/exclusion.cpp).
    bool online;           ///< Runs; written once.
    bool idle;             ///< Halted, or about to be, with nobody to run,
    bool hopeless;         ///< and nobody who waits for the clock.
    bool resting;          ///< Halted: it counts as parked, and parks before it does anything.
    bool look;             ///< Something has changed for it while everything was stopped.
    bool flush;            ///< Parked: drop every translation before going on.
    u64 exclusive;         ///< How many Exclusive this CPU is inside of.
    u64 parked_for;        ///< The stop that it is parked for.
    u64 stopped_others;    ///< TSC at which it had all others parked; 0: it has not,
    EnvId stopped_for;     ///< and who made it; zero: nobody.
    TrapFrame* parked_frame;  ///< Parked: what the stop interrupted in ring 3; nullptr: nothing.
    void (*errand)(Cpu&);  ///< Parked: what the CPU that stopped this one wants done here.
    // Guests (core/guest.cpp).
    Guest* guest;          ///< Runs in ring 3 just now, on the interrupt table of guests; nullptr: none.
    const Guest* left;     ///< Whom what VMRUN does not exchange is from.
    u64 next_asid;         ///< Address-space tags of guests in a machine mode of their own,
    u64 asid_generation;   ///< and how often they were used up.
    TaskState task_state;
    u64 descriptors[8];
    /// By index: the ids of the environments that live here; every other entry holds an id that is never looked for there.
    EnvId environment_ids[256];

    static constexpr u64 kInGrace = 1;  ///< slice_end was delivered and not answered yet.
    static constexpr u64 kFpuLive = 2;  ///< CR0.TS is clear: `fpu_owner` computes without a trap.
    static constexpr u64 kPolicy = 4;   ///< The switch policy has more to do than to write CR3.
    static constexpr u64 kNoBases = 8;  ///< No FSGSBASE: a libOS cannot set the bases of FS and GS, nor can we cheaply.
    bool in_grace() const { return attention & kInGrace; }

    static Cpu& here() {
        u64 stack;
        // Safety: reads rsp; every kernel stack lies in its CPU's block.
        asm("mov %%rsp, %0" : "=r"(stack));
        return *reinterpret_cast<Cpu*>(stack & ~u64{CPU_BLOCK_SIZE - 1});
    }
    /// Whose system call is being served: `env`, which is the same from the entry to the answer. The compiler is not told of
    /// the memory behind it, so that a store to an account does not make it load this again.
    Environment& caller() const {
        Environment* env_of_call;
        // Safety: reads a member. Who changes it does not come back to the handler.
        asm("mov %c[env](%[cpu]), %[out]" : [out] "=r"(env_of_call) : [cpu] "r"(this), [env] "i"(offsetof(Cpu, env)));
        return *env_of_call;
    }
    /// Where the system call that is being served returns to: the entry code pushed rip below the rsp word.
    u64 syscall_rsp() { return entry_frame().rsp; }
    u64 syscall_rip() { return *(&entry_frame().rsp - 1); }
    /// The frame that the last trap from ring 3 left at the top of the main stack.
    EntryFrame& entry_frame() {
        return *reinterpret_cast<EntryFrame*>(reinterpret_cast<u64>(this) + CPU_STACK_TOP - sizeof(EntryFrame));
    }
};
static_assert(sizeof(Cpu) <= CPU_IST4_TOP - 0x1000);

extern "C" u8 cpu_blocks[];  ///< kMaxCpus blocks of CPU_BLOCK_SIZE.
inline Cpu& cpu_at(u64 index) { return *reinterpret_cast<Cpu*>(cpu_blocks + index * CPU_BLOCK_SIZE); }

}  // namespace tessera::kernel
