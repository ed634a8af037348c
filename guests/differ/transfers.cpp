// Ways to somewhere else: gates, returns, system calls. Each goes to behind itself, in this ring or further out, or faults.
#include "guests/differ/generate.hpp"

namespace differ {
namespace {

void push_word(Code& c, u64 value) { c.add({0x68}, value, 4); }
constexpr u64 kPushAddress = 10 + 1;

/// Push the address that is `ahead` of what follows.
void push_address(Code& c, u64 ahead) {
    c.load(rax, c.here(kPushAddress + ahead));
    c.add({0x50});
}

void make_iret(Maker& m) {
    Code& c = m.code;
    const bool outward = !m.user && m.one_in(3), bad = m.one_in(4);
    const bool user = m.user || outward;
    const u64 code = bad ? m.random.one_of<u64>({0, kKernelData, kUserData | 3, kGone, kGdtEnd + 8, kTask}) : user ? kUserCode | 3 : u64{kKernelCode};
    const u64 stack = !bad && m.one_in(6) ? (user ? u64{kUserData} | 3 : 0) : user ? kUserData | 3 : u64{kKernelData};
    push_word(c, stack);
    c.load(rdx, kStackTop - 128);
    c.add({0x52});
    push_word(c, (m.random.word() & 0x24'3ed5) | 2);
    push_word(c, code);
    push_address(c, 2);
    c.add({0x48, 0xcf});
    if (!bad && outward) m.user = true;
    if (bad) c.load(rsp, kStackTop - 64);
}

void make_far_return(Maker& m) {
    Code& c = m.code;
    const bool bad = m.one_in(4);
    push_word(c, bad ? m.random.one_of<u64>({0, kKernelData, kUserData | 3, kGone, kGdtEnd + 8}) : m.user ? kUserCode | 3 : u64{kKernelCode});
    push_address(c, 2);
    c.add({0x48, 0xcb});
    if (bad) c.load(rsp, kStackTop - 64);
}

void make_far_branch(Maker& m) {
    Code& c = m.code;
    const bool bad = m.one_in(4), call = m.one_in(2);
    const u64 selector = bad ? m.random.one_of<u64>({0, kKernelData, kUserData | 3, kGone, kGdtEnd + 8}) : m.user ? kUserCode | 3 : u64{kKernelCode};
    constexpr u64 kLoad = 10, kStore = 7, kBranch = 7;
    // A call of 64 bits: of 32 TCG pushes with the mask that a stack segment had in 32-bit code.
    c.load(rdx, selector);
    c.memory({0x89}, rdx, kDataBase, call ? 0x7c8 : 0x7c4);
    c.load(rax, c.here(kLoad + kStore + kBranch));
    c.memory({0x89}, rax, kDataBase, 0x7c0, call);
    c.memory({0xff}, call ? 3 : 5, kDataBase, 0x7c0, call);
    if (call) c.load(rsp, kStackTop - 64);
}

}  // namespace

void make_transfers(Maker& m) {
    Code& c = m.code;
    switch (m.random.below(9)) {
        case 0: case 1: return make_iret(m);
        case 2: return make_far_return(m);
        case 3: return make_far_branch(m);
        case 4: return c.add({0xcd, m.random.one_of<u8>({kUserGate, kKernelGate, kClosedGate, 0x90, 3, 4, 13, 0xff})});
        case 5: return c.add({0xcc});
        case 6: return c.add({0x0f, 0x05}), m.user = m.halting = false, c.load(rsp, kStackTop - 64), c.add({0x48, 0x85, 0xc0}), c.add({0xfc});  // test, cld: see run.cpp
        case 7: {  // sysret, when somebody of ring 0 says so
            c.load(rcx, c.here(10 + 10 + 3));
            c.load(r11, (m.random.word() & 0x24'0ed5) | 2);
            c.add({0x48, 0x0f, 0x07});
            m.user = true;
            return;
        }
        default: return m.halting ? c.add({0xf4}) : c.add({0xf5});  // hlt, where it faults; else cmc
    }
}

void make_undefined(Maker& m) {
    Code& c = m.code;
    switch (m.random.below(5)) {
        case 0: return c.add({0x0f, 0x0b});
        case 1: return c.add({m.random.one_of<u8>({0x06, 0x0e, 0x16, 0x1e, 0x27, 0x37, 0x60, 0xce, 0xd6})});
        case 2: return c.add({0xf0, 0x89, 0xc8});                                                     // lock mov
        case 3: return m.user ? c.add({0x0f, 0x08}) : c.add({0x0f, m.random.one_of<u8>({0x08, 0x09})});  // invd, wbinvd
        default: return m.user ? c.add({0x0f, 0x0b}) : c.add({0x0f, 0x20, static_cast<u8>(0xc0 | m.random.one_of<u8>({1, 5, 6, 7}) << 3)});  // no such control register
    }
}

// SVM's own instructions, and VMX's, of which this machine has none switched on.
void make_virtualization(Maker& m) {
    Code& c = m.code;
    if (m.one_in(4)) return c.add({0x0f, 0x01, m.random.one_of<u8>({0xc1, 0xc2, 0xc3, 0xc4})});
    return c.add({0x0f, 0x01, static_cast<u8>(0xd8 + m.random.below(8))});
}

}  // namespace differ
