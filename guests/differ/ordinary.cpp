// What any program does: results are the CPU's own in every kind of guest, if nothing that the monitor put there shows.
#include "guests/differ/generate.hpp"

namespace differ {

void make_arithmetic(Maker& m) {
    Code& c = m.code;
    const bool wide = m.one_in(2);
    const Register to = m.any(), from = m.any();
    switch (m.random.below(12)) {
        case 0: case 1: return c.registers({static_cast<u8>(m.random.below(8) * 8 + 1)}, from, to, wide);          // add .. cmp
        case 2: return c.registers({static_cast<u8>(m.random.below(8) * 8)}, from & 7, to & 7, false);             // 8 bits
        case 3: c.registers({0x81}, static_cast<u8>(m.random.below(8)), to, wide); return c.append(m.random.word(), 4);
        case 4: c.registers({0xc1}, static_cast<u8>(m.random.below(8)), to, wide); return c.append(m.random.below(64), 1);  // shifts
        case 5: return c.registers({0xf7}, static_cast<u8>(2 + m.random.below(4)), to, wide);                      // not neg mul imul
        case 6: return c.registers({0xf7}, static_cast<u8>(6 + m.random.below(2)), to, wide);                      // div idiv: #DE
        case 7: return c.registers({0x0f, static_cast<u8>(0x40 + m.random.below(16))}, to, from, wide);            // cmov
        case 8: return c.registers({0x0f, static_cast<u8>(0x90 + m.random.below(16))}, 0, to & 7, false);          // set
        case 9:  // bt bts btr btc, whose other flags are undefined: TCG's depend on what it translated together
            c.registers({0x0f, static_cast<u8>(0xa3 + 8 * m.random.below(4))}, from, to, wide);
            return c.registers({0x85}, to, to, wide);
        case 10: return c.registers({0x0f, m.random.one_of<u8>({0xaf, 0xb6, 0xbe, 0xb7, 0xbf, 0xbc, 0xbd})}, to, from, wide);
        default: return c.registers({m.random.one_of<u8>({0x87, 0x89, 0x63})}, from, to, true);                     // xchg mov movsxd
    }
}

void make_memory(Maker& m) {
    Code& c = m.code;
    const Register one = m.any(), two = m.any();
    const u64 at = m.scratch();
    switch (m.random.below(10)) {
        case 0: return c.memory({0x8b}, one, kDataBase, at);
        case 1: return c.memory({0x89}, one, kDataBase, at, m.one_in(2));
        case 2: return c.memory({static_cast<u8>(m.random.below(8) * 8 + 1)}, one, kDataBase, at, m.one_in(2));
        case 3: return c.memory({0x0f, m.random.one_of<u8>({0xb1, 0xc1})}, one, kDataBase, at & ~u64{7}, true, 0xf0);  // lock cmpxchg, xadd
        case 4: c.add({static_cast<u8>(0x40 | one >> 3), static_cast<u8>(0x50 | (one & 7))});                             // push, pop
            return c.add({static_cast<u8>(0x40 | two >> 3), static_cast<u8>(0x58 | (two & 7))});
        case 5: return c.memory({0x8d}, one, kDataBase, at);
        case 6: c.memory({0xff}, 6, kDataBase, at);                                                                     // push, pop of memory
            return c.memory({0x8f}, 0, kDataBase, m.scratch());
        case 7: case 8:                                                                                                 // a string, bounded
            c.memory({0x8d}, rsi, kDataBase, 0x200 + m.random.below(0x200));
            c.memory({0x8d}, rdi, kDataBase, 0x200 + m.random.below(0x200));
            c.add({0xb9}, m.random.below(24), 4);
            return c.add({m.random.one_of<u8>({0xf3, 0xf2}), 0x48, m.random.one_of<u8>({0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xae, 0xaf})});
        default: return c.memory({m.random.one_of<u8>({0x80, 0xc0, 0xf6})}, 1, kDataBase, at), c.append(m.random.below(8), 1);
    }
}

void make_branch(Maker& m) {
    Code& c = m.code;
    switch (m.random.below(3)) {
        case 0: {  // a condition, over something
            c.add({static_cast<u8>(0x70 + m.random.below(16)), 0});
            const u64 mark = c.mark();
            make_arithmetic(m);
            return c.land(mark, 1);
        }
        case 1: {  // call, and its return address taken
            c.add({0xe8}, 0, 4);
            const u64 mark = c.mark();
            make_arithmetic(m);
            c.land(mark, 4);
            return c.add({0x58});
        }
        default:  // an indirect jump or call to behind itself
            c.load(rax, c.here(10 + 2));
            return c.add({0xff, m.random.one_of<u8>({0xe0, 0xd0})});
    }
}

// A return to behind itself, by an address that no call has pushed.
void make_made_return(Maker& m) {
    Code& c = m.code;
    c.load(rax, c.here(10 + 1 + 1));
    c.add({0x50});
    c.add({0xc3});
}

void make_flags(Maker& m) {
    Code& c = m.code;
    switch (m.random.below(6)) {
        case 0: return c.add({m.random.one_of<u8>({0xf8, 0xf9, 0xf5, 0xfc, 0xfd, 0x9e, 0x9f})});
        case 1: return c.add({m.random.one_of<u8>({0xfa, 0xfb})});
        case 2: return c.add({0x9c}), c.add({0x58});
        case 3: case 4:  // every flag but TF and those of VM86
            c.load(rax, m.random.word() & 0x24'7ed5);
            c.add({0x50});
            if (m.one_in(8)) return c.add({0x66, 0x9d}), c.add({0x48, 0x8d, 0x64, 0x24, 0x06});
            return c.add({0x9d});
        default:
            c.add({0x9c});
            c.add({0x48, 0x81, 0x34, 0x24}, m.random.word() & 0x24'7ed5 & 0x7fff'ffff, 4);  // xor [rsp]
            c.add({0x9d});
            c.add({0x9c});
            return c.add({0x5a});
    }
}

// Addresses that are not for everybody, or for nobody.
void make_faults(Maker& m) {
    Code& c = m.code;
    constexpr u64 kPages[] = {kReadOnly, kSupervisor, kSupervisorReadOnly, kAbsent, kNoExecute, kGuard, kReserved};
    const u64 at = page(m.random.one_of(kPages)) + m.random.below(kPageSize - 8);
    switch (m.random.below(8)) {
        case 0: case 1: return c.load(rax, at), c.add({0x48, 0x8b, 0x10});
        case 2: case 3: return c.load(rax, at), c.add({0x48, 0x01, 0x08});
        case 4: return c.load(rdx, m.random.word() | u64{1} << 62), c.add({0x48, 0x8b, 0x02});            // not canonical, mostly
        case 5: return c.load(rsi, page(kMoreData) + kPageSize - 8 - m.random.below(24)), c.load(rdi, kData), c.add({0xb9}, 16, 4),
                       c.add({0xfc}), c.add({0xf3, 0xa5});                                                  // runs into a page that cannot be written
        case 6: return c.load(rdi, page(kMoreData) + kPageSize - 32), c.add({0xb9}, 16, 4), c.add({0xfc}), c.add({0xf3, 0xab});
        default: return c.load(rax, 0x10'0000), c.add({0x8b, 0x08});                                          // the kernel's
    }
}

}  // namespace differ
