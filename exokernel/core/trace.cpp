#include "exokernel/core/trace.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/log.hpp"

namespace tessera::kernel {
namespace {

constexpr const char* kEventNames[] = {
    "none",         "page_fault",      "refill",        "upcall",    "syscall",         "syscall_exit",
    "exception",    "env_created",     "env_ended",     "switched",  "slice_end",       "forced_switch",
    "context_created", "context_destroyed", "tables_dropped", "shot_down", "fpu_switched",
    "revoked", "repossessed",
};
static_assert(sizeof kEventNames / sizeof kEventNames[0] == static_cast<u64>(Event::count_));

struct Item {
    u64 tsc;
    Event event;
    u64 a, b;
};
constexpr u64 kItems = kTraceHops ? 1024 : 64;
struct Ring {
    u64 written;
    Item items[kItems];
} rings[kMaxCpus];

template <class Each>
void for_each_item(const Ring& ring, u64 last, Each&& each) {
    const u64 kept = ring.written < kItems ? ring.written : kItems;
    for (u64 i = ring.written - (kept < last ? kept : last); i < ring.written; ++i) each(ring.items[i % kItems]);
}

}  // namespace

void trace(Event event, u64 a, u64 b) {
    Ring& ring = rings[Cpu::here().index];
    ring.items[ring.written++ % kItems] = Item{read_tsc(), event, a, b};
}

void log_trace() {
    log("last events:");
    for_each_item(rings[Cpu::here().index], 24, [](const Item& item) {
        log("  ", item.tsc, " ", kEventNames[static_cast<u64>(item.event)], " ", Hex{item.a}, " ", Hex{item.b});
    });
}

void record_trace() {
    static Text<kMaxRecord> text;
    text = Text<kMaxRecord>("{\"events\":[");
    bool first = true;
    for_each_item(rings[Cpu::here().index], kItems, [&](const Item& item) {
        const Text<128> one(first ? "" : ",", "[", item.tsc, ",\"", kEventNames[static_cast<u64>(item.event)], "\",", item.a,
                            ",", item.b, "]");
        if (text.view().size() + one.view().size() + 2 > kMaxRecord) {
            write_record(RecordType::trace, 0, text.add("]}").view());
            std::string_view alone = one.view();
            if (!first) alone.remove_prefix(1);
            text = Text<kMaxRecord>("{\"events\":[", alone);
        } else {
            text.add(one.view());
        }
        first = false;
    });
    write_record(RecordType::trace, 0, text.add("]}").view());
}

/// Called by the HOP macro of entry.S, with all registers saved.
extern "C" void trace_hop(u64 hop) {
    Cpu& cpu = Cpu::here();
    const bool fault = hop == static_cast<u64>(Event::page_fault);
    trace(static_cast<Event>(hop), fault ? read_cr2() : 0, cpu.env != nullptr ? cpu.env->id.value : 0);
}

}  // namespace tessera::kernel
