// The cache: which guest address is where, what happens at an exit, and what the guest's state is wherever the CPU stops.
#include "libos/vmm/instructions/translate.hpp"

#include <cstring>

#include "libos/vmm/instructions/block_writer.hpp"

namespace tessera::vmm {

namespace {

u64 hash(u64 guest, u64 size) { return (guest * 0x9e37'79b9'7f4a'7c15 >> 20) & (size - 1); }

/// TF, IF, the I/O level and NT, in the second byte of the flags. Real code in ring 3 is given none of the last two.
constexpr u8 kWatchedFlags = 0x73, kMonitorsFlags = 0x70;

bool can_be_inlined(Sensitive what) {
    switch (what) {
        case Sensitive::cli: case Sensitive::sti: case Sensitive::pushf: case Sensitive::popf: case Sensitive::swapgs: case Sensitive::mov_from_cr: return true;
        default: return false;
    }
}

}  // namespace

Translator::Translator(const TranslationMemory& memory) : memory_(memory), layout_(memory.layout) {
    for (u32 i = 0; i < 256; ++i) memory_.tables->flag_mask[i] = static_cast<u8>(i & kWatchedFlags);
    // Whatever else the flags bring than IF is the monitor's anyway.
    for (u32 i = 0; i < sizeof memory_.page->attention; ++i) memory_.page->attention[i] = (i & kWatchedFlags & ~2u) != 0;
    flush();
    counts_ = {};
}

void Translator::set_attention(bool wanted) { memory_.page->attention[2] = wanted; }

// ---- finding ----------------------------------------------------------------------------------------------

Block* Translator::find(u64 guest) {
    for (u64 at = hash(guest, memory_.index.size()); memory_.index[at] != 0; at = (at + 1) & (memory_.index.size() - 1)) {
        Block& block = memory_.blocks[memory_.index[at] - 1];
        if (block.findable && block.guest == guest) return &block;
    }
    return nullptr;
}

/// There is always a free place: flush() comes before the index is more than half full.
void Translator::insert(u32 number) {
    u64 at = hash(memory_.blocks[number].guest, memory_.index.size());
    while (memory_.index[at] != 0) at = (at + 1) & (memory_.index.size() - 1);
    memory_.index[at] = number + 1;
}

bool Translator::has_room() const {
    return code_used_ + kBlockBytes <= memory_.code.size() && entries_used_ + kBlockEntries <= memory_.entries.size() &&
           exits_used_ + kBlockExits <= memory_.exits.size() && blocks_used_ < memory_.blocks.size() && 2 * (blocks_used_ + 1) <= memory_.index.size();
}

/// What is there is the complement of an address that no look-up in this place can be for.
void Translator::forget_target(u64 place) { __atomic_store_n(&memory_.tables->tags[place], ~u64{place == 0}, __ATOMIC_RELEASE); }

void Translator::flush() {
    for (u32& place : memory_.index) place = 0;
    code_used_ = blocks_used_ = entries_used_ = exits_used_ = 0;
    unchained_ = kNoExit;
    // What is being emulated just now is one of them: it is found no more, and stays as it is.
    for (Known& each : known_) each.exit = kNoExit;
    for (u64 place = 0; place < TranslationTables::kPlaces; ++place) forget_target(place);
    ++counts_.flushes;
}

void Translator::move(TranslationLayout layout) {
    memory_.layout = layout_ = layout;
    flush();
}

bool Translator::covers(u64 address) const {
    const u64 page = address / kPageSize;
    for (u32 i = 0; i < blocks_used_; ++i) {
        const Block& block = memory_.blocks[i];
        if (block.findable && block.guest / kPageSize <= page && (block.guest + block.guest_length - 1) / kPageSize >= page) return true;
    }
    return false;
}

void Translator::invalidate(u64 address) {
    const u64 page = address / kPageSize;
    for (u32 i = 0; i < blocks_used_; ++i) {
        Block& block = memory_.blocks[i];
        if (!block.findable || block.guest / kPageSize > page || (block.guest + block.guest_length - 1) / kPageSize < page) continue;
        if (exits_used_ == memory_.exits.size()) return flush();
        block.findable = false;
        // Whoever jumps here from another block comes out at once.
        const u32 number = exits_used_++;
        memory_.exits[number] = {Exit::Kind::chain, false, block.code, 0, block.guest};
        memory_.code[block.code] = 0xf4;
        std::memcpy(&memory_.code[block.code + 1], &number, 4);
        forget_target(TranslationTables::place_of(block.guest));
        ++counts_.invalidated;
    }
}

// ---- in ---------------------------------------------------------------------------------------------------

void Translator::hand_over(const VirtualMachine& machine) {
    memory_.page->interrupt_flag = machine.cpu.interrupts_enabled() ? 2 : 0;
    memory_.page->monitors_flags = static_cast<u8>(machine.cpu.rflags >> 8 & kMonitorsFlags);
    memory_.page->other_gs = machine.cpu.kernel_gs_base;
    memory_.page->control[0] = machine.cpu.cr0;
    memory_.page->control[2] = machine.cpu.cr2;
    memory_.page->control[3] = machine.cpu.cr3;
    memory_.page->control[4] = machine.cpu.cr4;
}

Translator::Entry Translator::translate(const VirtualMachine& machine, u64 guest, bool once) {
    if (!has_room()) flush();
    const u32 entries = entries_used_, exits = exits_used_;
    BlockWriter writer(*this, guest);
    for (u32 count = 0;; ++count) {
        u8 bytes[kMaxInstructionLength];
        Instruction in;
        Exception fault{};
        if (count == kMaxInstructions || (count != 0 && (writer.guest() ^ guest) / kPageSize != 0) ||
            !fetch_at(machine, writer.guest(), bytes, in, fault)) {
            if (count == 0) {
                entries_used_ = entries;
                exits_used_ = exits;
                return {false, 0, fault};
            }
            writer.leave(Exit::Kind::chain, writer.guest());
            break;
        }
        ++counts_.instructions;
        const Sensitive what = classify(in);
        if (what != Sensitive::none && about(what).remedy != Remedy::harmless) {
            writer.leave(Exit::Kind::emulate, writer.guest()).final = once || !can_be_inlined(what);
            writer.skip(in);
            break;
        }
        const Branch branch = branch_of(in);
        if (branch != Branch::none) {
            const bool looked_up = branch == Branch::indirect_call || branch == Branch::indirect_jump || branch == Branch::near_return;
            if (once && looked_up) {
                writer.leave(Exit::Kind::branch, writer.guest());
                writer.skip(in);
            } else {
                writer.branch(bytes, in, branch);
            }
            break;
        }
        if (!writer.ordinary(bytes, in)) {
            writer.branch(bytes, in, Branch::stop);
            break;
        }
        if (once) {
            writer.leave(Exit::Kind::once, writer.guest());
            break;
        }
    }
    // What leaves a block that is used once must come out.
    if (once)
        for (u32 i = exits; i < exits_used_; ++i) memory_.exits[i].final = true;
    const Block& block = writer.finish(!once);
    const u64 address = address_of(block);
    if (!once) insert(blocks_used_ - 1);
    ++counts_.blocks;
    if (!once && memory_.inline_after == 0) inline_at_once(machine, exits);
    return {true, address, {}};
}

/// The handlers of a block that has just been written; `first`: of its exits.
void Translator::inline_at_once(const VirtualMachine& machine, u32 first) {
    for (u32 i = first, end = exits_used_; i < end; ++i) {
        Exit& exit = memory_.exits[i];
        if (exit.kind == Exit::Kind::emulate && !exit.final && !inline_handler(machine, exit)) exit.final = true;
    }
}

Translator::Entry Translator::enter(const VirtualMachine& machine) {
    // Inlined handlers are ring 0's: they ask for no level.
    if (machine.cpu.cpl != 0) [[unlikely]] return enter_once(machine);
    hand_over(machine);
    const u64 guest = machine.cpu.rip;
    const u64 flushes = counts_.flushes;
    const Block* block = find(guest);
    const Entry entry = block ? Entry{true, address_of(*block), {}} : translate(machine, guest, false);
    if (entry.good && unchained_ != kNoExit && counts_.flushes == flushes && memory_.exits[unchained_].guest == guest) {
        Exit& exit = memory_.exits[unchained_];
        // Its block may be dead meanwhile, and have begun with it: then another exit stands there.
        if (exit_at(exit.code) == &exit) chain(exit, entry.address), ++counts_.chained;
    }
    unchained_ = kNoExit;
    if (entry.good && looked_up_) remember_target(guest, entry.address);
    looked_up_ = false;
    return entry;
}

Translator::Entry Translator::enter_once(const VirtualMachine& machine) {
    hand_over(machine);
    unchained_ = kNoExit;
    looked_up_ = false;
    return translate(machine, machine.cpu.rip, true);
}

void Translator::chain(Exit& exit, u64 target) {
    memory_.code[exit.code] = 0xe9;
    const u32 distance = static_cast<u32>(target - (layout_.code() + exit.code + 5));
    std::memcpy(&memory_.code[exit.code + 1], &distance, 4);
}

/// The next branch like that finds it.
void Translator::remember_target(u64 guest, u64 address) {
    const u64 place = TranslationTables::place_of(guest);
    // Order: no CPU may find a tag with another one's target.
    forget_target(place);
    __atomic_store_n(&memory_.tables->targets[place], address, __ATOMIC_RELEASE);
    __atomic_store_n(&memory_.tables->tags[place], ~guest, __ATOMIC_RELEASE);
}

// ---- out --------------------------------------------------------------------------------------------------

Exit* Translator::exit_at(u64 offset) {
    if (offset >= code_used_ || code_used_ - offset < 5 || memory_.code[offset] != 0xf4) return nullptr;
    u32 number;
    std::memcpy(&number, &memory_.code[offset + 1], 4);
    return number < exits_used_ && memory_.exits[number].code == offset ? &memory_.exits[number] : nullptr;
}

const Block* Translator::block_at(u64 offset) const {
    if (offset >= code_used_) return nullptr;
    u32 low = 0, high = blocks_used_;
    while (low < high) {
        const u32 middle = (low + high) / 2;
        memory_.blocks[middle].code <= offset ? low = middle + 1 : high = middle;
    }
    return low != 0 ? &memory_.blocks[low - 1] : nullptr;
}

Exit* Translator::stop(const VirtualMachine& machine, u64 rip) {
    VirtualCpu& cpu = machine.cpu;
    TranslationPage& page = *memory_.page;
    cpu.rip = rip;
    cpu.shadow = false;
    const u64 offset = rip - layout_.code();
    Exit* const exit = exit_at(offset);
    if (exit) {
        // Where control leaves nothing is half done.
        cpu.rip = exit->guest;
    } else if (const Block* const block = block_at(offset)) {
        const MapEntry* found = &memory_.entries[block->first_entry];
        for (u32 i = 0; i < block->entries; ++i)
            if (memory_.entries[block->first_entry + i].code <= offset) found = &memory_.entries[block->first_entry + i];
        cpu.rip = found->guest;
        const u16 repairs = found->repairs;
        if ((repairs & kSwapped) && is_canonical(cpu.gpr[kRcx])) cpu.gs.base = cpu.gpr[kRcx];
        if (repairs & kCommitFlags) {
            page.interrupt_flag = cpu.gpr[kRax] & 2;
            page.monitors_flags = 0;
        }
        if (repairs & kRestoreRax) cpu.gpr[kRax] = page.slots[0];
        if (repairs & kRestoreRcx) cpu.gpr[kRcx] = page.slots[1];
        if (repairs & kRestoreRdx) cpu.gpr[kRdx] = page.slots[2];
        if (repairs & kRestoreBase) cpu.gpr[found->base] = page.slots[0];
        if (repairs & kUndoPush) cpu.gpr[kRsp] += 8;
        if (repairs & kBranched) cpu.rip = page.slots[4];
        cpu.shadow = repairs & kShadow;
    }
    // Read once: the guest's kernel can write to the page.
    const u64 flag = page.interrupt_flag & 2, others = page.monitors_flags & kMonitorsFlags, other_gs = page.other_gs;
    if (is_canonical(other_gs)) cpu.kernel_gs_base = other_gs;
    cpu.rflags = (cpu.rflags & ~(rflags::kInterrupt | rflags::kIopl | rflags::kNested)) | flag << 8 | others << 8;
    return exit;
}

bool Translator::inline_handler(const VirtualMachine& machine, Exit& exit) {
    u8 bytes[kMaxInstructionLength];
    Instruction in;
    Exception fault{};
    if (!has_room() || !fetch_at(machine, exit.guest, bytes, in, fault)) return false;
    const Sensitive what = classify(in);
    const bool by_byte = what != Sensitive::swapgs && what != Sensitive::mov_from_cr;  // with prefixes it is for the emulator
    if (in.lock || (by_byte && in.length != 1) || (what == Sensitive::swapgs && !memory_.has_base_instructions)) return false;
    if (what == Sensitive::mov_from_cr && (in.reg() > 4 || in.reg() == 1)) return false;
    const u32 entries = entries_used_, exits = exits_used_;
    BlockWriter writer(*this, exit.guest);
    switch (what) {
        case Sensitive::swapgs: writer.inline_swapgs(in); break;
        case Sensitive::mov_from_cr: writer.inline_mov_from_cr(in); break;
        case Sensitive::cli: writer.inline_cli(); break;
        case Sensitive::pushf: writer.inline_pushf(); break;
        case Sensitive::popf: writer.inline_popf(); break;
        case Sensitive::sti: {
            // What is behind it is no part of the exit's block. As long as it ends on the same page both go together.
            const bool movable = fetch_at(machine, exit.guest + 1, bytes, in, fault) && classify(in) == Sensitive::none &&
                                 (exit.guest ^ (exit.guest + in.length)) / kPageSize == 0;
            if (movable && writer.inline_sti(bytes, in)) break;
            entries_used_ = entries;
            exits_used_ = exits;
            return false;
        }
        default: return false;
    }
    chain(exit, address_of(writer.finish(false)));
    ++counts_.inlined;
    return true;
}

Emulated Translator::take_exit(const VirtualMachine& machine, Exit& exit) {
    ++counts_.exits;
    ++exit.count;
    VirtualCpu& cpu = machine.cpu;
    const u64 guest = exit.guest;
    switch (exit.kind) {
        case Exit::Kind::chain:
            if (!exit.final) unchained_ = static_cast<u32>(&exit - memory_.exits.data());
            return {Ending::done, Sensitive::none, {}};
        case Exit::Kind::once: return {Ending::done, Sensitive::none, {}};
        case Exit::Kind::branch: {
            Instruction in;
            Exception fault{};
            if (!fetch(machine, in, fault)) return {Ending::exception, Sensitive::none, fault};
            looked_up_ = !exit.final;
            const Emulated taken = emulate_branch(machine, in);
            if (taken.ending != Ending::done) looked_up_ = false;
            if (taken.ending == Ending::unsupported) break;
            return taken;
        }
        case Exit::Kind::emulate: {
            if (!exit.final && exit.count >= memory_.inline_after && !inline_handler(machine, exit)) exit.final = true;
            const u32 number = static_cast<u32>(&exit - memory_.exits.data());
            Known& known = known_[number % kKnown];
            if (known.exit != number) {
                Exception fault{};
                known.exit = kNoExit;
                if (!fetch(machine, known.in, fault)) return {Ending::exception, Sensitive::none, fault};
                known.what = classify(known.in);
                known.exit = number;
            }
            const Emulated emulated = emulate(machine, known.in, known.what);
            if (emulated.ending == Ending::ordinary) break;
            return emulated;
        }
    }
    // The guest has changed its code, and nobody told us: translate what is there now.
    cpu.rip = guest;
    invalidate(guest);
    return {Ending::done, Sensitive::none, {}};
}

}  // namespace tessera::vmm
