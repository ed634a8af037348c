// Into virtual-8086 mode by an `iretd` in ring 3: in long mode there is none, and the instruction must fault. An emulator
// that knows better must not make the kernel take it for itself.
//
//   flags=N   what else the flags ask for
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

int libos_main() {
    const u64 flags = 0x2'0002 | argument("flags", 0x200);
    Memory low;  // code that loops, below 64 KiB, with a stack
    need(low, 1);
    low.bytes()[0] = 0xeb;
    low.bytes()[1] = 0xfe;
    const PageSpan span = PageSpan::make(PageNumber{1}, 1, Right::read | Right::write | Right::execute);
    expect("low memory", answer_to<Bind>({address(low.capability), low.frame, span, {}, {}}), Error::ok);
    // What it pops: eip, cs, eflags, esp, ss, es, ds, fs, gs.
    const u32 frame[] = {0, 0x100, static_cast<u32>(flags), 0xff0, 0x100, 0x100, 0x100, 0x100, 0x100};
    asm volatile("mov %0, %%rsp\n iretl" ::"r"(frame) : "memory");
    __builtin_unreachable();
}
