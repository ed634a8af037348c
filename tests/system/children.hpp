// Environments made by a hostile program, in its own context: a stack, a function and an argument each.
#pragma once

#include "tests/system/attack.hpp"

namespace tessera::attack {

/// What a child finds at its argument's address.
struct Child {
    u64 stack_top;
    void (*function)(Child&);
    u64 argument;
    EnvId id;
    Capability frames;
    Capability environment;
    alignas(16) u8 stack[8192 - 352];
};
static_assert(sizeof(Child) == 8192);

extern "C" void child_entry();
asm(R"(
    .section .guaranteed.text.child_entry, "ax"
    .globl child_entry
child_entry:
    mov (%rdi), %rsp
    xor %ebp, %ebp
    call *8(%rdi)
    ud2
    .text
)");

/// A name of the kernel's kind, zero behind the end.
inline void set_name(char (&to)[16], const char* name) {
    for (char& c : to) c = 0;
    for (u64 i = 0; i + 1 < sizeof to && name[i] != 0; ++i) to[i] = name[i];
}

/// Make `child`, with frames taken for it by the caller unless `child.frames` has some. It runs when yielded to.
inline Error make_child(Child& child, const char* name, void (*function)(Child&), u64 argument = 0, u64 quota = 0,
                        VirtAddr context = address(boot().context)) {
    if (child.frames.kind == ResourceKind::none) {
        const auto frames = call<FrameAlloc>({FrameNumber{kAny}, kEnvFrames, 1, address(child.frames)});
        if (!frames) return frames.error();
    }
    child.stack_top = address(child).value + sizeof(Child);
    child.function = function;
    child.argument = argument;
    EnvSpec spec{context, address(child.frames), VirtAddr{reinterpret_cast<u64>(child_entry)}, address(child).value, quota, {}};
    set_name(spec.name, name);
    const auto made = call<EnvCreate>({address(spec), address(child.environment)});
    if (!made) return made.error();
    child.id = made.value();
    return Error::ok;
}

[[noreturn]] inline void spin() {
    for (;;) asm volatile("pause");
}

}  // namespace tessera::attack
