// The table, and the way from an instruction to its entry.
#include "libos/vmm/instructions/sensitive.hpp"

#include <array>

namespace tessera::vmm {

namespace {

using enum AtCpl3;
using S = Sensitive;

constexpr auto kNothing = Needs::nothing;
constexpr auto kTrap = Remedy::trap, kReplace = Remedy::replace, kHide = Remedy::hide, kHarmless = Remedy::harmless;

// A far transfer that stays in its segment: the pointer is made on the stack.
constexpr const char* kFarJump = "8c c8 48 c1 e0 20 48 8d 0d 07 00 00 00 48 09 c8 50 | ff 2c 24 58";
// 64 bits: with 32 QEMU's TCG pushes as if the stack were one of 16 bits.
constexpr const char* kFarCall = "8c c8 50 48 8d 0d 05 00 00 00 51 | 48 ff 1c 24 48 83 c4 20";
constexpr const char* kIret = "8c d0 48 89 e1 50 51 9c 8c c8 50 48 8d 05 03 00 00 00 50 | 48 cf";

constexpr SensitiveInstruction kTable[] = {
    {S::cli, "cli", "| fa", gp, kNothing, kTrap, "changes IF: the virtual one is the monitor's"},
    {S::sti, "sti", "| fb", gp, kNothing, kTrap, "changes IF, and holds interrupts off for one instruction more"},
    {S::pushf, "pushf", "| 9c 58", silent, kNothing, kReplace, "shows the real IF and IOPL: a kernel that saves and restores IF would always find it set"},
    {S::popf, "popf", "6a 02 | 9d", silent, kNothing, kReplace, "leaves IF and IOPL as they are without a word: critical sections would neither begin nor end"},
    {S::clac, "clac", "| 0f 01 ca", ud, kNothing, kTrap, "changes AC, which SMAP asks; outside of ring 0 there is none"},
    {S::stac, "stac", "| 0f 01 cb", ud, kNothing, kTrap, "as clac"},
    {S::hlt, "hlt", "| f4", gp, kNothing, kTrap, "the virtual CPU waits, the machine does not"},
    {S::monitor, "monitor", "48 89 f0 31 c9 31 d2 | 0f 01 c8", ud, kNothing, kHide, "the guest's CPUID says that there is none"},
    {S::mwait, "mwait", "31 c0 31 c9 | 0f 01 c9", ud, kNothing, kHide, "the guest's CPUID says that there is none"},

    {S::in, "in", "66 ba f8 03 | ec", gp, kNothing, kTrap, "the ports are device models; the guest's own I/O bitmap is asked first"},
    {S::out, "out", "66 ba f8 03 | ee", gp, kNothing, kTrap, "as in"},
    {S::ins, "ins", "66 ba f8 03 48 89 f7 | 6c", gp, kNothing, kTrap, "as in; with rep, some units at a time"},
    {S::outs, "outs", "66 ba f8 03 | 6e", gp, kNothing, kTrap, "as ins"},

    {S::mov_from_cr, "mov r, cr", "| 0f 20 c0", gp, kNothing, kTrap, "shows how the machine is set up"},
    {S::mov_to_cr, "mov cr, r", "| 0f 22 d8", gp, kNothing, kTrap, "changes address spaces and modes: the monitor's shadow of them follows"},
    {S::clts, "clts", "| 0f 06", gp, kNothing, kTrap, "changes CR0.TS"},
    {S::lmsw, "lmsw", "| 0f 01 f0", gp, kNothing, kTrap, "changes the low bits of CR0"},
    {S::smsw, "smsw", "| 0f 01 e0", gp, Needs::umip, kReplace, "shows the low bits of CR0; where there is UMIP it traps, and is emulated"},
    {S::mov_from_dr, "mov r, dr", "| 0f 21 f8", gp, kNothing, kTrap, "shows debug registers"},
    {S::mov_to_dr, "mov dr, r", "| 0f 23 f8", gp, kNothing, kTrap, "changes debug registers; breakpoints that a guest sets are kept, but do not fire"},
    {S::xgetbv, "xgetbv", "31 c9 | 0f 01 d0", ud, kNothing, kTrap, "shows XCR0; the machine keeps OSXSAVE off, so it traps even so"},
    {S::xsetbv, "xsetbv", "31 c9 | 0f 01 d1", ud, kNothing, kTrap, "changes XCR0"},
    {S::rdpkru, "rdpkru", "31 c9 | 0f 01 ee", ud, kNothing, kHide, "the guest's CPUID says that there is none; the machine keeps PKE off"},
    {S::wrpkru, "wrpkru", "31 c0 31 c9 31 d2 | 0f 01 ef", ud, kNothing, kHide, "as rdpkru"},
    {S::xsaves, "xsaves", "| 0f c7 2e", ud, kNothing, kHide, "the guest's CPUID says that there is none"},
    {S::xrstors, "xrstors", "| 0f c7 1e", ud, kNothing, kHide, "the guest's CPUID says that there is none"},

    {S::cpuid, "cpuid", "53 31 c0 | 0f a2 5b", silent, kNothing, kReplace, "shows the machine's features, not the guest's. In the guest's user code nothing is replaced: there the machine's show"},
    {S::rdmsr, "rdmsr", "b9 80 00 00 c0 | 0f 32", gp, kNothing, kTrap, "shows model-specific registers"},
    {S::wrmsr, "wrmsr", "b9 82 00 00 c0 31 c0 31 d2 | 0f 30", gp, kNothing, kTrap, "changes model-specific registers"},
    {S::rdtsc, "rdtsc", "| 0f 31", silent, kNothing, kHarmless, "shows the machine's clock, which is no secret; a guest's may not start at zero, as a real one's need not"},
    {S::rdtscp, "rdtscp", "| 0f 01 f9", silent, Needs::rdtscp, kReplace, "as rdtsc, and shows the machine's TSC_AUX"},
    {S::rdpid, "rdpid", "| f3 0f c7 f8", silent, Needs::rdpid, kReplace, "shows the machine's TSC_AUX"},
    {S::rdpmc, "rdpmc", "31 c9 | 0f 33", gp, kNothing, kTrap, "shows performance counters: the guest has none, #GP"},

    {S::sgdt, "sgdt", "| 0f 01 06", gp, Needs::umip, kReplace, "shows where the machine's GDT is; where there is UMIP it traps, and is emulated"},
    {S::sidt, "sidt", "| 0f 01 0e", gp, Needs::umip, kReplace, "as sgdt"},
    {S::sldt, "sldt", "| 0f 00 c0", gp, Needs::umip, kReplace, "as sgdt"},
    {S::str, "str", "| 0f 00 c8", gp, Needs::umip, kReplace, "as sgdt"},
    {S::lgdt, "lgdt", "| 0f 01 16", gp, kNothing, kTrap, "changes the GDT"},
    {S::lidt, "lidt", "| 0f 01 1e", gp, kNothing, kTrap, "changes the IDT"},
    {S::lldt, "lldt", "31 c0 | 0f 00 d0", gp, kNothing, kTrap, "changes the LDT"},
    {S::ltr, "ltr", "31 c0 | 0f 00 d8", gp, kNothing, kTrap, "changes the TSS, where the stacks of the guest's kernel are named"},

    {S::lar, "lar", "8c c8 | 0f 02 c8", silent, kNothing, kReplace, "shows descriptors of the machine's GDT"},
    {S::lsl, "lsl", "8c c8 | 0f 03 c8", silent, kNothing, kReplace, "as lar"},
    {S::verr, "verr", "8c c8 | 0f 00 e0", silent, kNothing, kReplace, "as lar"},
    {S::verw, "verw", "8c c8 | 0f 00 e8", silent, kNothing, kReplace, "as lar"},
    {S::mov_from_segment, "mov r, sreg", "| 8c c8", silent, kNothing, kReplace, "shows the machine's selectors; that of CS ends in 3 where the guest's kernel expects 0"},
    {S::mov_to_segment, "mov sreg, r", "31 c0 | 8e d8", silent, kNothing, kReplace, "loads from the machine's GDT: #GP for most of the guest's selectors, wrong for others. In the guest's user code it is emulated when it traps"},
    {S::push_segment, "push fs, push gs", "| 0f a0 58", silent, kNothing, kReplace, "as mov r, sreg"},
    {S::pop_segment, "pop fs, pop gs", "6a 00 | 0f a1", silent, kNothing, kReplace, "as mov sreg, r"},
    {S::load_far_pointer, "lss, lfs, lgs", "8c d0 48 c1 e0 20 50 | 0f b2 0c 24 58", silent, kNothing, kReplace, "as mov sreg, r"},
    {S::read_base, "rdfsbase, rdgsbase", "| f3 48 0f ae c0", silent, Needs::fsgsbase, kHarmless, "the bases in the CPU are the guest's own while it runs, and an exit shows them to the monitor"},
    {S::write_base, "wrfsbase, wrgsbase", "31 c0 | f3 48 0f ae d0", silent, Needs::fsgsbase, kHarmless, "as rdfsbase"},
    {S::swapgs, "swapgs", "| 0f 01 f8", gp, kNothing, kTrap, "exchanges the base of GS with one that only ring 0 sees"},

    {S::syscall, "syscall", "b8 ff ff 00 00 | 0f 05", exit, kNothing, Remedy::exit, "goes to whom the machine's LSTAR names, the kernel; the monitor goes on at the guest's own"},
    {S::sysret, "sysret", "| 48 0f 07", gp, kNothing, kTrap, "goes to the guest's user mode"},
    {S::sysenter, "sysenter", "| 0f 34", ud_or_gp, kNothing, kHide, "in 64-bit mode not on every CPU: #UD, as on those that have not got it"},
    {S::sysexit, "sysexit", "| 48 0f 35", ud_or_gp, kNothing, kHide, "as sysenter"},
    {S::iret, "iret", kIret, silent, kNothing, kReplace, "traps where the guest's CS is not one of the machine's for ring 3; else it returns, with IF as it was"},
    {S::far_return, "lret", "8c c8 50 48 8d 05 03 00 00 00 50 | 48 cb", silent, kNothing, kReplace, "as iret: a kernel loads CS so"},
    {S::far_jump, "jmp far", kFarJump, silent, kNothing, kReplace, "as iret"},
    {S::far_call, "call far", kFarCall, silent, kNothing, kReplace, "as iret, and puts the machine's CS on the stack"},
    {S::int_n, "int n", "| cd 80", gp, kNothing, kTrap, "the machine's gates are closed to ring 3; the guest's IDT says where it goes"},
    {S::int3, "int3", "| cc", bp, kNothing, kTrap, "a trap of the machine's own, which the guest's IDT gets"},
    {S::int1, "int1", "| f1", db_or_ud, kNothing, kTrap, "as int3"},

    {S::invlpg, "invlpg", "| 0f 01 3e", gp, kNothing, kTrap, "the guest's tables have changed: the monitor's shadow follows"},
    {S::invpcid, "invpcid", "31 c0 | 66 0f 38 82 06", gp, Needs::invpcid, kHide, "the guest's CPUID says that there is none"},
    {S::invd, "invd", "| 0f 08", gp, kNothing, kTrap, "emulated as nothing: a guest must not lose what the caches hold for others"},
    {S::wbinvd, "wbinvd", "| 0f 09", gp, kNothing, kTrap, "emulated as nothing: no device of the guest's bypasses the caches"},

    {S::vmx, "vmcall and the rest of VMX", "| 0f 01 c1", ud, kNothing, kHide, "the guest's CPUID says that there is none"},
    {S::svm, "vmrun, vmmcall and the rest of SVM", "| 0f 01 d8", ud_or_gp, kNothing, kHide, "the guest's CPUID says that there is none"},
    {S::getsec, "getsec", "31 c0 | 0f 37", ud, kNothing, kHide, "the guest's CPUID says that there is none"},
    {S::rsm, "rsm", "| 0f aa", ud, kNothing, kHide, "outside of system management mode there is none"},
};
static_assert(std::size(kTable) == kSensitiveCount - 1);
static_assert([] {
    for (u32 i = 0; i < std::size(kTable); ++i)
        if (static_cast<u32>(kTable[i].id) != i + 1) return false;
    return true;
}());

S classify_one_byte(const Instruction& in) {
    switch (in.opcode) {
        case 0x6c: case 0x6d: return S::ins;
        case 0x6e: case 0x6f: return S::outs;
        case 0x8c: return S::mov_from_segment;
        case 0x8e: return S::mov_to_segment;
        case 0x9c: return S::pushf;
        case 0x9d: return S::popf;
        case 0xca: case 0xcb: return S::far_return;
        case 0xcc: return S::int3;
        case 0xcd: return S::int_n;
        case 0xcf: return S::iret;
        case 0xe4: case 0xe5: case 0xec: case 0xed: return S::in;
        case 0xe6: case 0xe7: case 0xee: case 0xef: return S::out;
        case 0xf1: return S::int1;
        case 0xf4: return S::hlt;
        case 0xfa: return S::cli;
        case 0xfb: return S::sti;
        case 0xff: return in.extension() == 3 ? S::far_call : in.extension() == 5 ? S::far_jump : S::none;
        default: return S::none;
    }
}

S classify_0f00(const Instruction& in) {
    constexpr S kByExtension[8] = {S::sldt, S::str, S::lldt, S::ltr, S::verr, S::verw, S::none, S::none};
    return kByExtension[in.extension()];
}

S classify_0f01(const Instruction& in) {
    if (in.mod() != 3) {
        constexpr S kByExtension[8] = {S::sgdt, S::sidt, S::lgdt, S::lidt, S::smsw, S::none, S::lmsw, S::invlpg};
        return kByExtension[in.extension()];
    }
    switch (in.modrm) {
        case 0xc0: case 0xc1: case 0xc2: case 0xc3: case 0xc4: case 0xd4: return S::vmx;
        case 0xc8: return S::monitor;
        case 0xc9: return S::mwait;
        case 0xca: return S::clac;
        case 0xcb: return S::stac;
        case 0xd0: return S::xgetbv;
        case 0xd1: return S::xsetbv;
        case 0xee: return in.repeat ? S::none : S::rdpkru;
        case 0xef: return in.repeat ? S::none : S::wrpkru;
        case 0xf8: return S::swapgs;
        case 0xf9: return S::rdtscp;
        default: break;
    }
    if (in.modrm >= 0xd8 && in.modrm <= 0xdf) return S::svm;
    return in.extension() == 4 ? S::smsw : in.extension() == 6 ? S::lmsw : S::none;
}

S classify_0fc7(const Instruction& in) {
    if (in.mod() == 3) return in.extension() == 7 && in.repeat == 0xf3 ? S::rdpid : S::none;
    return in.extension() == 3 ? S::xrstors : in.extension() == 5 ? S::xsaves : in.extension() >= 6 ? S::vmx : S::none;
}

S classify_0f(const Instruction& in) {
    switch (in.opcode) {
        case 0x00: return classify_0f00(in);
        case 0x01: return classify_0f01(in);
        case 0x02: return S::lar;
        case 0x03: return S::lsl;
        case 0x05: return S::syscall;
        case 0x06: return S::clts;
        case 0x07: return S::sysret;
        case 0x08: return S::invd;
        case 0x09: return S::wbinvd;
        case 0x20: return S::mov_from_cr;
        case 0x21: return S::mov_from_dr;
        case 0x22: return S::mov_to_cr;
        case 0x23: return S::mov_to_dr;
        case 0x30: return S::wrmsr;
        case 0x31: return S::rdtsc;
        case 0x32: return S::rdmsr;
        case 0x33: return S::rdpmc;
        case 0x34: return S::sysenter;
        case 0x35: return S::sysexit;
        case 0x37: return S::getsec;
        case 0x78: case 0x79: return in.operand_prefix || in.repeat ? S::none : S::vmx;
        case 0xa0: case 0xa8: return S::push_segment;
        case 0xa1: case 0xa9: return S::pop_segment;
        case 0xa2: return S::cpuid;
        case 0xaa: return S::rsm;
        case 0xae:
            if (in.mod() != 3 || in.repeat != 0xf3 || in.mode != CodeMode::bits64) return S::none;
            return in.extension() < 2 ? S::read_base : in.extension() < 4 ? S::write_base : S::none;
        case 0xb2: case 0xb4: case 0xb5: return S::load_far_pointer;
        case 0xc7: return classify_0fc7(in);
        default: return S::none;
    }
}

constexpr int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

}  // namespace

std::span<const SensitiveInstruction> sensitive_instructions() { return kTable; }

const SensitiveInstruction& about(Sensitive id) { return kTable[static_cast<u32>(id) - 1]; }

Sensitive classify(const Instruction& in) {
    if (in.encoding != Encoding::legacy) return S::none;
    if (in.map == kOneByte) return classify_one_byte(in);
    if (in.map == kMap0F) return classify_0f(in);
    if (in.map != kMap0F38) return S::none;
    if (in.opcode == 0x82 && in.operand_prefix) return S::invpcid;
    return (in.opcode == 0x80 || in.opcode == 0x81) && in.operand_prefix ? S::vmx : S::none;
}

u32 assemble(const char* sample, u8* bytes, u32& at) {
    u32 length = 0;
    for (; *sample && length < 32; ++sample) {
        if (*sample == '|') at = length;
        if (digit(sample[0]) < 0) continue;
        bytes[length++] = static_cast<u8>(digit(sample[0]) << 4 | digit(sample[1]));
        ++sample;
    }
    return length;
}

}  // namespace tessera::vmm
