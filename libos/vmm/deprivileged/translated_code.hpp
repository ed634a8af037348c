// The translation cache of a guest in ring 3: its memory, where it stands in the guest's address space, and the way in and out of it.
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

#include "libos/vmm/deprivileged/guest_code.hpp"
#include "libos/vmm/deprivileged/paging.hpp"
#include "libos/vmm/instructions/translate.hpp"
#include "libos/vmm/monitor/machine.hpp"
#include "libos/vmm/shadow/guest_space.hpp"

namespace tessera::vmm {

class TranslatedCode final : public KernelCode, private GuestAddressSpace {
  public:
    /// `inline_after`: see TranslationMemory.
    TranslatedCode(Machine& machine, DeprivilegedPaging& paging, GuestSpace& space, u32 inline_after)
        : machine_(machine),
          contexts_(paging.contexts()),
          shadow_(paging.shadow()),
          space_(space),
          pages_(paging.code_pages()),
          inline_after_(inline_after) {}

    /// Errors: of frame_alloc.
    Outcome open() override;
    /// Errors: of frame_release.
    Outcome close() override { return window_.close(); }

    std::optional<Exception> enter(const VirtualMachine& machine, GuestState& state, Onward onward) override;
    void leave(const VirtualMachine& machine, const GuestState& state) override;
    std::optional<Emulated> take(const VirtualMachine& machine) override;
    std::optional<Emulated> take_step(const VirtualMachine& machine) override;
    bool on_missing(u64 place, u64 address, const Access& access, u64 rip) override;
    bool run_alone() override { return alone_ = changed_ = true; }
    /// What is the kernel's is never executable. If the cache stands there, it makes way.
    ShadowMapping limit(ShadowMapping mapping, const Access& access, u64 rip) override;
    void on_write(u64 guest_frame, bool by_kernel) override;
    // Perhaps the guest has memory where the cache stands.
    void on_new_root() override {
        if (memory_of_.layout.base != 0 && !is_free(memory_of_.layout.base)) move();
    }
    void on_invalidation(u64 address) override {
        if (stands_at(PageNumber{address >> kPageShift}, 1)) on_new_root();
    }
    void report(std::string_view what) const override;

  private:
    static constexpr u64 kCodePages = 64;
    static constexpr u64 kFixedPages = (sizeof(TranslationPage) + sizeof(TranslationTables)) >> kPageShift;

    // ---- GuestAddressSpace: the guest's, but what code is taken from is known and watched
    bool read(u64 address, void* to, u64 length, Access access, Exception& fault) override;
    bool write(u64 address, const void* from, u64 length, Access access, Exception& fault) override {
        return space_.write(address, from, length, access, fault);
    }
    bool check(u64 address, u64 length, Access access, Exception& fault) override { return space_.check(address, length, access, fault); }

    bool has_stepped(const VirtualCpu& cpu) const {
        const bool over = exit_ != nullptr && (exit_->kind == Exit::Kind::once || exit_->kind == Exit::Kind::chain);
        return (cpu.rflags & rflags::kTrap) && (over || cpu.rip != entered_);
    }
    std::optional<u64> code_frame(u64 address, Exception& fault);
    VirtualMachine with_code(const VirtualMachine& machine) { return {machine.cpu, *this, machine.effects}; }
    void settle();
    void throw_away();
    bool is_free(u64 base);
    bool find_place();
    void move();
    u64 pages() const { return kFixedPages + (memory_of_.code.size() >> kPageShift); }
    /// In one of these pages?
    bool stands_at(PageNumber first, u64 count) const {
        const u64 base = memory_of_.layout.base, own = base >> kPageShift;
        return base != 0 && first.value < own + pages() && own < first.value + count;
    }
    void fail(const char* why, u64 detail = 0) { machine_.stop({End::failed, why, detail}); }

    Machine& machine_;
    ShadowContexts& contexts_;
    Shadow& shadow_;
    GuestSpace& space_;
    CodePages& pages_;
    const u32 inline_after_;
    RunWindow window_;
    TranslationMemory memory_of_{};
    std::optional<Translator> translator_;
    Exit* exit_ = nullptr;
    u64 entered_ = 0;         // the guest's rip, then
    bool attention_ = false;
    bool worthless_ = false;  // translations were made from what is not there: throw all away
    bool alone_ = false;      // the next instruction runs alone, unwatched
    bool changed_ = true;     // behind this the guest may only go on through `enter`
    u64 moves_ = 0, alone_count_ = 0;  // to other addresses; instructions that write to their own pages
};

}  // namespace tessera::vmm
