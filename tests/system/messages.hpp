// Control transfer with every register of the message in hand: what was put in, what came out, on both sides.
#pragma once

#include "tests/system/attack.hpp"

namespace tessera::attack {

struct Message {
    u64 rsi, rbx, rbp, r8, r9, r10, r12, r13, r14, r15, fs, gs, rdi;
    static constexpr u64 kWords = 12;  ///< rdi goes over only with an answer
    u64& operator[](u64 i) { return (&rsi)[i]; }
};
static_assert(sizeof(Message) == 104);

/// What else is in registers behind a call, where nothing of the kernel's may be.
struct Lost {
    u64 rcx, rdx, r11;
};

extern "C" {
/// Call or send (`number`) through a gate with `message` in the registers; what is in them afterwards replaces it.
Error message_call(u64 number, u64 gate, Message& message, Lost& lost);
/// An entry point: serves the message in C++, and answers with what that left of it.
void message_entry();
/// Wait for calls, for ever, on the stack of whoever calls this.
[[noreturn]] void message_wait();
/// The program's own: `word` and `sender` as the kernel gave them.
void message_served(u64 word, Sender sender, Message& message, const Lost& lost);
/// How often `answer` came back, which it does with Error::interrupted alone.
[[gnu::used, gnu::section(".guaranteed.data")]] inline u64 message_interrupted = 0;
}

asm(R"(
    .pushsection .guaranteed.text, "ax", @progbits
    .macro message_load base
    mov 80(\base), %rcx
    wrfsbase %rcx
    mov 88(\base), %rcx
    wrgsbase %rcx
    mov 0(\base), %rsi
    mov 8(\base), %rbx
    mov 16(\base), %rbp
    mov 24(\base), %r8
    mov 32(\base), %r9
    mov 40(\base), %r10
    mov 48(\base), %r12
    mov 56(\base), %r13
    mov 64(\base), %r14
    mov 72(\base), %r15
    .endm
    .macro message_store base
    mov %rsi, 0(\base)
    mov %rbx, 8(\base)
    mov %rbp, 16(\base)
    mov %r8, 24(\base)
    mov %r9, 32(\base)
    mov %r10, 40(\base)
    mov %r12, 48(\base)
    mov %r13, 56(\base)
    mov %r14, 64(\base)
    mov %r15, 72(\base)
    mov %rdi, 96(\base)
    rdfsbase %rsi
    mov %rsi, 80(\base)
    rdgsbase %rsi
    mov %rsi, 88(\base)
    .endm

    .globl message_call, message_entry, message_wait
message_call:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rcx
    push %rdx
    mov %rdi, %rax
    mov %rsi, %rdi
    message_load %rdx
    syscall
    push %rdx
    mov 8(%rsp), %rdx
    push %rcx
    message_store %rdx
    mov 24(%rsp), %rdx
    popq 0(%rdx)
    popq 8(%rdx)
    mov %r11, 16(%rdx)
    add $16, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

message_entry:
    sub $128, %rsp
    mov %rcx, 104(%rsp)
    mov %rdx, 112(%rsp)
    mov %r11, 120(%rsp)
    message_store %rsp
    mov 96(%rsp), %rdi
    mov %rax, %rsi
    mov %rsp, %rdx
    lea 104(%rsp), %rcx
    cld
    call message_served
    mov 96(%rsp), %rdi
    message_load %rsp
    add $128, %rsp
    mov $32, %eax
    syscall
    incq message_interrupted(%rip)
    jmp 1f
message_wait:
    and $-16, %rsp
1:  mov $32, %eax
    syscall
    incq message_interrupted(%rip)
    jmp 1b
    .popsection
)");

/// A message to be told from any other.
inline Message pattern(u64 seed) {
    Message message{};
    u64 state = seed * 2 + 1;
    for (u64 i = 0; i < Message::kWords; ++i) message[i] = random_word(state);
    message.fs >>= 17, message.gs >>= 17;  // canonical
    return message;
}

/// Nothing of the kernel's: addresses of this half, or small numbers.
inline bool harmless(const Lost& lost) {
    constexpr u64 kEnd = kUserPages << kPageShift;
    return lost.rcx < kEnd && lost.rdx < kEnd && lost.r11 < kEnd;
}

/// Take the entry that `server` posted at `place`, once it did, and bind a gate to it.
inline Error bind_posted(EnvId server, u64 place, u64 gate) {
    for (u64 tries = 0; post_of(server, place).owner != server.value && tries < 1000; ++tries) yield(server);
    const Capability entry = post_of(server, place).capability;
    return answer_to<GateBind>({address(entry), gate});
}

/// Publish `entry` at a place under a word, and post it there.
inline Error publish(u64 place, u64 word, void (*entry)() = message_entry) {
    Capability capability;
    if (const Error error = answer_to<EntryPublish>({place, VirtAddr{reinterpret_cast<u64>(entry)}, word, address(capability)}); error != Error::ok) return error;
    return answer_to<PostCapability>({address(capability), place, word});
}

/// The environment of that name; zero: none.
inline EnvId environment_named(std::string_view name) {
    for (u64 i = 1; i < kMaxEnvironments; ++i) {
        const EnvironmentInfo& info = environment_info(EnvId{i});
        if (info.id != 0 && name == info.name) return EnvId{info.id};
    }
    return {};
}

}  // namespace tessera::attack
