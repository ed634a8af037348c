// Writes one block of translated code: what each kind of instruction becomes.
#pragma once

#include "libos/vmm/instructions/branch.hpp"
#include "libos/vmm/instructions/emitter.hpp"
#include "libos/vmm/instructions/translate.hpp"

namespace tessera::vmm {

/// Bytes, entries and exits that the longest block may need: what must be free before one is begun.
inline constexpr u32 kBlockBytes = Translator::kMaxInstructions * 48 + 256, kBlockEntries = Translator::kMaxInstructions * 4 + 16, kBlockExits = 4;

class BlockWriter {
  public:
    BlockWriter(Translator& translator, u64 guest);

    /// An instruction that is neither sensitive nor a branch. False: there is no way to move it.
    bool ordinary(const u8* bytes, const Instruction& in);
    /// One that ends the block.
    void branch(const u8* bytes, const Instruction& in, Branch branch);
    /// A trap to the monitor, at `guest`, which ends the block.
    Exit& leave(Exit::Kind kind, u64 guest);

    /// Handlers: the instruction at guest() done on the page. They end the block.
    void inline_cli(), inline_pushf(), inline_popf();
    void inline_swapgs(const Instruction& in), inline_mov_from_cr(const Instruction& in);
    /// With the instruction behind it, during which no interrupt may come.  False: that one is neither ordinary nor a direct branch.
    bool inline_sti(const u8* next_bytes, const Instruction& next);

    u64 guest() const { return guest_; }
    /// An instruction that an exit stands for.
    void skip(const Instruction& in) { advance(in); }
    /// The block is complete: it counts from now on.
    Block& finish(bool findable);

  private:
    void entry(u64 guest, u16 repairs = 0, u8 base = kNoRegister);
    void advance(const Instruction& in) { guest_ += in.length; }
    u64 slot(u32 number) const { return translator_.layout_.page() + 8 * number; }
    u64 page(u64 offset) const { return translator_.layout_.page() + offset; }
    void relocated(const u8* bytes, const Instruction& in, u64 target);
    void through_register(const u8* bytes, const Instruction& in, u64 target);
    void call(const Instruction& in);
    void conditional(const u8* bytes, const Instruction& in);
    void indirect(const u8* bytes, const Instruction& in, Branch branch);
    void load_target(const u8* bytes, const Instruction& in);

    Translator& translator_;
    Emitter out_;
    u64 begin_, guest_;
    u32 first_code_, first_entry_;
    u16 always_ = 0;  ///< Repairs that every entry gets, until the instruction is over.
};

}  // namespace tessera::vmm
