#include "libos/vmm/deprivileged/translated_code.hpp"

#include <cpuid.h>

#include <algorithm>

#include "libos/vmm/monitor/guest_registers.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

// What goes with a page of code: blocks are about 60 bytes long, and made of about four instructions.
constexpr u64 kBlocksPerPage = 64, kEntriesPerPage = 512, kExitsPerPage = 128, kIndexPerPage = 128;

template <class T>
std::span<T> cut(std::byte*& from, u64 count) {
    auto* const first = reinterpret_cast<T*>(from);
    from += (count * sizeof(T) + 63) & ~u64{63};
    return {first, count};
}

/// RDGSBASE and its like. The kernel switches them on where there are (SDM vol. 2, CPUID leaf 7).
bool has_base_instructions() {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1);
}

constexpr PageNumber page_at(u64 address) { return PageNumber{address >> kPageShift}; }
/// Canonical, of a page of 36 bits.
constexpr u64 address_at(PageNumber page) { return static_cast<u64>(static_cast<i64>(page.value << 28) >> 16); }

/// The trap behind the one instruction that TF allows.
Emulated step(const VirtualMachine& machine) {
    machine.cpu.dr[6] |= dr6::kSingleStep;
    return {Ending::exception, Sensitive::none, Exception::plain(kDebug)};
}

}  // namespace

// ---- Its memory ------------------------------------------------------------------------------------------------

Outcome TranslatedCode::open() {
    const u64 bytes = (kFixedPages + kCodePages) * kPageSize +
                      kCodePages * (kBlocksPerPage * sizeof(Block) + kEntriesPerPage * sizeof(MapEntry) + kExitsPerPage * sizeof(Exit) +
                                    kIndexPerPage * sizeof(u32)) + 4 * 64;
    TRY(window_.take((bytes + kPageSize - 1) >> kPageShift));
    std::byte* at = window_.memory();
    memory_of_.page = cut<TranslationPage>(at, 1).data();
    memory_of_.tables = cut<TranslationTables>(at, 1).data();
    memory_of_.code = cut<u8>(at, kCodePages << kPageShift);
    memory_of_.blocks = cut<Block>(at, kCodePages * kBlocksPerPage);
    memory_of_.entries = cut<MapEntry>(at, kCodePages * kEntriesPerPage);
    memory_of_.exits = cut<Exit>(at, kCodePages * kExitsPerPage);
    memory_of_.index = cut<u32>(at, kCodePages * kIndexPerPage);
    memory_of_.inline_after = inline_after_;
    memory_of_.has_base_instructions = has_base_instructions();
    translator_.emplace(memory_of_);
    return Done{};
}

// ---- Where it stands -------------------------------------------------------------------------------------------

/// Nothing of the guest's memory is there, by the tables of its present root.
bool TranslatedCode::is_free(u64 base) {
    for (u64 i = 0; i < pages();) {
        const PageNumber page = page_at(base) + i;
        const Walk found = walk(machine_.memory(), shadow_.mode(), page, {});
        if (found.result == WalkResult::translated && found.guest_frame < machine_.memory().frames()) return false;
        // An entry that says nothing says it of all its pages.
        const u64 alike = found.result == WalkResult::fault && found.steps != 0 ? pages_of_entry(found.last().level) : 1;
        i += alike - page.value % alike;
    }
    return true;
}

/// Near the kernel, which lies low: operands that are relative to rip then reach what they name. And where pages have their entry in the S-TLB: behind
/// those of the guest's memory, mapped as it lies.
bool TranslatedCode::find_place() {
    constexpr u64 kReach = u64{1} << 31, kEnd = kUserPages << kPageShift;
    const u64 step = ShadowContexts::pages_for(machine_.memory().frames()) << kPageShift, offset = step / 2;
    for (u64 base = kReach - step + offset; base > step; base -= step)
        if (is_free(base)) return memory_of_.layout.base = base, true;
    for (u64 base = kEnd - (u64{1} << 39) + offset; base > kReach; base -= u64{1} << 39)
        if (is_free(base)) return memory_of_.layout.base = base, true;
    return false;
}

void TranslatedCode::move() {
    if (const u64 old = memory_of_.layout.base) {
        for (u32 root = 0; root < kMaxRoots / 2; ++root) contexts_.forget(root, page_at(old), pages());
        ++moves_;
    }
    if (!find_place()) return fail("there are no addresses left for its translated code");
    translator_->move(memory_of_.layout);
    pages_.clear();
    changed_ = true;
}

ShadowMapping TranslatedCode::limit(ShadowMapping mapping, const Access& access, u64) {
    if (stands_at(mapping.first, mapping.count)) move();
    mapping.execute = mapping.execute && access.user;
    return mapping;
}

bool TranslatedCode::on_missing(u64 place, u64 address, const Access& access, u64 rip) {
    const u64 index = (address - memory_of_.layout.base) >> kPageShift;
    const bool code = index >= kFixedPages, writable = index == 0;
    // Nothing of the guest's is executed where it is: it goes on in the cache.
    if (!stands_at(page_at(address), 1) || (access.fetch && !code) || (access.write && !writable)) return changed_ |= access.fetch, access.fetch;
    const Rights rights = code ? Right::read | Right::execute : writable ? Right::read | Right::write : Rights{Right::read};
    // Code is entered all over, and so are the tables: some pages at once.
    constexpr u64 kAtOnce = 16;
    const u64 first = code ? index - (index - kFixedPages) % kAtOnce : !writable;
    const u64 count = code ? std::min(kAtOnce, pages() - first) : writable ? 1 : kFixedPages - 1;
    const PageNumber page = page_at(memory_of_.layout.base);
    const FrameNumber frame{window_.capability().first + first};
    if (!contexts_.bind_own(place, {window_.capability(), frame, page + first, page + index, count, rights}, access.write, rip))
        fail("there is no memory for its translated code");
    return true;
}

// ---- What is translated ----------------------------------------------------------------------------------------

/// As the CPU would fetch: the tables on the way are traced, so that the shadow tells when they change.
std::optional<u64> TranslatedCode::code_frame(u64 address, Exception& fault) {
    const PageNumber page = guest_page(address);
    if (const auto known = pages_.find(shadow_.root(), page)) return known;
    const ShadowDecision decision = shadow_.fault(address, {.fetch = true});
    fault = Exception::page_fault(address, decision.code);
    if (decision.verdict == ShadowVerdict::nowhere) fail("its kernel is where the machine has no memory");
    if (decision.verdict == ShadowVerdict::again) fail("its page tables change as they are walked");
    if (decision.verdict != ShadowVerdict::bind) return {};
    const u64 frame = decision.mapping.frame_of(decision.mapping.page);
    shadow_.watch(frame);
    if (pages_.note(shadow_.root(), page, frame) != CodePages::Noted::good) worthless_ = true;
    return frame;
}

bool TranslatedCode::read(u64 address, void* to, u64 length, Access access, Exception& fault) {
    if (!access.fetch || access.user || alone_) return space_.read(address, to, length, access, fault);
    auto* out = static_cast<std::byte*>(to);
    while (length != 0) {
        const u64 offset = address % kPageSize, part = std::min(length, kPageSize - offset);
        const auto frame = code_frame(address, fault);
        if (!frame) return false;
        const std::byte* page = machine_.memory().page(*frame, false);
        if (page == nullptr) return fail("there is no memory for its code"), false;
        std::copy_n(page + offset, part, out);
        address += part;
        length -= part;
        out += part;
    }
    return true;
}

/// What was translated is what stands in the present root.
void TranslatedCode::settle() {
    const u32 root = shadow_.root();
    if (pages_.is_settled(root)) [[likely]]
        return;
    changed_ = true;
    pages_.settle(
        root,
        [&](PageNumber page, u64 frame) {
            const ShadowDecision now = shadow_.fault(address_at(page), {.fetch = true});
            return now.verdict == ShadowVerdict::bind && now.mapping.frame_of(now.mapping.page) == frame;
        },
        [&](PageNumber page) { translator_->invalidate(address_at(page)); });
}

void TranslatedCode::throw_away() {
    translator_->flush();
    pages_.clear();
    worthless_ = false;
    changed_ = true;
}

void TranslatedCode::on_write(u64 guest_frame, bool by_kernel) {
    const bool any = pages_.forget_code(guest_frame, [&](PageNumber page) { translator_->invalidate(address_at(page)); });
    changed_ |= any;
    if (!any || !by_kernel) return;
    ++alone_count_;
    run_alone();
}

// ---- In and out ------------------------------------------------------------------------------------------------

std::optional<Exception> TranslatedCode::enter(const VirtualMachine& machine, GuestState& state, Onward onward) {
    VirtualCpu& cpu = machine.cpu;
    const bool waiting = machine_.board().interrupt_pending(0);
    if (attention_ != waiting) translator_->set_attention(attention_ = waiting);
    if (onward == Onward::same && !changed_ && !worthless_ && pages_.is_settled(shadow_.root()) && !(cpu.shadow && waiting)) return {};
    if (memory_of_.layout.base == 0) move();
    const bool once = alone_ || (cpu.rflags & rflags::kTrap) || (cpu.shadow && waiting);
    Translator::Entry entry{};
    // What a look at the guest's tables turns up may make worthless what was translated while it was looked up.
    for (u32 rounds = 0; rounds < 4; ++rounds) {
        if (worthless_) throw_away();
        settle();
        if (!machine_.is_running()) return {};
        entry = once ? translator_->enter_once(with_code(machine)) : translator_->enter(with_code(machine));
        if (!worthless_) break;
    }
    if (worthless_) fail("its page tables do not stand still");
    alone_ = changed_ = false;
    if (!machine_.is_running()) return {};
    if (!entry.good) return entry.fault;
    entered_ = cpu.rip;
    store_registers(cpu, state);
    state.rip = entry.address;
    state.rflags = real_flags(cpu) & ~rflags::kTrap;
    return {};
}

void TranslatedCode::leave(const VirtualMachine& machine, const GuestState& state) {
    VirtualCpu& cpu = machine.cpu;
    const u64 trap = cpu.rflags & rflags::kTrap;
    const bool shadowed = cpu.shadow;
    load_registers(cpu, state);
    cpu.rflags = virtual_flags(cpu, state.rflags) | trap;
    exit_ = translator_->stop(machine, state.rip);
    // Nothing was made yet: whatever STI held off is still to be.
    if (shadowed && cpu.rip == entered_) cpu.shadow = true;
}

std::optional<Emulated> TranslatedCode::take_step(const VirtualMachine& machine) {
    return has_stepped(machine.cpu) ? std::optional(step(machine)) : std::nullopt;
}

std::optional<Emulated> TranslatedCode::take(const VirtualMachine& machine) {
    if (exit_ == nullptr) return {};
    const Exit::Kind kind = exit_->kind;
    const bool steps = has_stepped(machine.cpu);
    const Emulated made = translator_->take_exit(with_code(machine), *exit_);
    exit_ = nullptr;
    if (kind != Exit::Kind::emulate) machine.cpu.shadow = false;
    return steps ? step(machine) : made;
}

}  // namespace tessera::vmm
