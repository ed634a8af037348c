// A victim that hears of revocations: upcalls of its own, on frames of its own, and many ways to answer.
#pragma once

#include "tests/system/faults/transfer_work.hpp"
#include "tests/system/revoked.hpp"

// The entry for both kinds. The save area is the first of three pages, the upcall stack the third.
extern "C" void victim_upcall();
asm(R"(
    .pushsection .guaranteed.text.victim_upcall, "ax", @progbits
    .globl victim_upcall
victim_upcall:
    mov %rdi, 72(%rax)
    mov %rax, %rcx
    and $-4096, %rcx
    add $12288, %rcx
    mov %rcx, %rdx
    sub %rsp, %rdx
    cmp $4096, %rdx                         # on the upcall stack already: below what is on it
    jae 1f
    lea -128(%rsp), %rcx
1:  mov %rcx, %rsp
    and $-16, %rsp
    push %rsi
    push %r8
    push %r9
    push %r10
    push %r11
    push %rax
    sub $512, %rsp
    fxsave64 (%rsp)
    mov %rax, %rdi
    cld
    call victim_told
    fxrstor64 (%rsp)
    add $512, %rsp
    pop %rdi
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rsi
    push $0x1b
    push 16(%rdi)
    push 8(%rdi)
    push $0x23
    push 0(%rdi)
    push 72(%rdi)
    push 64(%rdi)
    mov 48(%rdi), %rax
    mov 56(%rdi), %rcx
    mov %rdi, %rdx
    and $-4096, %rdx
    decl (%rdx)                             # last: behind it the record is the next upcall's
    pop %rdx
    pop %rdi
    iretq
    .popsection
)");

namespace tessera::faults {

inline constexpr u64 kAreaPage = kOwnPages - 8;  // save area, repossession vector, upcall stack
inline u64 told, taken_by_force;                 // upcalls that victims got

/// Register upcalls. What goes wrong leaves it deaf.
inline void listen(Victim& victim) {
    enter(victim, Doing::memory);
    const auto frames = attempt<FrameAlloc>({FrameNumber{kAny}, 3, 1, address(victim.area)});
    if (frames.error != Error::ok) return;
    const PageSpan span = PageSpan::make(own_page(victim, kAreaPage), 3, Right::read | Right::write).with(SpanFlag::guaranteed);
    if (attempt<Bind>({address(victim.area), FrameNumber{frames.value}, span, {}, {}}).error != Error::ok) return;
    UpcallTable& table = victim.table;
    table = {};
    table.save_area = address_of(span.page());
    table.vector = address_of(span.page() + 1);
    for (const UpcallKind kind : {UpcallKind::revoke, UpcallKind::repossessed})
        table.entry[static_cast<u64>(kind)] = VirtAddr{reinterpret_cast<u64>(victim_upcall)};
    attempt<UpcallSet>({address(table)});
}

/// Give something back, or not: what it has in hand, part of it, what is not its own, or nothing.
inline void answer_request(Victim& victim, const RevocationRequest& request) {
    while (one_in(victim, 2)) yield();
    switch (below(victim, 8)) {
        case 0: return;
        case 1: end_itself(victim);
        case 2: yield(); break;
        case 3: attempt<EnvDestroy>({address(victim.child.frames)}); break;
        default:
            if (request.kind == RevocationKind::slots)
                attempt<SlotRelease>({address(victim.scratch), SlotNumber{victim.scratch.first}, 1});
            else if (request.kind == RevocationKind::kernel_memory)
                attempt<ContextDestroy>({address(victim.grant.context)});
            else
                attempt<FrameRelease>({address(victim.scratch), FrameNumber{victim.scratch.first}, 1 + below(victim, victim.scratch.count + 1)});
    }
}

inline void hear(Victim& victim) {
    if (victim.area.kind != ResourceKind::frames) listen(victim);
    else use_memory(victim);
}

}  // namespace tessera::faults

extern "C" [[gnu::used]] inline void victim_told(tessera::SaveRecord& record) {
    using namespace tessera;
    using namespace tessera::faults;
    const PageNumber page = page_of(address(record));
    Victim& victim = victims[(page.value - kFirstOwnPage) / kOwnPages];
    const Doing before = diary.doing[victim.place];
    enter(victim, Doing::told);
    __atomic_fetch_add(&told, 1, __ATOMIC_RELAXED);
    if (record.kind == static_cast<u32>(UpcallKind::revoke)) {
        answer_request(victim, request_at(record.address));
    } else {
        __atomic_fetch_add(&taken_by_force, 1, __ATOMIC_RELAXED);
        auto& vector = *reinterpret_cast<RepossessionVector*>(address_of(page + 1).value);
        expect_true("lines of the vector", vector.used <= RepossessionVector::kLines, vector.used);
        vector.used = 0;
    }
    enter(victim, before);
}
