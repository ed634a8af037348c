// One guest of the kernel's: a virtual CPU. Its state page, its control block, and what an exit needs done to them.
//
// What a monitor may put into the state page is a proposal; the kernel checks it (exokernel/abi/guest.hpp). So nothing here
// protects anybody: it only makes the guest's CPU do what the guest expects of one.
#pragma once

#include <optional>
#include <span>

#include "exokernel/abi/control_block.hpp"
#include "libos/core/call.hpp"
#include "libos/vmm/instructions/virtual_cpu.hpp"
#include "libos/vmm/monitor/guest_walk.hpp"

namespace tessera::vmm {

namespace vector {
inline constexpr u64 kDebug = 1, kBreakpoint = 3, kOverflow = 4, kInvalidOpcode = 6, kDoubleFault = 8, kProtection = 13, kPageFault = 14;
}

/// Which bit of GuestState::intercept_instructions asks for an exit.
constexpr u64 intercept(GuestExit exit) { return u64{1} << (static_cast<u64>(exit) - static_cast<u64>(GuestExit::interrupted)); }

class GuestCpu {
  public:
    constexpr GuestCpu() = default;
    GuestCpu(const GuestCpu&) = delete;
    GuestCpu& operator=(const GuestCpu&) = delete;

    /// Make it. The state page and the control block are bound guaranteed.  Errors: of frame_alloc, guest_create, bind.
    Outcome open(GuestForm form);
    /// Errors: of guest_destroy.
    Outcome close();
    /// Load place `place` with a context that it may run in.  Errors: of guest_load.
    Outcome load(u64 place, VirtAddr context);

    /// Go on until the next exit.  Errors: of guest_run.  Hot.
    Result<GuestExit> run(u64 place) {
        const auto exit = libos::call<GuestRun>({number_, place});
        if (!exit.ok()) [[unlikely]]
            return exit.failure();
        return static_cast<GuestExit>(exit.value());
    }

    GuestState& state() { return *state_; }
    const GuestState& state() const { return *state_; }
    const ControlBlock& block() const { return *block_; }

    // ---- Proposals ----
    void propose(GuestPart part) { state_->changed |= static_cast<u64>(part); }
    /// Take over from the control block what the guest has changed by itself, so that a proposal of `control` changes only
    /// what the monitor means to.
    void refresh_control();

    // ---- Interrupts and exceptions ----
    /// Would the guest take an interrupt just now?  Hot.
    bool is_open() const {
        return (state_->rflags & rflags::kInterrupt) && state_->event == 0 && !(state_->wishes & static_cast<u64>(GuestWish::shadow));
    }
    void interrupt(u64 vector) { state_->event = GuestEvent::make(GuestEvent::interrupt, vector); }
    void raise(u64 vector) { state_->event = GuestEvent::make(GuestEvent::exception, vector); }
    void raise(u64 vector, u32 error) { state_->event = GuestEvent::make(vector, error); }
    /// Exit as soon as it would take one, or no longer.  Hot.
    void want_window(bool wanted) {
        constexpr u64 kWindow = static_cast<u64>(GuestWish::window);
        state_->wishes = wanted ? state_->wishes | kWindow : state_->wishes & ~kWindow;
    }
    /// What is left of an event whose delivery was cut short. `int n` and its like are made again, not delivered again:
    /// the guest still stands on the instruction.  Hot.
    void keep_event() {
        if (state_->event != 0) [[unlikely]]
            keep_unless_made_again();
    }

    // ---- Instructions ----
    /// Put the guest behind the instruction that exited, at `next`.
    void skip_to(u64 next) {
        state_->rip = next;
        state_->wishes &= ~static_cast<u64>(GuestWish::shadow);
        state_->rflags &= ~rflags::kResume;
    }
    /// The same behind an instruction that is `bytes`, if it is: where the CPU does not say how long it was, the bytes are
    /// looked at, once for each place: a guest that then puts a longer form there goes on in the middle of it. False:
    /// something else stands there, a prefixed form for example.  Hot.
    template <u8... bytes>
    bool skip(GuestMemory& memory) {
        static constexpr u8 kBytes[] = {bytes...};
        const Known& known = known_[state_->rip % kKnown];
        if (known.rip != state_->rip || known.cr3 != block_->cr3 || known.length != sizeof...(bytes)) [[unlikely]]
            return look_and_skip(memory, kBytes);
        skip_to(known.next);
        return true;
    }
    /// MOV between a general register and a control or debug register, as it stands in 64-bit mode: 0F `opcode` /r, behind a REX
    /// prefix at most. Which registers the exit does not say on every CPU. Nothing: something else stands there.
    struct SpecialMove {
        u64 general, special, length;
    };
    std::optional<SpecialMove> special_move(GuestMemory& memory, u8 opcode) const;
    /// Up to 15 bytes from the guest's rip on. How many could be read.
    u64 fetch(GuestMemory& memory, std::span<u8, 15> bytes) const;

    // ---- What mode the guest is in ----
    bool in_long_mode() const { return (block_->efer & efer::kLongActive) && (block_->cs.attributes & attribute::kLong); }
    /// The control registers as the guest knows them.
    PagingRegisters paging() const {
        constexpr u64 kSvmEnabled = 1 << 12;
        if (has_own_) return own_;
        return {block_->cr0, block_->cr3, block_->cr4, block_->efer & ~kSvmEnabled};
    }
    /// They are not those of the CPU, as with shadow paging, but these.
    void set_paging(const PagingRegisters& registers) {
        own_ = registers;
        has_own_ = true;
    }
    u64 linear_rip() const { return in_long_mode() ? state_->rip : (block_->cs.base + state_->rip) & 0xffff'ffff; }
    u64 number() const { return number_; }

  private:
    void keep_unless_made_again();
    bool look_and_skip(GuestMemory& memory, std::span<const u8> bytes);

    /// An instruction that was looked at.
    struct Known {
        u64 rip = 0, cr3 = 0, length = 0, next = 0;
    };
    static constexpr u64 kKnown = 64;  ///< By where they stand.

    GuestState* state_ = nullptr;
    const ControlBlock* block_ = nullptr;
    u64 number_ = 0;
    GuestGrant grant_;
    Capability frames_;
    Known known_[kKnown];
    PagingRegisters own_{};
    bool has_own_ = false;
};

}  // namespace tessera::vmm
