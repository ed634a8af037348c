#include "exokernel/core/upcalls.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/arch/x86_64/traps.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/revocation.hpp"

namespace tessera::kernel {

bool deliver_upcall(Environment& env, TrapFrame& frame, UpcallKind kind, u64 error, u64 address) {
    const u64 entry = env.entry[static_cast<u64>(kind)];
    if (entry == 0) return false;
    // Shared with the libOS: the depth is read once.
    const u32 depth = *static_cast<volatile u32*>(&env.save->depth);
    if (depth >= kSaveRecords) return false;
    *static_cast<volatile u32*>(&env.save->depth) = depth + 1;
    SaveRecord& record = env.save->record[depth];
    record.rip = frame.entry.rip;
    record.rflags = frame.entry.rflags;
    record.rsp = frame.entry.rsp;
    record.kind = static_cast<u32>(kind);
    record.vector = 0;
    record.error = error;
    record.address = address;
    record.rax = frame.regs.rax;
    record.rcx = frame.regs.rcx;
    record.rdx = frame.regs.rdx;
    frame.regs.rax = reinterpret_cast<u64>(&record) + env.save_to_user;
    frame.regs.rcx = frame.regs.rdx = 0;
    frame.entry.rip = entry;
    frame.entry.rflags = USER_RFLAGS;
    ++env.info->upcalls;
    return true;
}

void suspend(Environment& env, const TrapFrame& frame) {
    env.frame = frame;
    env.resume = Resume::full;
    if (Cpu::here().attention & Cpu::kNoBases) return;
    env.fs_base = read_fs_base();
    env.gs_base = read_gs_base();
}

void resume(Environment& env) {
    if (env.resume != Resume::full) {
        env.frame = TrapFrame{};
        env.frame.entry = {env.resume_rip, SELECTOR_USER_CODE, USER_RFLAGS, env.resume_rsp, SELECTOR_USER_DATA};
        env.fs_base = env.gs_base = 0;
        env.resume = Resume::full;
    }
    deliver_upcall(env, env.frame, UpcallKind::slice_begin);
    if (env.untold | env.bereaved) deliver_revocations(env);
    resume_quietly(env);
}

void resume_quietly(Environment& env) {
    if (!(Cpu::here().attention & Cpu::kNoBases)) {
        write_fs_base(env.fs_base);
        write_gs_base(env.gs_base);
    }
    resume_full(&env.frame);
}

}  // namespace tessera::kernel
