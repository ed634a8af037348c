// A translation cache for guest-kernel code: ordinary instructions as they are, sensitive ones replaced.
//
// The guest's kernel runs in ring 3 from copies of its basic blocks (Adams and Agesen, ASPLOS 2006, section 3). Most of
// a copy is what the guest wrote. What differs:
//
//   sensitive instruction   a trap to the monitor, which emulates it. One that keeps trapping gets its handler inlined:
//                           CLI, STI, PUSHF, POPF, SWAPGS and reads of control registers then work on words beside the cache
//   direct branch           a trap at first, then a jump to the target's block (chaining)
//   call                    pushes the guest's own return address, not the cache's
//   return, indirect jump   looked up in a table by the guest's address; a trap when it is not in there
//   rip-relative operand    relocated, or reached through a register that is put aside for the moment
//
// Nothing that is added changes a flag, and every byte of the cache knows which guest instruction it stands for and
// how to undo or finish it (MapEntry). So whenever the real CPU stops, for a fault or an interrupt, `stop` tells the
// guest's state exactly, at an instruction's boundary.
//
// The guest sees three kinds of pages at an address that the monitor chooses (TranslationLayout), in the kernel's root alone:
// one that it can write (each virtual CPU has its own there), tables that it can read, and the code. What a hostile kernel
// does with the first can mislead nobody but itself: the monitor takes from it two flags, registers that were put aside, the other base of GS
// and a guest address.
//
// One address space: the guest's kernel must be mapped alike in all of its roots, as kernels are; else flush().
// Where a kernel changes its code, the monitor must see the write and call invalidate(): it protects the
// pages that it is asked to read with Access::fetch, and `covers` tells whether one still matters. Reading its own code it finds what it wrote, as the original is not touched.
#pragma once

#include <array>
#include <span>

#include "libos/vmm/instructions/emulate.hpp"

namespace tessera::vmm {

/// What the guest's kernel sees and may write. One a virtual CPU.
struct alignas(kPageSize) TranslationPage {
    u64 slots[5];         ///< Registers put aside: rax or whichever, rcx, rdx. Then where a branch goes: in the cache, in the guest.
    u8 interrupt_flag;    ///< 0 or 2, as in the second byte of the flags.
    u8 monitors_flags;    ///< The I/O level and NT, likewise.
    /// By the second byte of flags that are about to be set (only TF, IF, IOPL and NT of it): must the monitor see to it?
    u8 attention[128];
    u64 other_gs;         ///< The base of GS that SWAPGS brings.
    u64 control[5];       ///< CR0 to CR4.
};

/// What it sees and may only read.
struct alignas(kPageSize) TranslationTables {
    static constexpr u64 kPlaces = 255 + 8 * 255 + 1;  ///< place_of is below it.
    /// As many bits of the address as instructions that touch no flag can make one number of: kernels return to many places, and
    /// two that share one come out every time.
    static constexpr u64 place_of(u64 guest) { return (guest & 0xff) + 8 * (guest >> 8 & 0xff); }

    u64 tags[kPlaces];     ///< Where returns, indirect calls and indirect jumps go: complements of guest addresses,
    u64 targets[kPlaces];  ///< and the same in the cache.
    u8 flag_mask[256];     ///< x & (TF | IF | IOPL | NT), in the second byte.
};

/// Where all of that is in the guest's address space: one run of pages.
struct TranslationLayout {
    u64 base;
    constexpr u64 page() const { return base; }
    constexpr u64 tables() const { return base + sizeof(TranslationPage); }
    constexpr u64 code() const { return tables() + sizeof(TranslationTables); }
};

/// One guest instruction, or a part of its translation, from `code` to the next entry's.
struct MapEntry {
    u64 guest;   ///< rip when the CPU stops here.
    u32 code;
    u16 repairs; ///< Repair
    u8 base;     ///< The register that `base` restores.
};
enum Repair : u16 {
    kRestoreRax = 1, kRestoreRcx = 2, kRestoreRdx = 4,  ///< From the slots.
    kRestoreBase = 8,
    kUndoPush = 16,
    kCommitFlags = 32,  ///< al is the new interrupt flag.
    kBranched = 64,     ///< rip is in the last slot.
    kShadow = 128,      ///< In the shadow of STI.
    kSwapped = 256,     ///< rcx is the new base of GS.
};

struct Block {
    u64 guest;
    u32 guest_length;
    u32 code, code_end;
    u32 first_entry, entries;
    bool findable;  ///< By its guest address: not a piece of another, and not invalidated.
};

/// Where translated code leaves for the monitor.
struct Exit {
    enum class Kind : u8 { chain, emulate, branch, once } kind;
    bool final;   ///< Stays a trap.
    u32 code;
    u32 count;    ///< How often it was taken.
    u64 guest;    ///< chain, once: where the guest goes on. Else the instruction that is to be done.
};

/// The cache's memory, given by the monitor. `code` is reached by it through a mapping of its own.
struct TranslationMemory {
    TranslationLayout layout;
    TranslationPage* page;      ///< The running virtual CPU's.
    TranslationTables* tables;
    std::span<u8> code;         ///< 64 KiB or more.
    std::span<Block> blocks;
    std::span<MapEntry> entries;
    std::span<Exit> exits;
    std::span<u32> index;       ///< A power of two; twice the blocks.
    u32 inline_after = 16;      ///< Exits that one instruction makes before its handler is inlined; 0: before the first.
    bool has_base_instructions = false;  ///< The CPU lets ring 3 read and write the base of GS.
};

class Translator {
  public:
    struct Counts {
        u64 blocks = 0, instructions = 0, exits = 0, chained = 0, inlined = 0, flushes = 0, invalidated = 0;
    };

    explicit Translator(const TranslationMemory& memory);

    struct Entry {
        bool good;
        u64 address;      ///< In the cache.
        Exception fault;  ///< Else: fetching the guest's instruction raises this.
    };
    /// Where the real CPU goes on for the guest at cpu.rip, in its kernel and in 64-bit mode. The virtual interrupt flag and
    /// the I/O level are handed over to the cache. Everything else of the real CPU is the guest's (`real_flags`). In rings 1 and 2: for one
    /// instruction only.
    Entry enter(const VirtualMachine& machine);
    /// For one instruction only: then the guest comes back, by an exit. For what waits behind STI, and for single steps.
    Entry enter_once(const VirtualMachine& machine);

    /// Is this address of the real CPU's in the cache?
    bool contains(u64 rip) const { return rip - layout_.code() < memory_.code.size(); }

    /// The real CPU has stopped at `rip` in the cache, and cpu.gpr and cpu.rflags are what it had (virtual_flags). They become the
    /// guest's, with rip, at the boundary of an instruction. (To go on at the same place as if nothing had been, keep what
    /// the CPU had.) The exit that stands at `rip`, or nullptr: it was a fault or an interrupt.
    Exit* stop(const VirtualMachine& machine, u64 rip);

    /// Behind stop(): do what the exit is for. Then enter() again, unless it ended otherwise.
    Emulated take_exit(const VirtualMachine& machine, Exit& exit);

    /// Shall translated code tell when the guest switches interrupts on? Set while an interrupt waits for it.
    void set_attention(bool wanted);

    /// The guest's page at `address` was written to. The guest must not go on but through enter().
    void invalidate(u64 address);
    /// Is there a translation of anything in the page at `address`? Then writes to it must be seen.
    bool covers(u64 address) const;
    /// Forget everything.
    void flush();
    /// The cache stands elsewhere in the guest's address space from now on, and everything is forgotten.
    void move(TranslationLayout layout);

    const Counts& counts() const { return counts_; }

    static constexpr u32 kMaxInstructions = 32;    ///< Of a block.

  private:
    friend class BlockWriter;
    Block* find(u64 guest);
    Exit* exit_at(u64 offset);
    const Block* block_at(u64 offset) const;
    bool has_room() const;
    Entry translate(const VirtualMachine& machine, u64 guest, bool once);
    void insert(u32 number);
    void chain(Exit& exit, u64 code);
    bool inline_handler(const VirtualMachine& machine, Exit& exit);
    void inline_at_once(const VirtualMachine& machine, u32 first);
    void remember_target(u64 guest, u64 address);
    void forget_target(u64 place);
    void hand_over(const VirtualMachine& machine);
    u64 address_of(const Block& block) const { return layout_.code() + block.code; }

    /// An instruction that an exit is for, taken apart: to fetch and decode it costs more than to do it. It is what was translated, as long as
    /// the exit can be reached.
    struct Known {
        u32 exit = kNoExit;
        Sensitive what{};
        Instruction in{};
    };
    static constexpr u32 kNoExit = ~u32{0}, kKnown = 64;
    std::array<Known, kKnown> known_{};

    TranslationMemory memory_;
    TranslationLayout layout_;
    Counts counts_;
    u32 code_used_ = 0, blocks_used_ = 0, entries_used_ = 0, exits_used_ = 0;
    // What the next enter() completes: the exit that asked for its block, or the branch that did not find it.
    u32 unchained_ = kNoExit;
    bool looked_up_ = false;
};

}  // namespace tessera::vmm
