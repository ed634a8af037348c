// The system calls: one descriptor each, and the list of them. Everything else is derived from here:
// the kernel's table, the libOS's stubs, the names in traces, the documentation page, the golden file.
//
// Registers. rax: the number. rdi, rsi, rdx, r8, r9: the words of `Args`, in order. Answer: rax is the
// Error, rdx the Reply. rcx, r11, rdi, rsi, r8, r9, r10 and the flags are lost; rbx, rbp, rsp, r12-r15 kept
// (`yield` keeps only rsp, and leaves the bases of FS and GS zero: what is live is the libOS's to save).
//
// A pointer argument names memory of the caller that must be *bound* with the needed rights. The kernel
// reaches it through the S-TLB, never by touching a user address: where a page has no binding the answer
// is Error::not_mapped with the address, and the caller binds it and calls again.
// A `VirtAddr context` of zero means the caller's own context, which it was bound to when it was made;
// any other context takes a capability with Right::use.
#pragma once

#include <tuple>
#include <type_traits>

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/errors.hpp"
#include "exokernel/abi/guest.hpp"
#include "exokernel/abi/revocation.hpp"
#include "exokernel/abi/span.hpp"
#include "exokernel/abi/transfer.hpp"
#include "exokernel/abi/types.hpp"
#include "exokernel/abi/upcalls.hpp"

namespace tessera {

inline constexpr u64 kAbiVersion = 3;

struct Nothing {};

/// Does nothing: the price of crossing the boundary.
struct NullCall {
    static constexpr u64 number = 0;
    static constexpr const char* name = "null";
    struct Args {};
    using Reply = Nothing;
};

/// Write bytes to the log (COM1). The kernel puts the environment's name before every line and replaces
/// what is not printable. At most 4096 bytes a call.  Errors: bad_argument, bad_address, not_mapped.
struct LogWrite {
    static constexpr u64 number = 1;
    static constexpr const char* name = "log_write";
    struct Args { VirtAddr text; u64 length; };
    using Reply = Nothing;
};

/// Send one framed record (COM2) under the environment's own name: JSON text, at most 4096 bytes.
/// Errors: bad_argument, bad_address, not_mapped.
struct RecordWrite {
    static constexpr u64 number = 2;
    static constexpr const char* name = "record_write";
    struct Args { VirtAddr text; u64 length; };
    using Reply = Nothing;
};

/// End this environment. Everything that it holds goes back. Does not return.
struct Exit {
    static constexpr u64 number = 3;
    static constexpr const char* name = "exit";
    struct Args { u64 code; };
    using Reply = Nothing;
};

/// Give the rest of the slice to `target` (directed yield), or with a zero id to whoever can run.
/// Returns when this environment runs again.  Errors: not_found (no such environment, or it has ended), elsewhere, asleep.
struct Yield {
    static constexpr u64 number = 4;
    static constexpr const char* name = "yield";
    struct Args { EnvId target; };
    using Reply = Nothing;
};

/// Take `count` frames: the very ones from `first` on, or with first = kAny a contiguous run anywhere,
/// starting at a multiple of `alignment` frames (a power of two). Writes a Capability with all frame rights
/// to `capability`. Reply: the first frame. The frames are zero when they are first bound.
/// Errors: bad_argument, quota, exhausted, conflict, out_of_range, and the pointer's.  At most 65536 a call.
struct FrameAlloc {
    static constexpr u64 number = 5;
    static constexpr const char* name = "frame_alloc";
    static constexpr u64 kMaxCount = 65536;
    struct Args { FrameNumber first; u64 count; u64 alignment; VirtAddr capability; };
    using Reply = FrameNumber;
};

/// Give back `count` frames of a capability. Every binding of them, anybody's, is broken first, and every
/// capability ever made for them is dead.  Rights: frames.release.  Errors: capability's, out_of_range, in_use.
struct FrameRelease {
    static constexpr u64 number = 6;
    static constexpr const char* name = "frame_release";
    struct Args { VirtAddr capability; FrameNumber first; u64 count; };
    using Reply = Nothing;
};

/// What a context translates, and for whom.
enum class ContextKind : u64 {
    libos,         ///< Virtual pages of environments.
    deprivileged,  ///< Virtual pages of a guest in ring 3: as `libos`, without the information pages.
    shadow,        ///< Virtual pages of a guest in a machine mode of its own, all 48 bits: its shadow page table.
    nested,        ///< Physical pages of such a guest: its nested page table.
};

/// What `context_create` reads: how large the kernel's caches for this context are. They are made of the
/// caller's frames, which become kernel memory: 1 + stlb/128 + guaranteed/128 (rounded up) + tables.
struct ContextSpec {
    VirtAddr frames;    ///< Capability for exactly frames_needed() frames, contiguous.  Rights: frames.use.
    u64 stlb;           ///< Entries of the S-TLB: a power of two, 128 to 65536.
    u64 guaranteed;     ///< Guaranteed mappings: a power of two, 16 to 1024.
    u64 tables;         ///< Frames that hold what the hardware walks: 16 (for all that an instruction can touch) to 512.
    ContextKind kind{}; ///< All but `libos` are for guests (guest_load); no environment lives in one.
    constexpr u64 frames_needed() const { return 1 + stlb / 128 + (guaranteed + 127) / 128 + tables; }
};

/// What `context_create` writes.
struct ContextGrant {
    Capability context;  ///< Rights: use, release.
    Capability stlb;     ///< The S-TLB's frames, to be bound readable: the libOS can look at its own S-TLB.
};

/// Make an address context. Reply: its id.  Errors: bad_argument, capability's, exhausted, in_use, unsupported (this CPU
/// has no such kind).
struct ContextCreate {
    static constexpr u64 number = 7;
    static constexpr const char* name = "context_create";
    struct Args { VirtAddr spec; VirtAddr grant; };
    using Reply = ContextId;
};

/// Destroy a context that no environment lives in and no guest is loaded with; its frames are free again.
/// Rights: context.release.  Errors: capability's, in_use.
struct ContextDestroy {
    static constexpr u64 number = 8;
    static constexpr const char* name = "context_destroy";
    struct Args { VirtAddr context; };
    using Reply = Nothing;
};

/// Bind frames from `first` on at the pages of `span`, with the span's rights: checked here, once.
/// If `tlb_entry` is not zero, writes there the TLB-entry Capability of the binding (one more MAC).
/// A page that was bound before is bound anew. Reply: the number of pages bound.
/// Rights: frames.read/write/execute as asked, context.use.
/// Errors: capability's, out_of_range, bad_argument (a span that is not canonical), conflict (no room
/// among the guaranteed mappings), and the pointers'. Nothing is bound unless all of it can be.
struct Bind {
    static constexpr u64 number = 9;
    static constexpr const char* name = "bind";
    struct Args { VirtAddr capability; FrameNumber first; PageSpan span; VirtAddr context; VirtAddr tlb_entry; };
    using Reply = u64;
};

/// Re-install bindings that a TLB-entry capability stands for: the span's pages, which must lie in it.
/// Rights: tlb_entry.read/write/execute as asked.  Errors: as `bind`. Reply: the number of pages bound.
struct Rebind {
    static constexpr u64 number = 10;
    static constexpr const char* name = "rebind";
    struct Args { VirtAddr tlb_entry; PageSpan span; VirtAddr context; };
    using Reply = u64;
};

/// Drop the bindings of the span's pages, where there are any (also large and guaranteed ones).
/// Reply: how many were dropped.
struct Unbind {
    static constexpr u64 number = 11;
    static constexpr const char* name = "unbind";
    struct Args { PageSpan span; VirtAddr context; };
    using Reply = u64;
};

/// Set the rights of the bindings in the span to the span's rights. Pages without a binding are passed over.
/// Reply: how many were changed.  Errors: denied where a binding was authorised for less; then none changed.
struct Protect {
    static constexpr u64 number = 12;
    static constexpr const char* name = "protect";
    struct Args { PageSpan span; VirtAddr context; };
    using Reply = u64;
};

/// Clear the accessed (`which` & 1) and dirty (`which` & 2) bits of the span's bindings. They are read in the
/// S-TLB itself. Reply: how many bindings had a bit to clear.
struct ClearBits {
    static constexpr u64 number = 13;
    static constexpr const char* name = "clear_bits";
    struct Args { PageSpan span; u64 which; VirtAddr context; };
    using Reply = u64;
};

/// Take `count` free slots: those from `first` on, or with kAny any on CPU `cpu` (need not be adjacent:
/// then count must be 1). They belong to the caller, and run it. Writes a Capability (rights: release, use).
/// Reply: the first slot.  Errors: out_of_range, conflict, exhausted, quota.
struct SlotTake {
    static constexpr u64 number = 14;
    static constexpr const char* name = "slot_take";
    struct Args { u64 cpu; SlotNumber first; u64 count; VirtAddr capability; };
    using Reply = SlotNumber;
};

/// Give slots back.  Rights: slots.release.
struct SlotRelease {
    static constexpr u64 number = 15;
    static constexpr const char* name = "slot_release";
    struct Args { VirtAddr capability; SlotNumber first; u64 count; };
    using Reply = Nothing;
};

/// Say who runs in slots that a capability names, while the owner stays who took them: `env`, or with a zero id the
/// caller. A slot whose environment lives on another CPU, or sleeps, is passed over.
/// Rights: slots.use.  Errors: capability's, out_of_range, not_found.
struct SlotRun {
    static constexpr u64 number = 16;
    static constexpr const char* name = "slot_run";
    struct Args { VirtAddr capability; SlotNumber first; u64 count; EnvId env; };
    using Reply = Nothing;
};

/// What `env_create` reads.
struct EnvSpec {
    VirtAddr context;       ///< Capability of the context that it lives in.  Rights: context.use.
    VirtAddr frames;        ///< Capability for exactly kEnvFrames frames, which become kernel memory.  Rights: frames.use.
    VirtAddr entry;         ///< First instruction, with rdi = argument and no stack.
    u64 argument;
    u64 frame_quota;        ///< Frames that it may own, taken from the caller's quota.
    char name[16];          ///< [a-z0-9_-], for the log.
};
inline constexpr u64 kEnvFrames = 2;

/// Make an environment, on the CPU of the caller. It owns no slots: run it by yielding to it or by giving it a slot.
/// Writes a Capability (rights: release, use, revoke). Reply: its id.  Errors: bad_argument, capability's, exhausted, quota,
/// conflict (the name of an environment that was loaded at boot, which lives).
struct EnvCreate {
    static constexpr u64 number = 17;
    static constexpr const char* name = "env_create";
    struct Args { VirtAddr spec; VirtAddr capability; };
    using Reply = EnvId;
};

/// End another environment (or oneself).  Rights: environment.release.
struct EnvDestroy {
    static constexpr u64 number = 18;
    static constexpr const char* name = "env_destroy";
    struct Args { VirtAddr capability; };
    using Reply = Nothing;
};

/// Register the save area and the entry points for upcalls (an UpcallTable).
/// Errors: bad_address, not_mapped, denied (the page is not guaranteed and writable, or the frame is not the
/// caller's own), conflict (another environment's save area).
struct UpcallSet {
    static constexpr u64 number = 19;
    static constexpr const char* name = "upcall_set";
    struct Args { VirtAddr table; };
    using Reply = Nothing;
};

/// Is this capability good, here, now, for me? Reply: the rights that are left after its caveats.
struct CapabilityCheck {
    static constexpr u64 number = 20;
    static constexpr const char* name = "capability_check";
    struct Args { VirtAddr capability; };
    using Reply = u64;
};

/// One call of a batch; the kernel writes error and value.
struct BatchedCall {
    u64 number;
    u64 args[5];
    Error error;
    u64 value;
};
static_assert(sizeof(BatchedCall) == 64);

/// Make up to 64 calls in one entry. Stops behind the first that fails, and when the slice is over: then call again for
/// the rest. Reply: how many were made, the failing one included. Calls that
/// may not come back (yield, exit, batch, call, answer, send, wait, env_place, guest_run) answer unknown_call inside a batch.
struct Batch {
    static constexpr u64 number = 21;
    static constexpr const char* name = "batch";
    static constexpr u64 kMaxCount = 64;
    struct Args { VirtAddr calls; u64 count; };
    using Reply = u64;
};

/// Let an environment live on CPU `cpu` from now on: slots there can run it, slots elsewhere pass it over. A zero
/// capability means the caller, which goes on there with all registers but those that a call loses. Where it runs just
/// now, it is interrupted.
/// Rights: environment.use.  Errors: capability's, out_of_range (no such CPU), busy (it is in the middle of a system call
/// of its own: call again).
struct EnvPlace {
    static constexpr u64 number = 22;
    static constexpr const char* name = "env_place";
    struct Args { VirtAddr environment; u64 cpu; };
    using Reply = Nothing;
};

/// Set how many frames `target` may own; it may own more just now, and then gets no other. Reply: how many it owns.
/// With the capability for every environment as one likes; with another the difference goes to the caller's quota, or
/// comes from it: nobody makes itself richer.
/// Rights: environment.revoke.  Errors: capability's, out_of_range (not an environment of the capability), not_found,
/// bad_argument (more than there are), quota.
struct EnvQuota {
    static constexpr u64 number = 23;
    static constexpr const char* name = "env_quota";
    struct Args { VirtAddr environment; EnvId target; u64 frame_quota; };
    using Reply = u64;
};

/// Ask `target` for units back: `spec` is a RevocationSpec. It is told by upcall and chooses; what is still owed at the
/// deadline is repossessed. Reply: the request's number, also to be found in the published table of requests.
/// Rights: environment.revoke.  Errors: capability's, bad_argument, out_of_range, not_found, exhausted (kRequests are
/// outstanding there), and the pointer's.
struct Revoke {
    static constexpr u64 number = 24;
    static constexpr const char* name = "revoke";
    struct Args { VirtAddr environment; EnvId target; VirtAddr spec; };
    using Reply = u64;
};

/// Which of `count` frames from `first` on, at most kMaxCount, were touched since they were last sampled: bit i of the
/// words at `bits` for frame first + i, 0 for frames that belong to no environment of the capability. Sampling a
/// frame clears the accessed bits of its bindings, so the next touch refills.  Reply: how many were touched.
/// Rights: environment.revoke.  Errors: capability's, bad_argument, out_of_range, and the pointer's.
struct FrameSample {
    static constexpr u64 number = 25;
    static constexpr const char* name = "frame_sample";
    static constexpr u64 kMaxCount = 512;
    struct Args { VirtAddr environment; FrameNumber first; u64 count; VirtAddr bits; };
    using Reply = u64;
};

/// Seed what becomes of the bytes of `count` of the caller's frames from `first` on, should they be repossessed: `spec`
/// is an AutosaveSpec. A seed holds until the frame changes hands.
/// Rights: frames.release; frames.write for the destinations.  Errors: capability's, bad_argument, out_of_range, in_use
/// (a destination that is seeded or another's destination already, or is not owned), and the pointers'.
struct Autosave {
    static constexpr u64 number = 26;
    static constexpr const char* name = "autosave";
    struct Args { VirtAddr capability; FrameNumber first; u64 count; VirtAddr spec; };
    using Reply = Nothing;
};

/// Put `count` of the caller's frames into the reserve that is never repossessed (`keep` 1), or take them out (0). The
/// loader has put in the guaranteed segments of the image. At most kMaxReserve frames in all.
/// Rights: frames.release.  Errors: capability's, out_of_range, bad_argument, denied (somebody else's), quota.
struct Reserve {
    static constexpr u64 number = 27;
    static constexpr const char* name = "reserve";
    struct Args { VirtAddr capability; FrameNumber first; u64 count; u64 keep; };
    using Reply = Nothing;
};

/// Publish an entry point for protected control transfer at `place` (below kEntriesPerEnvironment). Writes a Capability
/// of kind entry (rights: call). `word` is what the callee finds in rdi: so that it knows which of its
/// entries, or which client that it gave the capability to, is being used. What was published there before is withdrawn.
/// Errors: bad_argument, bad_address, and the pointer's.
struct EntryPublish {
    static constexpr u64 number = 28;
    static constexpr const char* name = "entry_publish";
    struct Args { u64 place; VirtAddr entry; u64 word; VirtAddr capability; };
    using Reply = Nothing;
};

/// Withdraw an entry point: its capabilities are dead, gates bound to it lead nowhere, and a caller that waits for an
/// answer through it gets Error::ended.  Errors: bad_argument (nothing is published there).
struct EntryWithdraw {
    static constexpr u64 number = 29;
    static constexpr const char* name = "entry_withdraw";
    struct Args { u64 place; };
    using Reply = Nothing;
};

/// Bind gate `gate` (below kGatesPerEnvironment) to the entry point that a capability names: authorised here, once. With a
/// zero capability the gate leads nowhere again.  Rights: entry.call.  Errors: bad_argument, capability's.
struct GateBind {
    static constexpr u64 number = 30;
    static constexpr const char* name = "gate_bind";
    struct Args { VirtAddr capability; u64 gate; };
    using Reply = Nothing;
};

/// Protected control transfer, synchronous: on in the callee behind `gate`, with the rest of the slice, until it answers
/// (abi/transfer.hpp: what is in which register).  Errors: not_found (the gate leads nowhere), busy, elsewhere, ended.
struct TransferCall {
    static constexpr u64 number = 31;
    static constexpr const char* name = "call";
    struct Args { u64 gate; };
    using Reply = Nothing;
};

/// Answer the call that is being served, and wait for the next. Without a call to answer (there is none yet, the
/// caller is gone, or it was sent one way) it only waits. The slice goes back to the caller, or to whoever can run.
/// Goes on at the entry point of the next call, on the stack that it waited on; it returns only with Error::interrupted.
struct TransferAnswer {
    static constexpr u64 number = 32;
    static constexpr const char* name = "answer";
    struct Args {};
    using Reply = Nothing;
};

/// As `call`, one way: the callee gets the registers and the rest of the slice, and no answer is waited for. Returns when
/// the caller runs again.  Errors: as `call`, but for ended.
struct TransferSend {
    static constexpr u64 number = 33;
    static constexpr const char* name = "send";
    struct Args { u64 gate; };
    using Reply = Nothing;
};

/// Sleep, and leave the slots to others, until one of `count` terms' clauses holds (WakeTerm, at most kMaxWakeTerms), or the
/// TSC reaches `deadline` (0: never), or one of `events` was notified. Reply: the events that were, and they are taken.
/// A term whose word is not bound counts as holding.
/// Errors: bad_argument (nothing to wait for), interrupted (an upcall was delivered), and the pointers'.
struct Wait {
    static constexpr u64 number = 34;
    static constexpr const char* name = "wait";
    struct Args { VirtAddr terms; u64 count; u64 deadline; u64 events; };
    using Reply = u64;
};

/// Note `events` with the environment behind `gate`, on whatever CPU it is: it wakes up if it waits for one of them,
/// and if it is in a guest (svm) on another CPU, that exits with `interrupted`.
/// Errors: not_found (the gate leads nowhere).
struct Notify {
    static constexpr u64 number = 35;
    static constexpr const char* name = "notify";
    struct Args { u64 gate; u64 events; };
    using Reply = Nothing;
};

/// Post a copy of a capability on the board, where everybody can read it, as `name` at `place` (below
/// kPostsPerEnvironment); with a zero pointer, take down what is there. Posted bytes mean no more than what they are
/// worth when they are presented: narrow them to the presenter that they are for.  Errors: bad_argument, and the pointer's.
struct PostCapability {
    static constexpr u64 number = 36;
    static constexpr const char* name = "post";
    struct Args { VirtAddr capability; u64 place; u64 post_name; };
    using Reply = Nothing;
};

/// Make a guest, one virtual CPU, that `guest_run` runs; it lives as long as the caller, and where it lives. Writes a
/// GuestGrant. Reply: its number, below kGuestsPerEnvironment.
/// Errors: bad_argument, capability's, exhausted, in_use, denied (frames of somebody else), unsupported (this CPU has no
/// SVM; the deprivileged form is always there), and the pointers'.
struct GuestCreate {
    static constexpr u64 number = 37;
    static constexpr const char* name = "guest_create";
    struct Args { VirtAddr spec; VirtAddr grant; };
    using Reply = u64;
};

/// End a guest; its frames are free again.  Errors: not_found.
struct GuestDestroy {
    static constexpr u64 number = 38;
    static constexpr const char* name = "guest_destroy";
    struct Args { u64 guest; };
    using Reply = Nothing;
};

/// Load a guest's place `place` (below kContextsPerGuest) with a context that it may run in from now on: authorised here,
/// once. With a zero capability the place is empty again. The kind is the form's: deprivileged; shadow or nested.
/// Rights: context.use.  Errors: not_found, bad_argument, capability's, conflict (not a context of that kind).
struct GuestLoad {
    static constexpr u64 number = 39;
    static constexpr const char* name = "guest_load";
    struct Args { u64 guest; u64 place; VirtAddr context; };
    using Reply = Nothing;
};

/// Go on in a guest, as its state page says, in the context at `place`, until it exits. Reply: GuestExit.
/// Errors: not_found (no such guest, nothing at that place), bad_argument (a proposal that is refused; the value is its offset in
/// GuestState).
struct GuestRun {
    static constexpr u64 number = 40;
    static constexpr const char* name = "guest_run";
    struct Args { u64 guest; u64 place; };
    using Reply = u64;
};

/// Read what has been typed at the console (COM3), at most `length` bytes. Does not wait. Reply: how many.
/// Errors: denied (not the environment with the option `console=1`), bad_argument (more than kMaxCount), and the pointer's.
struct ConsoleRead {
    static constexpr u64 number = 41;
    static constexpr const char* name = "console_read";
    static constexpr u64 kMaxCount = 512;
    struct Args { VirtAddr text; u64 length; };
    using Reply = u64;
};

/// Write bytes to the console, as they are.  Errors: as `console_read`.
struct ConsoleWrite {
    static constexpr u64 number = 42;
    static constexpr const char* name = "console_write";
    struct Args { VirtAddr text; u64 length; };
    using Reply = Nothing;
};

template <class... Calls>
struct SyscallList {
    static constexpr u64 count = sizeof...(Calls);
    static constexpr const char* names[count] = {Calls::name...};
    using Tuple = std::tuple<Calls...>;

    static constexpr bool in_order() {
        u64 expected = 0;
        return ((Calls::number == expected++) && ...);
    }
    template <class T>
    static constexpr bool in_registers =
        std::is_empty_v<T> || (sizeof(T) % 8 == 0 && sizeof(T) <= 40 && std::is_trivially_copyable_v<T>);
    static_assert((in_registers<typename Calls::Args> && ...), "arguments are whole registers, at most five");
};

using Syscalls = SyscallList<NullCall, LogWrite, RecordWrite, Exit, Yield, FrameAlloc, FrameRelease, ContextCreate,
                             ContextDestroy, Bind, Rebind, Unbind, Protect, ClearBits, SlotTake, SlotRelease, SlotRun,
                             EnvCreate, EnvDestroy, UpcallSet, CapabilityCheck, Batch, EnvPlace, EnvQuota, Revoke, FrameSample,
                             Autosave, Reserve, EntryPublish, EntryWithdraw, GateBind, TransferCall, TransferAnswer,
                             TransferSend, Wait, Notify,
                             PostCapability, GuestCreate, GuestDestroy, GuestLoad, GuestRun, ConsoleRead, ConsoleWrite>;
static_assert(Syscalls::in_order(), "a call's number is its place in the list");

}  // namespace tessera
