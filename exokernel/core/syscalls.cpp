#include "exokernel/core/syscalls.hpp"

#include <array>
#include <bit>

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/slots.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {

Environment& caller() { return Cpu::here().caller(); }

namespace {

/// A register's word, as whatever one-word type an argument has.
struct Word {
    u64 value;
    template <class T>
    constexpr operator T() const { return std::bit_cast<T>(value); }
};

/// The words as a call's arguments, member by member: through memory it would cost a store and a load each.
template <class Args>
[[gnu::always_inline]] inline Args decode([[maybe_unused]] u64 a, [[maybe_unused]] u64 b, [[maybe_unused]] u64 c,
                                          [[maybe_unused]] u64 d, [[maybe_unused]] u64 e) {
    constexpr u64 kWords = std::is_empty_v<Args> ? 0 : sizeof(Args) / 8;
    const auto word = [](u64 value) { return Word{value}; };
    if constexpr (kWords == 0) return Args{};
    else if constexpr (kWords == 1) return Args{word(a)};
    else if constexpr (kWords == 2) return Args{word(a), word(b)};
    else if constexpr (kWords == 3) return Args{word(a), word(b), word(c)};
    else if constexpr (kWords == 4) return Args{word(a), word(b), word(c), word(d)};
    else return Args{word(a), word(b), word(c), word(d), word(e)};
}

/// A Result is laid out as the answer is; what is left is the types.
template <class T>
SysReply reply(const Result<T>& result) {
    if (!result.ok()) [[unlikely]]
        return {result.error(), result.failure().detail};
    if constexpr (std::is_empty_v<T>)
        return {Error::ok, 0};
    else
        return {Error::ok, std::bit_cast<u64>(result.value())};
}

/// What the entry code jumps to. The fourth word is the caller's rip and no argument. Every register that a handler
/// may have used is cleared, so that nothing of the kernel's, a key's least of all, is left in one.
template <class Call>
[[gnu::zero_call_used_regs("all-gpr")]] SysReply thunk(u64 a, u64 b, u64 c, u64, u64 d, u64 e) {
    // A yield that leaves is on the bill by itself: nothing is added to that path.
    if constexpr (!std::is_same_v<Call, Yield>) ++caller().info->syscalls;
    return reply(on_call(decode<typename Call::Args>(a, b, c, d, e)));
}

using Thunk = SysReply (*)(u64, u64, u64, u64, u64, u64);
extern "C" {
SysReply null_call(u64, u64, u64, u64, u64, u64);      // entry.S
SysReply blocking_call(u64, u64, u64, u64, u64, u64);
SysReply guest_call(u64, u64, u64, u64, u64, u64);
SysReply transfer_call(u64, u64, u64, u64, u64, u64);  // transfer.S
SysReply transfer_send(u64, u64, u64, u64, u64, u64);
SysReply transfer_answer(u64, u64, u64, u64, u64, u64);
}

template <class Call>
constexpr Thunk thunk_of() {
    if constexpr (std::is_same_v<Call, NullCall>) return null_call;
    else if constexpr (std::is_same_v<Call, TransferCall>) return transfer_call;
    else if constexpr (std::is_same_v<Call, TransferSend>) return transfer_send;
    else if constexpr (std::is_same_v<Call, TransferAnswer>) return transfer_answer;
    else if constexpr (std::is_same_v<Call, GuestRun>) return guest_call;
    else if constexpr (std::is_same_v<Call, Wait> || std::is_same_v<Call, EnvPlace>) return blocking_call;
    else
        return thunk<Call>;
}

}  // namespace

template <class... Calls>
constexpr std::array<Thunk, sizeof...(Calls)> thunks_of(SyscallList<Calls...>) { return {thunk_of<Calls>()...}; }
extern "C" {
extern const std::array<Thunk, Syscalls::count> syscall_table;
const std::array<Thunk, Syscalls::count> syscall_table = thunks_of(Syscalls{});

/// For environments that want no upcall for calls that are not ours.
[[gnu::zero_call_used_regs("all-gpr")]] SysReply unknown_syscall_answer() { return {Error::unknown_call, 0}; }
}

namespace {

constexpr u64 kBatchedRequest = offsetof(BatchedCall, error);  // what is read; behind it lies the answer
static_assert(offsetof(BatchedCall, value) == kBatchedRequest + 8 && sizeof(SysReply) == 16);

/// One call of a batch, through the same table.
SysReply serve(const BatchedCall& call) {
    // Those that do not come back here, or not in bounded time, are no calls in a batch.
    constexpr u64 kAlone = u64{1} << Yield::number | u64{1} << Exit::number | u64{1} << Batch::number | u64{1} << TransferCall::number |
                           u64{1} << TransferAnswer::number | u64{1} << TransferSend::number | u64{1} << Wait::number | u64{1} << EnvPlace::number |
                           u64{1} << GuestRun::number;
    static_assert(Syscalls::count <= 64);
    if (call.number >= Syscalls::count || (kAlone >> call.number & 1)) return {Error::unknown_call, 0};
    return syscall_table[call.number](call.args[0], call.args[1], call.args[2], 0, call.args[3], call.args[4]);
}

/// Calls that are made with everything stopped, whatever their arguments.
bool stops_everything(u64 number) {
    constexpr u64 kCalls = u64{1} << ContextCreate::number | u64{1} << ContextDestroy::number | u64{1} << SlotTake::number |
                           u64{1} << SlotRelease::number | u64{1} << SlotRun::number | u64{1} << EnvCreate::number |
                           u64{1} << EnvDestroy::number | u64{1} << EnvQuota::number | u64{1} << Revoke::number |
                           u64{1} << FrameSample::number | u64{1} << Autosave::number | u64{1} << Reserve::number |
                           u64{1} << GateBind::number | u64{1} << GuestCreate::number | u64{1} << GuestDestroy::number |
                           u64{1} << GuestLoad::number;
    return number < Syscalls::count && (kCalls >> number & 1);
}

}  // namespace

Result<u64> on_call(const Batch::Args& args) {
    if (args.count == 0 || args.count > Batch::kMaxCount) return Error::bad_argument;
    Environment& env = caller();
    // All of it is there before the first call is made: "not mapped, call again" must not mean to make some twice.
    TRY(check_user(*env.context, args.calls, args.count * sizeof(BatchedCall), true));
    // What stops the other CPUs anyway stops them once for all of the batch, not for each call.
    BatchedCall first;
    TRY(copy_in(*env.context, first, args.calls, kBatchedRequest));
    Exclusive exclusive(stops_everything(first.number));
    // The libOS can change its array while it is served, and a call can take its pages away: each call is read once,
    // just before it is made, and its place is looked up again for the answer.
    for (u64 i = 0; i < args.count; ++i) {
        const VirtAddr address = args.calls + i * sizeof(BatchedCall);
        BatchedCall call;
        if (!copy_in(*env.context, call, address, kBatchedRequest).ok()) return i;  // a call before took it away
        const SysReply answer = serve(call);
        if (Cpu::here().env == nullptr) run_next_slot(Cpu::here());
        if (const auto out = check_user(*env.context, address + kBatchedRequest, sizeof answer, true); out.ok())
            commit_copy_out(out.value(), answer);  // else nobody reads the answer; what was done stays done
        if (answer.error != Error::ok || read_tsc() > Cpu::here().boundary) return i + 1;
    }
    return args.count;
}

}  // namespace tessera::kernel
