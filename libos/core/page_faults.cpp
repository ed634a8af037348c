// Who resolves a page fault: the image for its own pages, the program's fault policy for all others; and where a page
// keeps being displaced, it is pinned (collisions.hpp).
#include "libos/core/collisions.hpp"
#include "libos/core/preemption.hpp"
#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/core/upcalls.hpp"

namespace tessera::libos {
namespace {

bool resolve_nothing(VirtAddr, u64) { return false; }
bool nothing_lost(VirtAddr, bool) { return false; }
constinit FaultPolicy fault_policy = resolve_nothing;
constinit LossPolicy loss_policy = nothing_lost;
constinit CollisionWatch collisions;
constinit Standstill standstill;
constinit Pins pins;

/// Could it be a page of the image? Addresses that reserve_pages gives lie behind it.
bool in_image(VirtAddr address) {
    return address.value - reinterpret_cast<u64>(libos_text) < static_cast<u64>(libos_image_end - libos_text);
}

void unpin(PageNumber page) {
    if (page.value != 0) static_cast<void>(enter_kernel<Unbind>({PageSpan::make(page, 1), {}}));
}

// A page more or less guaranteed: the one pinned longest ago makes room, and comes back when it is touched. Where its set of
// guaranteed mappings is still full, that may be of others that were pinned; or it is the program's own.
bool pin(VirtAddr address, u64 access) {
    unpin(pins.replace(page_of(address)));
    if (make_bound(address, access | kPin)) return true;
    for (PageNumber each; (each = pins.take_one()).value != 0;) unpin(each);
    if (!make_bound(address, access | kPin)) return false;
    static_cast<void>(pins.replace(page_of(address)));
    return true;
}

[[noreturn]] void end_displaced(const SaveRecord& record, PageNumber page) {
    const PageNumber other = collisions.partner_of(page, boot().stlb_entries);
    print("fatal: pages ", hex(page.value), " and ", hex(other.value), " displace each other at rip ", hex(record.rip),
          ", no room to pin one: raise guaranteed=", boot().guaranteed_entries, " or stlb=", boot().stlb_entries, "\n");
    exit(kFatalExit);
}

[[gnu::noinline]] bool look_closer(const SaveRecord& record) {
    const VirtAddr address{record.address};
    const PageNumber page = page_of(address);
    if (!collisions.finds(record.rip, page, boot().stlb_entries)) return make_bound(address, record.error);
    if (pin(address, record.error)) return true;
    if (!make_bound(address, record.error)) return false;
    if (standstill.lasts(record)) end_displaced(record, page);
    return true;
}

}  // namespace

void set_fault_policy(FaultPolicy policy) { fault_policy = policy != nullptr ? policy : resolve_nothing; }

void set_loss_policy(LossPolicy policy) { loss_policy = policy != nullptr ? policy : nothing_lost; }

bool resolve_once(VirtAddr address, u64 access) {
    return in_image(address) ? bind_image_page(address, access) : fault_policy(address, access);
}

// A handler is not preempted by a thread, nor does anybody work on its regions meanwhile. Anybody else might be.
bool make_bound(VirtAddr address, u64 access) {
    if (libos_save_area.depth != 0) return resolve_once(address, access);
    PagingWork guard;
    return resolve_once(address, access) || (loss_policy(address, true) && resolve_once(address, access));
}

bool make_pinned(VirtAddr address, u64 access) { return pin(address, access) || make_bound(address, access); }

void on_page_fault(SaveRecord& record) {
    if (!libos_resolve_fault(record)) libos_last_resort(record);
}

}  // namespace tessera::libos

// Hot: 7 instructions and the policy.
bool libos_resolve_fault(const tessera::SaveRecord& record) {
    using namespace tessera;
    using namespace tessera::libos;
    if (collisions.is_due()) [[unlikely]]
        return look_closer(record);
    const VirtAddr address{record.address};
    const u64 access = record.error;
    if (address.value < reinterpret_cast<u64>(libos_image_end)) [[unlikely]]
        return make_bound(address, access);
    return fault_policy(address, access);
}

// Returns when the access may be made again.
void libos_last_resort(const tessera::SaveRecord& record) {
    using namespace tessera::libos;
    const bool inside = is_nested(record) || preemption.paging != 0;
    if (!loss_policy(tessera::VirtAddr{record.address}, inside)) die_of(record);
}
