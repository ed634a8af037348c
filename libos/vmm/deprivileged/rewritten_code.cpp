#include "libos/vmm/deprivileged/rewritten_code.hpp"

namespace tessera::vmm {

namespace {

constexpr u32 kMostFlips = 64;  // of a page that is written, and executed again
constexpr const char* kTooMuch = "its code overlaps itself, or is more than there is room to remember";

}  // namespace

/// The guest's kernel is about to go on at `rip`: what ring 3 must not execute from there on is replaced.
void RewrittenCode::scan(u64 rip) {
    if (const auto where = code_.physical(rip); where && rewriter_.was_scanned(*where)) return;
    const Rewriter::Scanned scanned = rewriter_.scan(code_, rip);
    scanned_ += scanned.instructions;
    if (!scanned.complete) problem_ = kTooMuch;
}

std::optional<Exception> RewrittenCode::enter(const VirtualMachine& machine, GuestState& state, Onward onward) {
    if (onward == Onward::elsewhere) scan(machine.cpu.rip);
    return GuestCode::enter(machine, state, onward);
}

ShadowMapping RewrittenCode::limit(ShadowMapping mapping, const Access& access, u64 rip) {
    if (access.user) return mapping;
    if (access.fetch) scan(rip);
    const u64 frame = mapping.frame_of(mapping.page);
    if (access.fetch) shadow_.watch(frame);
    if (shadow_.is_watched(frame)) return {mapping.root, mapping.page, mapping.page, frame, 1, false, mapping.execute, mapping.user};
    mapping.execute = false;
    return mapping;
}

/// Is it the byte that the rewriter writes?
bool RewrittenCode::stands_on_trap(u64 rip) {
    u8 byte;
    return is_canonical(rip) && code_.read(rip, &byte, 1) && byte == kTrappingByte;
}

std::optional<Emulated> RewrittenCode::take(const VirtualMachine& machine) {
    const auto where = code_.physical(machine.cpu.rip);
    const KnownInstruction* known = where ? known_.find(*where) : nullptr;
    if (known == nullptr) return take_site(machine);
    return known->what != Sensitive::none ? emulate(machine, known->in, known->what) : emulate_branch(machine, known->in);
}

// Order: what is done may write, to this page too; it is remembered only if nobody has.
std::optional<Emulated> RewrittenCode::take_site(const VirtualMachine& machine) {
    if (!stands_on_trap(machine.cpu.rip)) return {};
    const u64 where = watched(machine.cpu.rip), generation = known_.generation();
    const RewrittenTrap trap = emulate_site(rewriter_, code_, machine);
    if (!trap.complete) problem_ = kTooMuch;
    if (!trap.was_site) return {};
    known_.remember(where, generation, trap.in, classify(trap.in));
    return trap.emulated;
}

void RewrittenCode::on_write(u64 guest_frame, bool by_kernel) {
    known_.forget();
    PhysicalCode code(memory_);
    // An instruction that only ends on this page may become another, too.
    if (const u64 before = rewriter_.page_before(guest_frame << kPageShift); before != Site::kNobody) {
        rewriter_.forget(code, before);
        contexts_.forget_frame(before >> kPageShift);
    }
    if (rewriter_.forget(code, guest_frame << kPageShift) > kMostFlips && by_kernel) problem_ = "its code changes all the time";
    contexts_.forget_frame(guest_frame);
}

void RewrittenCode::give_up() {
    PhysicalCode code(memory_);
    rewriter_.forget_all(code);
    for (u32 root = 0; root < kMaxRoots / 2; ++root) contexts_.forget_root(root);
}

}  // namespace tessera::vmm
