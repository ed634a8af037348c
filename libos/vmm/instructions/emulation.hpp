// The insides of the emulator: one instruction on its way, with the steps that several families share.
//
// Every step answers true, or false with `exception` set; then the instruction is over and has changed nothing. So a
// family first does what may fail and then what may not. `unsupported` is false without an exception.
#pragma once

#include "libos/vmm/instructions/emulate.hpp"

namespace tessera::vmm {

/// Units of a repeated port instruction that are done before interrupts are looked at again.
inline constexpr u32 kPortUnitsAtOnce = 64;

class Emulation {
  public:
    Emulation(const VirtualMachine& machine, const Instruction& instruction) : in(instruction), machine_(machine), cpu_(machine.cpu), next_rip_(machine.cpu.rip + instruction.length) {
        if (!cpu_.is64()) next_rip_ &= 0xffff'ffff;
    }
    /// Of no instruction: a delivery.
    explicit Emulation(const VirtualMachine& machine) : in(kNoInstruction), machine_(machine), cpu_(machine.cpu), next_rip_(machine.cpu.rip) {}

    bool run(Sensitive what);

    /// A near call, jump or return, as `branch_of` tells them apart.
    bool take_branch();

    // ---- delivery.cpp
    /// One way through the IDT. `software`: INT n and the like, which respect the gate's level.
    bool deliver(u8 vector, bool software, const u32* error, u64 return_rip, u64 return_flags);

    const Instruction& in;
    Exception exception{};
    bool supported = true;
    bool again = false;
    u32 external = 0;  ///< 1 while something is delivered that no instruction asked for: bit 0 of error codes.

  private:
    static constexpr Instruction kNoInstruction{};

    // ---- emulation.cpp: operands and memory
    bool raise(u8 vector) { return exception = Exception::plain(vector), false; }
    bool raise(u8 vector, u32 error) { return exception = Exception::with_error(vector, error), false; }
    bool raise_selector(u8 vector, u16 selector) { return raise(vector, (selector & 0xfffcu) | external); }
    bool unsupported() { return supported = false; }
    bool only_kernel() { return cpu_.cpl == 0 || raise(kProtection, 0); }

    /// The instruction is over: on to the next one.
    bool finish() {
        cpu_.rip = next_rip_;
        cpu_.rflags &= ~rflags::kResume;
        return finish_elsewhere();
    }
    /// The same, when rip and flags have been set.
    bool finish_elsewhere() {
        cpu_.shadow = keeps_shadow_;
        return true;
    }

    Access as_code(bool write = false) const { return {write, false, cpu_.cpl == 3}; }
    static constexpr Access as_cpu(bool write = false) { return {write, false, false}; }
    bool read(u64 address, void* to, u64 length, Access access) { return machine_.memory.read(address, to, length, access, exception); }
    bool write(u64 address, const void* from, u64 length, Access access) {
        return machine_.memory.write(address, from, length, access, exception);
    }
    /// A range that is canonical and does not wrap; #GP or, for the stack, #SS.
    bool check_range(u64 address, u64 length, bool stack);
    bool read_system(u64 address, void* to, u64 length);

    u64 gpr(u8 number, u32 size) const;
    void set_gpr(u8 number, u32 size, u64 value);
    /// The memory operand's linear address.
    bool operand_address(u64& address, u64 length);
    u64 effective_address() const;
    u64 add_segment(SegmentName segment, u64 offset) const;
    /// The 16-bit operand of ModRM, or the register with `size`; and the other way: a register gets `size` bytes, memory 16 bits.
    bool read_operand16(u16& value);
    bool write_operand(u64 value, u32 register_size);

    u64 stack_mask() const { return cpu_.is64() ? ~u64{0} : 0xffff'ffff; }
    bool pop(u64 offset, u32 size, u64& value);  ///< Reads at rsp + offset.
    void read_ahead(u64 words);                  ///< That many on the stack, in one piece, for pops of 8 bytes.
    bool push(u32 size, u64 value);              ///< Moves rsp: the last that can fail.
    void set_rsp(u64 rsp) { cpu_.gpr[kRsp] = cpu_.is64() ? rsp : (rsp & 0xffff'ffff); }

    // ---- flags.cpp
    bool on_cli(), on_sti(), on_pushf(), on_popf(), on_alignment(bool set), on_hlt();
    u64 flags_that_change(u32 size) const;
    // ---- ports.cpp
    bool on_port(bool input), on_port_string(bool input), check_port(u16 port, u32 size);
    bool port_unit(bool input, u16 port, u32 size);
    // ---- registers.cpp
    bool on_mov_cr(bool write), on_mov_dr(bool write), on_clts(), on_lmsw(), on_smsw(), on_xcr(bool write);
    bool set_cr0(u64 value), set_cr3(u64 value), set_cr4(u64 value), set_efer(u64 value);
    bool on_cpuid(), on_msr(bool write), on_time(bool with_processor), on_base(bool write), on_swapgs(), on_invlpg();
    bool read_msr(u32 index, u64& value), write_msr(u32 index, u64 value);
    u64* plain_msr(u32 index);
    // ---- tables.cpp
    bool on_store_table(const TableRegister& table), on_load_table(TableRegister& table), on_store_selector(u16 selector);
    bool on_lldt(), on_ltr(), on_inspect(Sensitive what);
    // ---- segments.cpp
    struct Descriptor {
        u64 low;      ///< As it stands in the table.
        u64 address;  ///< Linear.
        Segment segment;
    };
    bool on_mov_from_segment(), on_mov_to_segment(), on_push_segment(), on_pop_segment(), on_load_far_pointer();
    bool read_descriptor(u16 selector, Descriptor& out);
    bool read_system_base(Descriptor& descriptor);
    bool mark(const Descriptor& descriptor, u8 bit);
    bool check_data_segment(SegmentName name, u16 selector, Descriptor& out);
    bool load_data_segment(SegmentName name, u16 selector);
    // ---- transfer.cpp
    bool on_syscall(), on_sysret(), on_return(bool interrupt), on_far_transfer(bool call), on_interrupt(u8 vector, bool software);
    bool check_code_return(u16 selector, Descriptor& out), check_stack_return(u16 selector, u32 cpl, bool to64, Segment& out);
    bool check_target(const Segment& code, u64 rip);
    void forget_inner_segments();
    // ---- delivery.cpp
    bool read_gate(u8 vector, bool software, u64 (&gate)[2]);
    bool read_stack_pointer(u32 offset, u64& rsp);

    const VirtualMachine& machine_;
    VirtualCpu& cpu_;
    u64 next_rip_;
    u64 ahead_[5], ahead_count_ = 0;
    bool keeps_shadow_ = false;  ///< The instruction starts a shadow, rather than ending one.
};

}  // namespace tessera::vmm
