// Instructions that show or change what belongs to the machine's owner. In ring 3 most of them fault, which is compared too.
#include "guests/differ/generate.hpp"

namespace differ {
namespace {

void read_control(Code& c, u8 number, u8 to) { c.registers({0x0f, 0x20}, number, to, false); }
void write_control(Code& c, u8 number, u8 from) { c.registers({0x0f, 0x22}, number, from, false); }

void toggle_control(Maker& m, u8 number, u64 bit) {
    read_control(m.code, number, rax);
    m.code.add({0x48, 0x35}, bit, 4);  // xor rax, imm32
    write_control(m.code, number, rax);
    read_control(m.code, number, m.any());
}

}  // namespace

void make_control(Maker& m) {
    Code& c = m.code;
    constexpr u64 kCr0Bits[] = {1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 18}, kCr4Bits[] = {1 << 2, 1 << 3, 1 << 7, 1 << 8, 1 << 9, 1 << 10};
    switch (m.random.below(9)) {
        case 0: return read_control(c, m.random.one_of<u8>({0, 2, 3, 4}), m.any());
        case 1: case 2: return toggle_control(m, 0, m.random.one_of(kCr0Bits));
        case 3: return toggle_control(m, 4, m.random.one_of(kCr4Bits));
        case 4: return c.add({0x0f, 0x06});                                           // clts
        case 5: return c.add({0xb8}, 1 | m.random.below(16), 4), c.add({0x0f, 0x01, 0xf0});  // lmsw ax
        case 6: return c.registers({0x0f, 0x01}, 4, m.any(), m.one_in(2));            // smsw
        case 7: return c.memory({0x0f, 0x01}, 4, kDataBase, m.scratch(), false);
        default: return c.load(rcx, m.random.word() >> 17), write_control(c, 2, rcx), read_control(c, 2, rdx);
    }
}

// What CR0 and CR4 say about the FPU: #NM with TS, #UD with EM or without OSFXSR, and which of the two comes first, before a page fault.
void make_fpu(Maker& m) {
    Code& c = m.code;
    if (!m.user && m.one_in(2)) {
        if (m.one_in(4))
            toggle_control(m, 4, 1 << 9);
        else
            toggle_control(m, 0, m.random.one_of<u64>({1 << 1, 1 << 2, 1 << 3, 1 << 3}));
    }
    const u64 absent = page(kAbsent) - kData;
    for (u64 i = 0; i < 2; ++i) switch (m.random.below(14)) {
        case 0: c.add({m.random.one_of<u8>({0x66, 0xf3}), 0x0f, 0x6e, 0xc0}); break;         // movd, or none
        case 1: c.add({0xd9, m.random.one_of<u8>({0xd0, 0xee})}); break;                     // fnop, fldz
        case 2: c.add({0xdf, 0xe0}); break;                                                  // fnstsw ax
        case 3: c.memory({0xd9}, 7, kDataBase, m.scratch(), false); break;                   // fnstcw
        case 4: c.memory({0xd9}, 4, kDataBase, absent, false); break;                        // fldenv
        case 5: case 6: c.add({0x9b}); break;                                                // fwait
        case 7: c.add({0x0f, 0x77}); break;                                                  // emms
        case 8: c.add({0x0f, 0xef, 0xc0}); break;                                            // pxor, of MMX
        case 9: c.add({0x66, 0x0f, 0xef, 0xc0}); break;                                      // and of SSE
        case 10: c.memory({0x0f, 0xae}, static_cast<u8>(m.random.below(4)), kDataBase, absent, false); break;  // fxsave, fxrstor, ldmxcsr, stmxcsr
        case 11: c.memory({0x0f, 0xae}, 3, kDataBase, m.scratch(), false); break;            // stmxcsr
        case 12: c.memory({0x0f, 0x6f}, 1, kDataBase, m.one_in(2) ? absent : m.scratch(), false); break;       // movq
        default: c.add({0x66, 0x0f, 0x7e, 0xc3}); break;                                     // movd ebx, xmm0
    }
}

// Whether ring 0 may write where ring 3 may not.
void make_write_protect(Maker& m) {
    Code& c = m.code;
    toggle_control(m, 0, 1 << 16);
    c.load(rdx, page(m.random.one_of<u64>({kReadOnly, kSupervisorReadOnly})) + 8 * m.random.below(8));
    c.add({0x48, 0xff, 0x02});  // inc qword [rdx]
    toggle_control(m, 0, 1 << 16);
}

void make_debug(Maker& m) {
    Code& c = m.code;
    const u8 number = static_cast<u8>(m.random.below(8));
    if (m.one_in(2)) return c.registers({0x0f, 0x21}, number, m.any(), false);
    // No breakpoint is switched on.
    const u64 value = number < 4 ? m.random.word() : number % 2 == 0 ? m.random.word() & 0xe00f : (m.random.word() & 0xffff'0000) | 0x400;
    c.load(rax, value);
    c.registers({0x0f, 0x23}, number, rax, false);
    c.registers({0x0f, 0x21}, number, rdx, false);
}

void make_tables(Maker& m) {
    Code& c = m.code;
    switch (m.random.below(8)) {
        case 0: return c.memory({0x0f, 0x01}, static_cast<u8>(m.random.below(2)), kDataBase, m.scratch(), false);  // sgdt, sidt
        case 1: return c.registers({0x0f, 0x00}, static_cast<u8>(m.random.below(2)), m.any(), m.one_in(2));        // sldt, str
        case 2: return c.memory({0x0f, 0x00}, static_cast<u8>(m.random.below(2)), kDataBase, m.scratch(), false);
        case 3: return c.memory({0x0f, 0x01}, 2, kDataBase, m.random.one_of<u64>({kGdtPointer, kOtherGdtPointer}), false);
        case 4: return c.memory({0x0f, 0x01}, 3, kDataBase, m.random.one_of<u64>({kIdtPointer, kOtherIdtPointer}), false);
        case 5: return c.load(rax, m.random.one_of<u64>({kLocal, 0, 0, kTask, kKernelData, kGdtEnd + 8})), c.add({0x0f, 0x00, 0xd0});       // lldt
        case 6: return c.load(rax, m.random.one_of<u64>({kOtherTask, kTask, kLocal, kUserData, kGdtEnd + 8})), c.add({0x0f, 0x00, 0xd8});  // ltr
        default: return c.load(rcx, page(kAbsent)), c.add({0x0f, 0x01, static_cast<u8>(0x01 | m.random.below(4) << 3)});
    }
}

namespace {
constexpr u64 kSelectors[] = {0, 3, kKernelCode, kKernelData, kUserData, kUserData | 3, kUserCode | 3, kTask, kGone, kGone | 3, kReadOnlyData,
                              kReadOnlyData | 3, kExecuteOnly, kConforming, kGdtEnd, 0xfff8, 4, 0xc | 3, 0x14};

// TCG loads SS with 3 in ring 0, which is #GP by the manuals (SDM vol. 2, MOV): left out.
u64 selector_for(Maker& m, bool stack) {
    const u64 selector = m.random.one_of(kSelectors);
    return stack && selector == 3 ? 0 : selector;
}

}  // namespace

void make_segments(Maker& m) {
    Code& c = m.code;
    const u8 segment = m.random.one_of<u8>({0, 2, 3, 4, 5}), far_load = m.random.one_of<u8>({0xb2, 0xb4, 0xb5});
    switch (m.random.below(6)) {
        case 0: return c.registers({0x8c}, m.random.one_of<u8>({0, 1, 2, 3, 4, 5}), m.any(), m.one_in(2));
        case 1: case 2: return c.load(rax, selector_for(m, segment == 2)), c.registers({0x8e}, segment, rax, false);
        case 3: return c.add({0x0f, m.random.one_of<u8>({0xa0, 0xa8})}), c.add({0x5a});
        case 4: return c.add({0x68}, m.random.one_of(kSelectors), 4), c.add({0x0f, m.random.one_of<u8>({0xa1, 0xa9})}),
                       c.load(rsp, kStackTop - 64);
        default:
            c.add({0xb8}, selector_for(m, far_load == 0xb2), 4);
            c.memory({0x89}, rax, kDataBase, 0x784, false);
            return c.memory({0x0f, far_load}, m.any(), kDataBase, 0x780, false);  // lss lfs lgs
    }
}

void make_descriptors(Maker& m) {
    Code& c = m.code;
    c.load(rcx, m.one_in(6) ? m.random.word() & 0xffff : m.one_in(8) ? u64{kGate} : m.random.one_of(kSelectors));
    const Register to = m.any();
    if (m.one_in(3)) return c.registers({0x0f, 0x03}, to, rcx, m.one_in(2));  // lsl
    if (m.one_in(2)) {  // lar: the limit's bits in what it answers are undefined
        c.registers({0x0f, 0x02}, to, rcx, m.one_in(2));
        c.registers({0x81}, 4, to, false);
        return c.append(0x00f0'ff00, 4);
    }
    c.registers({0x0f, 0x00}, static_cast<u8>(4 + m.random.below(2)), rcx, false);                               // verr, verw
}

void make_model_registers(Maker& m) {
    Code& c = m.code;
    constexpr u32 kStar = 0xc000'0081, kLstar = 0xc000'0082, kCstar = 0xc000'0083, kSfmask = 0xc000'0084, kFsBase = 0xc000'0100, kGsBase = 0xc000'0101,
                  kOtherGsBase = 0xc000'0102, kSysenterCs = 0x174, kSysenterRsp = 0x175, kSysenterRip = 0x176, kPat = 0x277, kEfer = 0xc000'0080;
    constexpr u32 kReadable[] = {kStar, kLstar, kCstar, kSfmask, kFsBase, kGsBase, kOtherGsBase, kSysenterCs, kSysenterRsp, kSysenterRip, kPat, kEfer};
    constexpr u32 kWritable[] = {kCstar, kSfmask, kFsBase, kGsBase, kOtherGsBase, kSysenterRsp, kSysenterRip};
    switch (m.random.below(7)) {
        case 0: case 1: return c.add({0xb9}, m.random.one_of(kReadable), 4), c.add({0x0f, 0x32});
        case 2: case 3: {
            const u32 number = m.random.one_of(kWritable);
            const u64 value = number == kSfmask ? m.random.word() & 0x3f'7fd5 : m.one_in(3) ? kData + m.scratch() : m.random.word() >> 18 | u64{1} << 41;
            c.add({0xb8}, value, 4), c.add({0xba}, value >> 32, 4), c.add({0xb9}, number, 4), c.add({0x0f, 0x30});
            return c.add({0x0f, 0x32});
        }
        case 4: return c.add({0x0f, 0x01, 0xf8});  // swapgs
        case 5: return c.add({0x64, 0x48, 0x8b, 0x04, 0x25}, m.random.below(64), 4);  // through FS or GS, wherever that is
        default:  // EFER: NXE and SCE
            c.add({0xb9}, kEfer, 4), c.add({0x0f, 0x32}), c.add({0x35}, m.random.one_of<u64>({1, 0}), 4);
            return c.add({0x0f, 0x30});
    }
}

void make_ports(Maker& m) {
    Code& c = m.code;
    constexpr u16 kScratchPort = 0x3ff, kMask = 0x21, kAddress = 0xcf8, kNobody = 0xed;
    c.add({0xba}, m.random.one_of<u64>({kScratchPort, kScratchPort, kMask, kNobody}), 4);
    switch (m.random.below(5)) {
        case 0: return c.add({0xec});
        case 1: return c.add({0xba}, kScratchPort, 4), c.add({0xee}), c.add({0xec});
        case 2: return c.add({0xba}, kAddress, 4), c.add({0xb8}, 0x8000'0000 | m.random.below(0x1'0000) << 8, 4), c.add({0xef}), c.add({0xed});
        case 3: return c.memory({0x8d}, rsi, kDataBase, 0x100 + m.random.below(0x100)), c.add({0xb9}, m.random.below(6), 4), c.add({0xba}, kScratchPort, 4),
                       c.add({0xf3, 0x6e});
        default: return c.memory({0x8d}, rdi, kDataBase, 0x100 + m.random.below(0x100)), c.add({0xb9}, m.random.below(6), 4), c.add({0xba}, kScratchPort, 4),
                        c.add({0xf3, 0x6c});
    }
}

// CPUID: what differs by design is masked away at once.
void make_identity(Maker& m) {
    Code& c = m.code;
    switch (m.random.below(4)) {
        case 0:
            c.add({0x31, 0xc0}), c.add({0x31, 0xc9}), c.add({0x0f, 0xa2});
            c.add({0x31, 0xc0}), c.add({0x31, 0xdb}), c.add({0x31, 0xc9});
            return c.add({0x31, 0xd2});
        case 1:  // FPU, PSE, TSC, MSR, PAE, CX8, PGE, CMOV, PAT, CLFLUSH, MMX, FXSR, SSE, SSE2
            c.add({0xb8}, 1, 4), c.add({0x31, 0xc9}), c.add({0x0f, 0xa2});
            c.add({0x31, 0xc0}), c.add({0x31, 0xdb}), c.add({0x31, 0xc9});
            return c.add({0x81, 0xe2}, 0x0789'a179, 4);
        case 2:  // SYSCALL, NX, LM
            c.add({0xb8}, 0x8000'0001, 4), c.add({0x31, 0xc9}), c.add({0x0f, 0xa2});
            c.add({0x31, 0xc0}), c.add({0x31, 0xdb}), c.add({0x31, 0xc9});
            return c.add({0x81, 0xe2}, 0x2010'0800, 4);
        default: return c.add({0x0f, 0xae, 0xf0}), c.add({0xf3, 0x90}), c.memory({0x0f, 0xae}, 7, kDataBase, m.scratch(), false);  // mfence, pause, clflush
    }
}

}  // namespace differ
