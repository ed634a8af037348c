// Compiled to assembly only: every line becomes a #define in build/kernel/offsets.h, which entry.S includes. So the
// layouts that trap code depends on are stated once, in C++.
#include "exokernel/abi/records.hpp"
#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/guest.hpp"

using namespace tessera;
using namespace tessera::kernel;

#define DEFINE(name, value) asm volatile("\n#define " #name " %c0" ::"i"(static_cast<u64>(value)))

void offsets() {
    DEFINE(CPU_USER_STACK_SLOT, offsetof(Cpu, user_stack_slot));
    DEFINE(CPU_ENV, offsetof(Cpu, env));
    DEFINE(CPU_CONTEXT, offsetof(Cpu, context));
    DEFINE(CPU_SINCE, offsetof(Cpu, since));
    DEFINE(CPU_ATTENTION, offsetof(Cpu, attention));
    DEFINE(CPU_LOG_NEXT, offsetof(Cpu, log.next));
    DEFINE(CPU_LOG_LIMIT, offsetof(Cpu, log.limit));
    DEFINE(CPU_LOG_FIRST, offsetof(Cpu, log.first));
    DEFINE(CPU_LOG_OLDEST, offsetof(Cpu, log.oldest));
    DEFINE(LOG_ITEM_SLOT, offsetof(HardwareTlbLog::Item, slot));
    DEFINE(LOG_ITEM_TAG, offsetof(HardwareTlbLog::Item, tag));
    DEFINE(LOG_ITEM_SIZE, sizeof(HardwareTlbLog::Item));

    DEFINE(ENV_SAVE, offsetof(Environment, save));
    DEFINE(ENV_SAVE_TO_USER, offsetof(Environment, save_to_user));
    DEFINE(ENV_ENTRY, offsetof(Environment, entry));
    DEFINE(ENV_INFO, offsetof(Environment, info));
    DEFINE(ENV_RESUME_RIP, offsetof(Environment, resume_rip));
    DEFINE(ENV_RESUME_RSP, offsetof(Environment, resume_rsp));
    DEFINE(ENV_RESUME, offsetof(Environment, resume));
    DEFINE(ENV_WHEN_YIELDED, offsetof(Environment, when_yielded));
    DEFINE(ENV_ID, offsetof(Environment, id));
    DEFINE(ENV_CONTEXT, offsetof(Environment, context));
    DEFINE(ENV_CALLER, offsetof(Environment, caller));
    DEFINE(ENV_CALLED, offsetof(Environment, called));
    DEFINE(ENV_GATE_CALLEE, offsetof(Environment, gates.callee));
    DEFINE(ENV_GATE_RIP, offsetof(Environment, gates.rip));
    DEFINE(ENV_GATE_WORD, offsetof(Environment, gates.word));
    DEFINE(GATE_COUNT, kGatesPerEnvironment);
    DEFINE(RESUME_CALLING, Resume::calling);
    DEFINE(RESUME_OPEN, Resume::open);
    DEFINE(WAITS_FOR_CALL, reinterpret_cast<u64>(kWaitsForCall));
    static_assert(Sender::kOneWay == u64{1} << 32);
    DEFINE(ONE_WAY_BIT, 32);

    DEFINE(INFO_TICKS, offsetof(EnvironmentInfo, ticks));
    DEFINE(INFO_SWITCHES, offsetof(EnvironmentInfo, switches));
    DEFINE(INFO_TRANSFERS, offsetof(EnvironmentInfo, transfers));
    DEFINE(INFO_UPCALLS, offsetof(EnvironmentInfo, upcalls));
    DEFINE(INFO_HITS, offsetof(EnvironmentInfo, hits));
    DEFINE(INFO_MISSES, offsetof(EnvironmentInfo, misses));

    DEFINE(CONTEXT_ROOT, offsetof(Context, root));
    DEFINE(CONTEXT_STLB, offsetof(Context, hot.entries));
    DEFINE(CONTEXT_MASK, offsetof(Context, hot.mask));
    DEFINE(CONTEXT_GUARANTEED, offsetof(Context, hot.guaranteed));
    DEFINE(CONTEXT_SET_MASK, offsetof(Context, hot.set_mask));
    DEFINE(CONTEXT_DEAD_SLOT, offsetof(Context, hot.dead_slot));
    DEFINE(CONTEXT_LARGE, offsetof(Context, hot.large));

    DEFINE(ENTRY_TAG, offsetof(StlbEntry, tag));
    DEFINE(ENTRY_PTE, offsetof(StlbEntry, pte));
    DEFINE(ENTRY_SLOT, offsetof(StlbEntry, slot));
    DEFINE(ENTRY_SIZE, sizeof(StlbEntry));
    static_assert(kLargeTag == u64{1} << 62);
    DEFINE(LARGE_TAG_BIT, 62);

    DEFINE(SAVE_RECORDS, offsetof(SaveArea, record));
    DEFINE(SAVE_RECORD_COUNT, kSaveRecords);
    DEFINE(RECORD_RIP, offsetof(SaveRecord, rip));
    DEFINE(RECORD_RFLAGS, offsetof(SaveRecord, rflags));
    DEFINE(RECORD_RSP, offsetof(SaveRecord, rsp));
    DEFINE(RECORD_KIND, offsetof(SaveRecord, kind));
    DEFINE(RECORD_VECTOR, offsetof(SaveRecord, vector));
    DEFINE(RECORD_ERROR, offsetof(SaveRecord, error));
    DEFINE(RECORD_ADDRESS, offsetof(SaveRecord, address));
    DEFINE(RECORD_RAX, offsetof(SaveRecord, rax));
    DEFINE(RECORD_RCX, offsetof(SaveRecord, rcx));
    DEFINE(RECORD_RDX, offsetof(SaveRecord, rdx));

    DEFINE(ENV_GUESTS, offsetof(Environment, guests));
    DEFINE(GUEST_COUNT, kGuestsPerEnvironment);
    DEFINE(GUEST_FORM, offsetof(Guest, form));
    DEFINE(GUEST_FORM_SVM, GuestForm::svm);

    DEFINE(KIND_PAGE_FAULT, UpcallKind::page_fault);
    DEFINE(KIND_EXCEPTION, UpcallKind::exception);
    DEFINE(KIND_UNKNOWN_SYSCALL, UpcallKind::unknown_syscall);
    DEFINE(SYSCALL_COUNT, Syscalls::count);
    DEFINE(EXIT_REFUSED, ExitCode::refused);
}
