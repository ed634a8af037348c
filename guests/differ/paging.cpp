// Changes of what is mapped, and whether they are seen.
#include "guests/differ/generate.hpp"
#include "guests/differ/world.hpp"

namespace differ {

void make_paging(Maker& m) {
    Code& c = m.code;
    constexpr u64 kRights[] = {0, 1, 3, 5, 7, 7, 0x8000'0000'0000'0003, 0x8000'0000'0000'0007, 0x0010'0000'0000'0007};
    const u64 at = page(kChanging) + m.random.below(kPageSize - 8);
    if (m.one_in(4)) {  // the other root, or the first one
        c.load(rax, root_address(m.random.below(2)));
        c.add({0x0f, 0x22, 0xd8});
    } else {
        c.load(rax, (frame_address(m.random.below(2)) & ~u64{0xfff}) | m.random.one_of(kRights));
        c.memory({0x89}, rax, kTableBase, kChanging * 8);
        c.load(rcx, at);
        if (m.one_in(2)) c.add({0x0f, 0x01, 0x39});                                  // invlpg [rcx]
        else c.add({0x0f, 0x20, 0xd8}), c.add({0x0f, 0x22, 0xd8});                    // mov to cr3 what is there
    }
    c.load(rcx, at);
    c.add({0x48, 0x8b, 0x11});
    if (m.one_in(2)) c.add({0x48, 0x01, 0x11});
    c.memory({0x8b}, rdx, kTableBase, kChanging * 8);
}

}  // namespace differ
