// A virtual CPU without hardware's help: the guest's kernel and its user run in ring 3, each in a context of its own per
// address space, and the machine that they believe in is a copy in software (Popek and Goldberg's trap-and-emulate, with
// translation, or rewriting, for what does not trap).
//
//   guest_run --> #GP   an instruction of the kernel's machine, or what stands in its place: emulated
//             --> #PF   the shadow: bound, or the guest's own, delivered through its IDT
//             --> syscall   to the guest's LSTAR
//             --> others    the guest's own exceptions
//
// Which mode the guest is in is known here and nowhere else. What becomes of its code is not: in the kernel's contexts only a
// translation cache is executable, or its own pages are, rewritten, as long as they are watched (guest_code.hpp).
//
// The FPU's registers are in the CPU while the guest runs. Where its CR0 or CR4 says that they are not to be used they trap, and each trap is
// judged by the guest's registers (libos/vmm/instructions/fpu.hpp).
//
// What differs from a CPU: SMEP, SMAP, FSGSBASE and UMIP are not there; debug registers are kept and never fire; there is no 32-bit
// code; ring 3 of the guest sees the host's CPUID and segment selectors; the upper half of the address space is the host's.
#pragma once

#include "libos/vmm/deprivileged/rewritten_code.hpp"
#include "libos/vmm/deprivileged/translated_code.hpp"
#include "libos/vmm/monitor/exit_counts.hpp"
#include "libos/vmm/monitor/turns.hpp"
#include "libos/vmm/shadow/guest_space.hpp"

namespace tessera::vmm {

/// How the code of a guest's kernel is kept from what ring 3 must not execute.
enum class CodeChoice : u8 {
    translate,  ///< It runs from a translation cache, all of it.
    rewrite,    ///< It runs where it is, with bytes that trap. Returns are trusted (rewrite.hpp). What it cannot do, it notices: then all is translated.
};

/// How often what was done.
struct DeprivilegedCounts {
    u64 emulated[kSensitiveCount]{};  ///< By instruction.
    u64 branches = 0;                 ///< Indirect ones, taken here.
    u64 exceptions = 0, interrupts = 0;  ///< Delivered.
    u64 filled = 0;                   ///< Misses while the guest ran that the kernel filled from the S-TLB, with those of the way back.
};

class DeprivilegedProcessor final : public TurnTaker, private MachineEffects, private FrameWatcher {
  public:
    /// `sites`, `pages`: for the rewriter; `inline_after`: for the translator.
    DeprivilegedProcessor(Machine& machine, DeprivilegedPaging& paging, CodeChoice code, u32 inline_after, std::span<Site> sites,
                          std::span<ScannedPage> pages);

    /// Errors: of GuestCpu::open and TranslatedCode::open.
    Outcome open();
    /// Once the paging is closed.
    Outcome close_code() { return kernel_code_->close(); }
    Outcome close() { return cpu_.close(); }

    Turn run(u64 until) override;
    bool is_halted() const override { return virtual_.halted; }
    void tell_end() override;
    Machine& machine() override { return machine_; }

    /// What it goes on with: at the beginning, or whenever somebody puts the guest somewhere else.
    void start(const VirtualCpu& registers);
    static const CpuModel& model();
    /// Somebody other than the guest is about to write a guest frame.
    void note_write(u64 guest_frame) { shadow_.written(guest_frame); }
    const ExitCounts& exits() const { return exits_; }
    const DeprivilegedCounts& counts() const { return counts_; }
    const KernelCode& kernel_code() const { return *kernel_code_; }
    const ShadowCounts& shadow_counts() const { return shadow_.counts(); }
    u64 bytes_at_rip(u8 (&bytes)[kMaxInstructionLength]);

  private:
    bool is_user() const { return virtual_.cpl == 3; }
    void fail(const char* reason, u64 detail = 0) { machine_.stop({End::failed, reason, detail}); }
    /// What it runs.
    GuestCode& code() { return is_user() ? static_cast<GuestCode&>(user_code_) : *kernel_code_; }

    bool enter();
    void leave();
    void handle(GuestExit exit);
    void on_exception(u8 vector);
    void on_page_fault();
    void on_device_missing();
    void on_replaced(const Emulated& made, Exception raised);
    void on_emulated(const Emulated& made, Exception raised);
    void raise(const Exception& exception);
    void deliver_pending();
    void hand_over(const char* why);
    void load_root();

    // ---- MachineEffects
    u32 port_read(u16 port, u32 size) override;
    void port_write(u16 port, u32 size, u32 value) override;
    CpuidAnswer cpuid(u32 leaf, u32 subleaf) override { return machine_.board().cpuid(0, leaf, subleaf); }
    u64 time_stamp() override;
    bool msr_read(u32 index, u64& value) override;
    bool msr_write(u32 index, u64 value) override;
    void paging_changed(PagingChange) override { load_root(); }
    void page_invalidated(u64 address) override {
        shadow_.invalidate(address);
        kernel_code_->on_invalidation(address);
    }
    // ---- FrameWatcher
    void on_write(u64 guest_frame) override { kernel_code_->on_write(guest_frame, !is_user()); }

    Machine& machine_;
    DeprivilegedPaging& paging_;
    Shadow& shadow_;
    GuestSpace space_;
    UserCode user_code_;
    RewrittenCode rewritten_;
    TranslatedCode translated_;
    KernelCode* kernel_code_;  // one of them
    Onward onward_ = Onward::elsewhere;
    GuestCpu cpu_;
    VirtualCpu virtual_;
    const VirtualMachine parts_{virtual_, space_, *this};
    // The next instruction has an FPU, none behind it: by TF, or seen to without (by the guest, or by translation).
    enum class Alone : u8 { no, stepped, seen_to } alone_ = Alone::no;
    u64 fs_base_ = 0, gs_base_ = 0;  // that the real CPU has
    u32 root_ = 0;
    u64 now_ = 0;
    ExitCounts exits_;
    DeprivilegedCounts counts_;
};

}  // namespace tessera::vmm
