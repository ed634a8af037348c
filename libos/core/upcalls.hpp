// Upcalls in C++: which function handles what, and what a handler can do with the interrupted code.
//
// Where a handler runs: on the upcall stack, with the interrupted code's registers around it. upcall.S saves
// little, so a handler must keep the rest: mark it LIBOS_HANDLER, and the compiler sees to it. A function that
// is not marked goes through set_plain_handler, which saves everything, SSE included. Page faults alone come
// by longer entries that save what any C++ function of libos may clobber, as their handlers make calls.
//
// Three ways to handle a kind, from easy to fast:
//   set_plain_handler<kind, f>()   any function                                +30 instructions or so
//   set_handler<kind, f>()         f marked LIBOS_HANDLER
//   set_entry(kind, f)             your own assembly, straight from the kernel: upcalls.hpp in exokernel/abi
//                                  says with what in which register; end as upcall.S does
#pragma once

#include "exokernel/abi/revocation.hpp"
#include "exokernel/abi/upcalls.hpp"
#include "libos/core/call.hpp"

/// Keeps every general register and touches no SSE register.
#define LIBOS_HANDLER gnu::no_caller_saved_registers, gnu::target("general-regs-only")

extern "C" {
extern tessera::SaveArea libos_save_area;
extern void (*libos_handlers[tessera::kUpcallKinds])(tessera::SaveRecord&);
void libos_upcall_page_fault();
void libos_upcall_page_fault_straight();
void libos_upcall_exception();
void libos_upcall_slice_begin();
void libos_upcall_slice_end();
void libos_upcall_unknown_syscall();
void libos_upcall_revoke();
void libos_upcall_repossessed();
void libos_redirected();
/// What the straight entry calls: has the fault been resolved? And if not.
bool libos_resolve_fault(const tessera::SaveRecord& record);
void libos_last_resort(const tessera::SaveRecord& record);
extern char libos_text[], libos_image_end[];
}

namespace tessera::libos {

using Handler = void (*)(SaveRecord&);

/// Exit code of a program that libos ended, with the reason in the log.
inline constexpr u64 kFatalExit = 101;

/// Registers libos's entries for page faults and exceptions. Slices and unknown calls stay with the kernel
/// until a handler for them is set.
Outcome register_upcalls();

/// Let the kernel deliver `kind` at `entry`; nullptr: not at all.
Outcome set_entry(UpcallKind kind, void (*entry)());

/// Deliver `kind` through upcall.S to `handler`.
Outcome route(UpcallKind kind, Handler handler);

/// SSE registers as they were, around code that may use them.  Cost: 2 instructions, 512 bytes of stack.
class SseGuard {
  public:
    SseGuard() { asm volatile("fxsave64 %0" : "=m"(area_)); }
    ~SseGuard() { asm volatile("fxrstor64 %0" ::"m"(area_)); }
    SseGuard(const SseGuard&) = delete;
    SseGuard& operator=(const SseGuard&) = delete;

  private:
    struct alignas(16) {
        char bytes[512];
    } area_;
};

template <Handler handler>
[[LIBOS_HANDLER]] void keep_everything(SaveRecord& record) {
    SseGuard guard;
    handler(record);
}

/// `handler` is marked LIBOS_HANDLER.
template <UpcallKind kind, Handler handler>
Outcome set_handler() {
    return route(kind, handler);
}

/// `handler` is any function.
template <UpcallKind kind, Handler handler>
Outcome set_plain_handler() {
    return route(kind, keep_everything<handler>);
}

/// Who resolves page faults outside the image: bind what `address` needs for the access (bits of AccessKind)
/// and return true, or false: not mine. Runs in a handler: no SSE (SseGuard around what may use it).
using FaultPolicy = bool (*)(VirtAddr address, u64 access);
/// nullptr: nobody.
void set_fault_policy(FaultPolicy policy);

/// Bind what is missing: a page of the image, or what the fault policy knows. False: nobody knows it.
bool resolve_once(VirtAddr address, u64 access);

/// Who is asked when a page fault could not be resolved, before it is fatal: the page's frame may have been taken by force.
/// `inside`: the page was touched by a handler, or under PagingWork, which may be in the middle of something. True: try again.
using LossPolicy = bool (*)(VirtAddr address, bool inside);
void set_loss_policy(LossPolicy policy);

/// Where the kernel writes what it took by force; the page must be the environment's own, and guaranteed.
Outcome set_repossession_vector(const RepossessionVector* vector);

/// The default for page faults: the image's own pages, then the fault policy, then the end with a message.
void on_page_fault(SaveRecord& record);

/// Bind an ordinary page of the image again, if it is one and may be accessed like that.
bool bind_image_page(VirtAddr address, u64 access);

/// The default for exceptions: the end, with a message.
[[LIBOS_HANDLER]] void on_exception(SaveRecord& record);

/// For slice_end: yield at once, and go on when the environment runs again.
[[LIBOS_HANDLER]] void on_slice_end(SaveRecord& record);

/// End the environment because of what `record` says; prints it first.
[[noreturn]] void die_of(const SaveRecord& record);

/// True when the upcall came while another was being handled.
bool is_nested(const SaveRecord& record);

/// Make the interrupted code call `function` where it was interrupted, on its own stack and without noticing:
/// all registers and flags are kept. For preemption: `function` may switch threads and come back much later.
/// Writes 152 bytes below the interrupted rsp. Not for nested upcalls.
void redirect(SaveRecord& record, void (*function)());

}  // namespace tessera::libos
