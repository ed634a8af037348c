// Runs a guest kernel's code in this very process, which is in ring 3 as a deprivileged guest is: what would be an exit to the
// monitor is a signal here.
//
// The reference steps through the original one instruction at a time and emulates the sensitive ones: slow (a signal costs some
// hosts a millisecond), and obviously right. The rewritten way runs the original with trapping bytes in it, the translated
// one from the cache, with the signal handler as the monitor. The last can step too, to ask for the guest's state behind
// every single instruction of the cache.
#pragma once

#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "libos/vmm/instructions/rewrite.hpp"
#include "libos/vmm/instructions/translate.hpp"

namespace tessera::vmm::test {

/// Where the guest lives. All of it is mapped once, at these addresses.
struct NativeLayout {
    static constexpr u64 kCode = 0x1000'0000, kCodeSize = 0x4000, kData = 0x1100'0000, kDataSize = 0x2000, kStack = 0x1200'0000, kStackSize = 0x2000;
    static constexpr u64 kHole = 0x1300'0000, kHoleSize = 0x1'0000;  ///< Where nothing is.
    static constexpr u64 kNear = 0x1400'0000, kFar = 0x5000'0000'0000, kCacheSize = 0x8'0000;
    static constexpr u64 kEnd = kCode + kCodeSize - 16;  ///< Getting there is the end.
};

inline u8* at(u64 address) { return reinterpret_cast<u8*>(address); }

inline void map(u64 address, u64 size, int protection) {
    void* got = mmap(at(address), size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != at(address)) std::abort();
}

/// The guest's memory as it is in this process.
class NativeMemory final : public GuestAddressSpace {
  public:
    static bool mapped(u64 address, u64 length) {
        const auto inside = [=](u64 begin, u64 size) { return address >= begin && address + length <= begin + size && address + length > address; };
        return inside(NativeLayout::kCode, NativeLayout::kCodeSize) || inside(NativeLayout::kData, NativeLayout::kDataSize) ||
               inside(NativeLayout::kStack, NativeLayout::kStackSize);
    }
    bool check(u64 address, u64 length, Access access, Exception& fault) override {
        if (mapped(address, length)) return true;
        fault = Exception::page_fault(address, access.write ? 2 : 0);
        return false;
    }
    bool read(u64 address, void* to, u64 length, Access access, Exception& fault) override {
        if (!check(address, length, access, fault)) return false;
        std::memcpy(to, at(address), length);
        return true;
    }
    bool write(u64 address, const void* from, u64 length, Access access, Exception& fault) override {
        access.write = true;
        if (!check(address, length, access, fault)) return false;
        std::memcpy(at(address), from, length);
        return true;
    }
};

/// The guest's code as it is in this process.
class NativeCode final : public CodeMemory {
  public:
    bool read(u64 address, u8* to, u64 length) override {
        if (!NativeMemory::mapped(address, length)) return false;
        std::memcpy(to, at(address), length);
        return true;
    }
    u64 identity(u64 address) override { return address; }
    void patch(u64 address, u8 byte) override { *at(address) = byte; }
};

class NativeEffects final : public MachineEffects {
  public:
    u32 port_read(u16 port, u32) override { return port; }
    void port_write(u16, u32, u32) override {}
    CpuidAnswer cpuid(u32 leaf, u32 subleaf) override { return {leaf + 1, subleaf + 2, leaf * 3, 7}; }
    u64 time_stamp() override { return 0; }
    bool msr_read(u32, u64&) override { return false; }
    bool msr_write(u32, u64) override { return false; }
    void paging_changed(PagingChange) override {}
    void page_invalidated(u64) override {}
};

/// What can be compared of a guest: at the boundary of an instruction.
struct GuestPoint {
    std::array<u64, 16> gpr;
    u64 rip, rflags, gs, other_gs;
    bool operator==(const GuestPoint&) const = default;
};

/// Does this host let ring 3 have RDGSBASE and WRGSBASE? Nothing in this program uses GS.
inline bool has_base_instructions() {
    constexpr unsigned long kFsGsBase = 2;  // of HWCAP2
    return getauxval(AT_HWCAP2) & kFsGsBase;
}

struct Outcome {
    GuestPoint point;
    int signal;  ///< 0: it got to the end.
    u64 steps;
    bool operator==(const Outcome& other) const { return point == other.point && signal == other.signal; }
};

class NativeRunner {
  public:
    NativeRunner() : machine{cpu, memory, effects} {}
    VirtualCpu cpu;
    NativeMemory memory;
    NativeEffects effects;
    VirtualMachine machine;

    static constexpr u64 kMaxSteps = 30'000;
    u64 max_steps = kMaxSteps;  ///< Signals; then it ends with SIGALRM.

    /// Called at every instruction's boundary of the reference, and, stepping, with the guest's state behind every
    /// instruction of the cache.
    std::function<void(const GuestPoint&)> watch;

    Outcome run_reference() {
        mode_ = Mode::reference;
        return run();
    }
    Outcome run_rewritten(Rewriter& rewriter) {
        mode_ = Mode::rewritten;
        rewriter_ = &rewriter;
        NativeCode code;
        // The end is a site of its own.
        *at(NativeLayout::kEnd) = kTrappingByte;
        const Outcome outcome = rewriter.scan(code, cpu.rip).complete ? run() : Outcome{};
        for (u64 page = 0; page < NativeLayout::kCodeSize; page += kPageSize) rewriter.forget(code, NativeLayout::kCode + page);
        *at(NativeLayout::kEnd) = 0xcc;
        return outcome;
    }
    Outcome run_translated(Translator& translator, TranslationPage& page, bool stepping) {
        mode_ = stepping ? Mode::stepping : Mode::translated;
        translator_ = &translator;
        page_ = &page;
        return run();
    }

  private:
    enum class Mode { reference, rewritten, translated, stepping };
    static constexpr int kRegisters[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                           REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    static inline NativeRunner* running_ = nullptr;

    GuestPoint point() const {
        GuestPoint out;
        std::memcpy(out.gpr.data(), cpu.gpr, sizeof cpu.gpr);
        out.rip = cpu.rip;
        out.rflags = cpu.rflags;
        out.gs = cpu.gs.base;
        out.other_gs = cpu.kernel_gs_base;
        return out;
    }

    void take_registers(const ucontext_t& context) {
        for (u32 i = 0; i < 16; ++i) cpu.gpr[i] = static_cast<u64>(context.uc_mcontext.gregs[kRegisters[i]]);
        cpu.rip = static_cast<u64>(context.uc_mcontext.gregs[REG_RIP]);
        cpu.rflags = virtual_flags(cpu, static_cast<u64>(context.uc_mcontext.gregs[REG_EFL]) & ~rflags::kTrap);
        if (in_cache() && has_base_instructions()) asm volatile("rdgsbase %0" : "=r"(cpu.gs.base));
    }
    bool in_cache() const { return mode_ == Mode::translated || mode_ == Mode::stepping; }
    void give_registers(ucontext_t& context, u64 rip, bool step) const {
        for (u32 i = 0; i < 16; ++i) context.uc_mcontext.gregs[kRegisters[i]] = static_cast<greg_t>(cpu.gpr[i]);
        context.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(rip);
        context.uc_mcontext.gregs[REG_EFL] = static_cast<greg_t>(real_flags(cpu) | (step ? rflags::kTrap : 0));
        // Safety: a canonical address, which nobody uses.
        if (in_cache() && has_base_instructions()) asm volatile("wrgsbase %0" ::"r"(cpu.gs.base));
    }

    Outcome run() {
        static std::array<u8, 1 << 18> stack;
        stack_t alternative{}, before{};
        alternative.ss_sp = stack.data();
        alternative.ss_size = stack.size();
        sigaltstack(&alternative, &before);
        struct sigaction action {}, old[5];
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        for (u32 i = 0; i < 5; ++i) sigaction(kSignals[i], &action, &old[i]);
        running_ = this;
        started_ = finished_ = false;
        steps_ = 0;
        // Safety: the handler puts the guest's registers in the place of ours, and ours back at the end. Of SSE registers the
        // guest uses one.
        asm volatile("leaq -128(%%rsp), %%rsp\n int3\n leaq 128(%%rsp), %%rsp" ::: "memory", "cc", "xmm7");
        for (u32 i = 0; i < 5; ++i) sigaction(kSignals[i], &old[i], nullptr);
        sigaltstack(&before, nullptr);
        return outcome_;
    }

    static constexpr int kSignals[5] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};

    static void on_signal(int signal, siginfo_t*, void* context) { running_->handle(signal, *static_cast<ucontext_t*>(context)); }

    void handle(int signal, ucontext_t& context) {
        if (!started_) {
            started_ = true;
            std::memcpy(home_, context.uc_mcontext.gregs, sizeof home_);
            go_on(context);
        } else if (mode_ == Mode::reference) {
            take_registers(context);
            if (signal == SIGTRAP)
                go_on(context);
            else
                finish(context, signal);
        } else if (mode_ == Mode::rewritten) {
            take_registers(context);
            on_site(context, signal);
        } else {
            on_cache_signal(signal, context);
        }
    }

    void finish(ucontext_t& context, int signal) {
        outcome_ = {point(), signal, steps_};
        if (in_cache() && has_base_instructions()) asm volatile("wrgsbase %0" ::"r"(u64{0}));
        std::memcpy(context.uc_mcontext.gregs, home_, sizeof home_);
    }

    /// At a boundary of the guest's: on to the next instruction, the monitor's way or the reference's.
    void go_on(ucontext_t& context) {
        for (;;) {
            if (mode_ == Mode::reference && watch) watch(point());
            if (cpu.rip == NativeLayout::kEnd || ++steps_ > max_steps) return finish(context, steps_ > max_steps ? SIGALRM : 0);
            if (mode_ == Mode::rewritten) return give_registers(context, cpu.rip, false);
            if (mode_ != Mode::reference) return enter(context);
            Instruction in;
            Exception fault{};
            if (!fetch(machine, in, fault)) return finish(context, fault.vector == kInvalidOpcode ? SIGILL : SIGSEGV);
            const Sensitive what = classify(in);
            if (what == Sensitive::none) return give_registers(context, cpu.rip, true);
            if (emulate(machine, in).ending != Ending::done) return finish(context, SIGSEGV);
        }
    }

    void enter(ucontext_t& context) {
        const Translator::Entry entry = cpu.shadow ? translator_->enter_once(machine) : translator_->enter(machine);
        if (!entry.good) return finish(context, entry.fault.vector == kInvalidOpcode ? SIGILL : SIGSEGV);
        give_registers(context, entry.address, mode_ == Mode::stepping);
    }

    void on_site(ucontext_t& context, int signal) {
        if (signal != SIGSEGV || cpu.rip == NativeLayout::kEnd) return cpu.rip == NativeLayout::kEnd ? finish(context, 0) : finish(context, signal);
        NativeCode code;
        const RewrittenTrap trap = emulate_site(*rewriter_, code, machine);
        if (trap.was_site && trap.complete && trap.emulated.ending == Ending::done) return go_on(context);
        // What traps by itself, as the guest wrote it.
        if (!trap.was_site && emulate(machine).ending == Ending::done) return go_on(context);
        finish(context, signal);
    }

    void on_cache_signal(int signal, ucontext_t& context) {
        const u64 rip = static_cast<u64>(context.uc_mcontext.gregs[REG_RIP]);
        if (signal == SIGTRAP) return on_step(context, rip);
        take_registers(context);
        if (!translator_->contains(rip)) return finish(context, signal);
        Exit* exit = translator_->stop(machine, rip);
        if (!exit || signal != SIGSEGV) return finish(context, signal);
        const Emulated emulated = translator_->take_exit(machine, *exit);
        if (emulated.ending == Ending::done) return go_on(context);
        finish(context, emulated.ending == Ending::exception && emulated.exception.vector == kInvalidOpcode ? SIGILL : SIGSEGV);
    }

    /// Behind one instruction of the cache: what would the monitor see here? Then on, as if nothing had been.
    void on_step(ucontext_t& context, u64 rip) {
        if (++steps_ > max_steps) {
            take_registers(context);
            return finish(context, SIGALRM);
        }
        const u8 flag = page_->interrupt_flag, others = page_->monitors_flags;
        const VirtualCpu before = cpu;
        take_registers(context);
        translator_->stop(machine, rip);
        if (watch) watch(point());
        cpu = before;
        page_->interrupt_flag = flag;
        page_->monitors_flags = others;
        // PUSHFQ would show the flag that we step by, and POPFQ lose it: these two are done here.
        auto& gregs = context.uc_mcontext.gregs;
        u64& rsp = reinterpret_cast<u64&>(gregs[REG_RSP]);
        constexpr u64 kLevel3 = kRealFlags & ~(rflags::kTrap | rflags::kVm);
        if (*at(rip) == 0x9c && NativeMemory::mapped(rsp - 8, 8)) {
            rsp -= 8;
            const u64 flags = static_cast<u64>(gregs[REG_EFL]) & ~(rflags::kTrap | rflags::kResume);
            std::memcpy(at(rsp), &flags, 8);
            gregs[REG_RIP] += 1;
            on_step(context, rip + 1);
        } else if (*at(rip) == 0x9d && NativeMemory::mapped(rsp, 8)) {
            u64 flags;
            std::memcpy(&flags, at(rsp), 8);
            rsp += 8;
            gregs[REG_EFL] = static_cast<greg_t>((static_cast<u64>(gregs[REG_EFL]) & ~kLevel3) | (flags & kLevel3));
            gregs[REG_RIP] += 1;
            on_step(context, rip + 1);
        }
    }

    Mode mode_ = Mode::reference;
    Rewriter* rewriter_ = nullptr;
    Translator* translator_ = nullptr;
    TranslationPage* page_ = nullptr;
    bool started_ = false, finished_ = false;
    u64 steps_ = 0;
    Outcome outcome_{};
    gregset_t home_;
};

}  // namespace tessera::vmm::test
