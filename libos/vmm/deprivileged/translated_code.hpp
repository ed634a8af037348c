// The translation cache of a guest in ring 3: its memory, where it stands in the guest's address space, and the way in and out of it.
//
//   enter   virtual CPU --> real registers, rip in the cache          leave   the real CPU stopped --> virtual CPU, exactly
//
// In the contexts of the guest's kernel nothing of the guest's own may be executed, only the cache. So wherever the kernel goes, by
// whatever return address, it comes through here. Pages that code was taken from are watched: a write to one throws its translations
// away. The instruction that wrote then runs alone, from a translation that nobody watches: else code beside
// its own data would never get on.
//
// The cache's pages are the monitor's frames, bound in the kernel's contexts where the guest's tables have no memory: the registers' page
// writable, the tables readable, the code executable. A guest that looks there sees its own code, translated; what it writes into the
// first page misleads only itself. Where the guest begins to use those addresses, the cache moves.
#pragma once

#include "libos/vmm/deprivileged/code_pages.hpp"
#include "libos/vmm/instructions/translate.hpp"
#include "libos/vmm/monitor/shadow_contexts.hpp"
#include "libos/vmm/shadow/guest_space.hpp"

namespace tessera::vmm {

class TranslatedCode final : private GuestAddressSpace {
  public:
    TranslatedCode(Memory& memory, ShadowContexts& contexts, Shadow& shadow, GuestSpace& space, CodePages& pages)
        : memory_(memory), contexts_(contexts), shadow_(shadow), space_(space), pages_(pages) {}

    /// `inline_after`: see TranslationMemory.  Errors: of frame_alloc.
    Outcome open(u32 inline_after);
    /// The contexts must be gone.  Errors: of frame_release.
    Outcome close();

    struct Entered {
        bool good;
        Exception fault;  ///< Else: the guest's own, of fetching.
    };
    /// The guest's kernel goes on at cpu.rip, in 64-bit mode. `waiting`: there is an interrupt for it.
    Entered enter(const VirtualMachine& machine, GuestState& state, bool waiting);
    /// It goes on where the real CPU stopped, as if nothing had been: for exits that were no business of the guest's.
    /// False: its translation is not what it was, `enter` again.
    bool go_on(const VirtualMachine& machine, bool waiting);
    /// The real CPU stopped, in the guest's kernel. `machine.cpu` becomes the guest's state.
    void leave(const VirtualMachine& machine, const GuestState& state);

    /// Behind leave(): did it stop because translated code asks for the monitor? Then `take` does what it is asked.
    bool wants_monitor() const { return exit_ != nullptr; }
    Emulated take(const VirtualMachine& machine);
    /// Behind leave(): is the one instruction over that TF allows? Then its trap comes before any interrupt.
    bool has_stepped(const VirtualCpu& cpu) const {
        const bool over = exit_ != nullptr && (exit_->kind == Exit::Kind::once || exit_->kind == Exit::Kind::chain);
        return (cpu.rflags & rflags::kTrap) && (over || cpu.rip != entered_);
    }

    /// The guest's kernel missed a page at `address`. True: it was the cache's, and is bound.
    bool bind(u64 place, u64 address, const Access& access, u64 rip);
    /// The guest has memory at `count` pages from `first` on: if the cache stands there, it goes elsewhere.
    void make_way(PageNumber first, u64 count);
    /// The guest says that its tables have changed, at `address` or everywhere: perhaps it has memory where the cache stands.
    void on_invalidation(u64 address) {
        if (address - memory_of_.layout.base < pages() << kPageShift) on_new_root();
    }
    void on_new_root() {
        if (memory_of_.layout.base != 0 && !is_free(memory_of_.layout.base)) move();
    }
    /// What becomes of that.
    static Emulated step(const VirtualMachine& machine);

    /// A watched frame is about to be written, `by_kernel`: by the instruction that the guest's kernel stands on.
    void on_write(u64 guest_frame, bool by_kernel);

    /// The next instruction of the guest's kernel runs alone, and comes back.
    void run_alone() { alone_ = changed_ = true; }

    /// Why the guest cannot go on, or nullptr.
    const char* problem() const { return problem_; }
    const Translator::Counts& counts() const { return translator_->counts(); }
    u64 moves() const { return moves_; }    ///< Of the cache, to other addresses.
    u64 alone() const { return alone_count_; }  ///< Instructions that ran alone, as they write to their own pages.

  private:
    static constexpr u64 kCodePages = 64;
    static constexpr u64 kFixedPages = (sizeof(TranslationPage) + sizeof(TranslationTables)) >> kPageShift;

    // ---- GuestAddressSpace: the guest's, but what code is taken from is known and watched
    bool read(u64 address, void* to, u64 length, Access access, Exception& fault) override;
    bool write(u64 address, const void* from, u64 length, Access access, Exception& fault) override {
        return space_.write(address, from, length, access, fault);
    }
    bool check(u64 address, u64 length, Access access, Exception& fault) override { return space_.check(address, length, access, fault); }

    std::optional<u64> code_frame(u64 address, Exception& fault);
    VirtualMachine with_code(const VirtualMachine& machine) { return {machine.cpu, *this, machine.effects}; }
    void settle();
    void throw_away();
    void set_attention(bool wanted);
    bool is_free(u64 base);
    bool find_place();
    void move();
    u64 pages() const { return kFixedPages + (memory_of_.code.size() >> kPageShift); }
    void fail(const char* why) {
        if (problem_ == nullptr) problem_ = why;
    }

    Memory& memory_;
    ShadowContexts& contexts_;
    Shadow& shadow_;
    GuestSpace& space_;
    CodePages& pages_;
    RunWindow window_;
    TranslationMemory memory_of_{};
    std::optional<Translator> translator_;
    Exit* exit_ = nullptr;
    const char* problem_ = nullptr;
    u64 entered_ = 0;         // the guest's rip, then
    bool attention_ = false;
    bool worthless_ = false;  // translations were made from what is not there: throw all away
    bool alone_ = false;      // the next instruction runs alone, unwatched
    bool changed_ = true;     // behind this the guest may only go on through `enter`
    u64 moves_ = 0, alone_count_ = 0;
};

}  // namespace tessera::vmm
