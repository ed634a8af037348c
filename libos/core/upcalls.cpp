// The C++ side of the upcall path: the table of handlers, and the handlers that a program starts with.
#include "libos/core/upcalls.hpp"

#include "libos/core/collisions.hpp"
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
bool resolve_nothing(VirtAddr, u64) { return false; }
constinit FaultPolicy fault_policy = resolve_nothing;
constinit RecentFaults recent_faults;
constinit Pins pins;

constexpr u64 index_of(UpcallKind kind) { return static_cast<u64>(kind); }

constexpr void (*kEntries[kUpcallKinds])() = {libos_upcall_page_fault, libos_upcall_exception, libos_upcall_slice_begin,
                                              libos_upcall_slice_end, libos_upcall_unknown_syscall};

bool has(u64 access, AccessKind bit) { return access & static_cast<u64>(bit); }

}  // namespace

Outcome register_upcalls() {
    table.save_area = address(libos_save_area);
    libos_handlers[index_of(UpcallKind::page_fault)] = on_page_fault;
    libos_handlers[index_of(UpcallKind::exception)] = on_exception;
    for (UpcallKind kind : {UpcallKind::page_fault, UpcallKind::exception})
        table.entry[index_of(kind)] = VirtAddr{reinterpret_cast<u64>(kEntries[index_of(kind)])};
    TRY(call<UpcallSet>({address(table)}));
    return Done{};
}

Outcome set_entry(UpcallKind kind, void (*entry)()) {
    table.entry[index_of(kind)] = VirtAddr{reinterpret_cast<u64>(entry)};
    TRY(call<UpcallSet>({address(table)}));
    return Done{};
}

// Order: the handler first, as the kernel may deliver as soon as it knows the entry.
Outcome route(UpcallKind kind, Handler handler) {
    libos_handlers[index_of(kind)] = handler;
    return set_entry(kind, kEntries[index_of(kind)]);
}

void set_fault_policy(FaultPolicy policy) { fault_policy = policy != nullptr ? policy : resolve_nothing; }

bool make_bound(VirtAddr address, u64 access) {
    return in_image(address) ? bind_image_page(address, access) : fault_policy(address, access);
}

// A page more or less guaranteed: the one pinned longest ago makes room, and comes back when it is touched. Where
// its set of guaranteed mappings is full of the program's own, the page is bound as any other.
bool make_pinned(VirtAddr address, u64 access) {
    const PageNumber gone = pins.replace(page_of(address));
    if (gone.value != 0) static_cast<void>(enter_kernel<Unbind>({PageSpan::make(gone, 1), {}}));
    return make_bound(address, access | kPin) || make_bound(address, access);
}

// Hot. What is needed after the calls is looked up again where it is needed, so nothing has to be kept.
void on_page_fault(SaveRecord& record) {
    const VirtAddr address{record.address};
    const u64 access = record.error;
    bool resolved;
    if (recent_faults.comes_again(record.rip, address)) [[unlikely]]
        resolved = make_pinned(address, access);
    else if (in_image(address))
        resolved = bind_image_page(address, access);
    else
        resolved = fault_policy(address, access);
    if (!resolved) [[unlikely]]
        die_of(libos_save_area.record[libos_save_area.depth - 1]);
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
