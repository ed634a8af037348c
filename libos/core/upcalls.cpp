// The C++ side of the upcall path: the table of handlers, and the handlers that a program starts with.
#include "libos/core/upcalls.hpp"

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"

extern "C" {
extern char libos_upcall_stack[];
extern char libos_upcall_stack_top[];
tessera::libos::Handler libos_handlers[tessera::kUpcallKinds];
}

namespace tessera::libos {
namespace {

constinit UpcallTable table;

constexpr u64 index_of(UpcallKind kind) { return static_cast<u64>(kind); }

constexpr void (*kEntries[kUpcallKinds])() = {libos_upcall_page_fault, libos_upcall_exception, libos_upcall_slice_begin,
                                              libos_upcall_slice_end, libos_upcall_unknown_syscall, libos_upcall_revoke,
                                              libos_upcall_repossessed};

bool has(u64 access, AccessKind bit) { return access & static_cast<u64>(bit); }

/// The library's own handler for page faults has an entry that goes straight to it.
VirtAddr entry_for(UpcallKind kind, Handler handler) {
    const bool straight = kind == UpcallKind::page_fault && handler == on_page_fault;
    return VirtAddr{reinterpret_cast<u64>(straight ? libos_upcall_page_fault_straight : kEntries[index_of(kind)])};
}

}  // namespace

Outcome register_upcalls() {
    table.save_area = address(libos_save_area);
    libos_handlers[index_of(UpcallKind::page_fault)] = on_page_fault;
    table.entry[index_of(UpcallKind::page_fault)] = entry_for(UpcallKind::page_fault, on_page_fault);
    return route(UpcallKind::exception, on_exception);
}

static Outcome register_entry(UpcallKind kind, VirtAddr entry) {
    table.entry[index_of(kind)] = entry;
    TRY(call<UpcallSet>({address(table)}));
    return Done{};
}

Outcome set_repossession_vector(const RepossessionVector* vector) {
    table.vector = VirtAddr{reinterpret_cast<u64>(vector)};
    TRY(call<UpcallSet>({address(table)}));
    return Done{};
}

Outcome set_entry(UpcallKind kind, void (*entry)()) {
    return register_entry(kind, VirtAddr{reinterpret_cast<u64>(entry)});
}

// Order: the handler first, as the kernel may deliver as soon as it knows the entry.
Outcome route(UpcallKind kind, Handler handler) {
    libos_handlers[index_of(kind)] = handler;
    return register_entry(kind, entry_for(kind, handler));
}

void on_exception(SaveRecord& record) { die_of(record); }

// The kernel keeps the FPU and SSE registers for us; all others the compiler keeps around the call.
void on_slice_end(SaveRecord&) { enter_yield({}); }

bool is_nested(const SaveRecord& record) {
    return record.rsp - reinterpret_cast<u64>(libos_upcall_stack) <
           static_cast<u64>(libos_upcall_stack_top - libos_upcall_stack);
}

void redirect(SaveRecord& record, void (*function)()) {
    constexpr u64 kRedZone = 128, kDirectionFlag = 1 << 10;
    u64* frame = reinterpret_cast<u64*>(record.rsp - kRedZone) - 3;
    frame[0] = reinterpret_cast<u64>(function);
    frame[1] = record.rflags;
    frame[2] = record.rip;
    record.rsp = reinterpret_cast<u64>(frame);
    record.rip = reinterpret_cast<u64>(libos_redirected);
    record.rflags &= ~kDirectionFlag;
}

void die_of(const SaveRecord& record) {
    const char* name = record.kind < kUpcallKinds ? kUpcallNames[record.kind] : "upcall";
    print("fatal: ", name, " ", record.vector, " error ", hex(record.error));
    if (record.kind == static_cast<u32>(UpcallKind::page_fault))
        print(has(record.error, AccessKind::fetch)   ? " executing "
              : has(record.error, AccessKind::write) ? " writing "
                                                     : " reading ",
              hex(record.address));
    print(" at rip ", hex(record.rip), " rsp ", hex(record.rsp), "\n");
    exit(kFatalExit);
}

}  // namespace tessera::libos
