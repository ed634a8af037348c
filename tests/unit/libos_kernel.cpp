// The host kernel, and what libos expects from below on the host.
#include "tests/unit/libos_kernel.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace tessera::test {

HostKernel* HostKernel::current = nullptr;
bool (*HostKernel::last_resort)(VirtAddr, bool) = nullptr;
static libos::FaultPolicy policy = nullptr;

static bool resolve(VirtAddr address, u64 access, bool nested) {
    return (policy != nullptr && policy(address, access)) ||
           (HostKernel::last_resort != nullptr && HostKernel::last_resort(address, nested));
}

// The libOS code under test may touch a page that is not bound, as a handler may: an upcall within an upcall.
// The CPU's own error word says what was wanted.
static void on_segv(int, siginfo_t* info, void* context) {
    const VirtAddr address{reinterpret_cast<u64>(info->si_addr)};
    const auto error = static_cast<u64>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR]);
    HostKernel* kernel = HostKernel::current;
    const bool ours = kernel != nullptr && page_of(address) >= kernel->first_page() &&
                      page_of(address) < kernel->first_page() + HostKernel::kPages;
    if (!ours || !resolve(address, error, true)) signal(SIGSEGV, SIG_DFL);
}

HostKernel::HostKernel() : stlb_(kStlbEntries, StlbEntry{kNoTag, 0, nullptr, 0, 0}), table_(kFrames) {
    file_ = memfd_create("frames", 0);
    if (file_ < 0 || ftruncate(file_, kFrames * kPageSize) != 0) std::abort();
    // A libOS's addresses end below those that Linux hands out, so ask for some further down.
    void* wanted = reinterpret_cast<void*>(u64{0x2000} << 32);
    void* pages = mmap(wanted, kPages * kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages != wanted) std::abort();
    first_page_ = page_of(VirtAddr{reinterpret_cast<u64>(pages)});
    current = this;
    policy = nullptr;
    last_resort = nullptr;
    struct sigaction action = {};
    action.sa_sigaction = on_segv;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGSEGV, &action, &before_);
}

HostKernel::~HostKernel() {
    sigaction(SIGSEGV, &before_, nullptr);
    munmap(reinterpret_cast<void*>(address_of(first_page_).value), kPages * kPageSize);
    close(file_);
    current = nullptr;
}

void HostKernel::drop(u64 page) {
    if (bound_.erase(page) == 0) return;
    void* at = reinterpret_cast<void*>(page << kPageShift);
    if (mmap(at, kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at) std::abort();
    StlbEntry& entry = stlb_[page % kStlbEntries];
    if (entry.tag == page) entry = {kNoTag, 0, nullptr, 0, 0};
}

void HostKernel::drop_all() {
    while (!bound_.empty()) drop(bound_.begin()->first);
}

void HostKernel::take_away(FrameNumber first, u64 count) {
    for (u64 i = 0; i < count; ++i) taken_away_.insert(first.value + i);
    std::vector<u64> gone;
    for (const auto& [page, binding] : bound_)
        if (taken_away_.contains(binding.frame)) gone.push_back(page);
    for (u64 page : gone) drop(page);
}

libos::Answer HostKernel::bind(u64 frame, PageSpan span) {
    if (!span.canonical() || span.page() < first_page_ || span.page() + span.count() > first_page_ + kPages)
        return {Error::bad_argument, 0};
    if (frame + span.count() > kFrames) return {Error::out_of_range, 0};
    for (u64 i = 0; i < span.count(); ++i)
        if (taken_away_.contains(frame + i)) return {Error::stale_capability, 0};
    for (u64 i = 0; i < span.count(); ++i) {
        const u64 page = span.page().value + i;
        drop(page);
        const int protection =
            (span.rights().has(Right::read) ? PROT_READ : 0) | (span.rights().has(Right::write) ? PROT_WRITE : 0);
        void* at = reinterpret_cast<void*>(page << kPageShift);
        const auto offset = static_cast<off_t>((frame + i) * kPageSize);
        if (mmap(at, kPageSize, protection, MAP_SHARED | MAP_FIXED, file_, offset) != at) std::abort();
        // Direct-mapped: what stood in the S-TLB's entry is not bound any more.
        StlbEntry& entry = stlb_[page % kStlbEntries];
        if (entry.tag != kNoTag) drop(entry.tag);
        entry = {page, make_pte(FrameNumber{frame + i}, kAllRights, span.rights(), false, span.has(SpanFlag::dirty)),
                 &hardware_, 0, 0};
        bound_[page] = {frame + i, span.rights()};
    }
    return {Error::ok, span.count()};
}

libos::Answer HostKernel::on_call(u64 number, const std::array<u64, 5>& words) {
    if (number >= calls_.size()) return {Error::unknown_call, 0};
    ++calls_[number];
    if (instead)
        if (const auto given = instead(number, words)) return *given;
    const libos::Answer given = answer(number, words);
    if (between_calls) between_calls();
    return given;
}

bool HostKernel::good(const Capability& capability, u64 first, u64 count) const {
    if (first < capability.first || first + count > capability.first + capability.count) return false;
    for (u64 i = first; i < first + count; ++i)
        if (table_[i].grant != capability.grant) return false;
    return true;
}

char* HostKernel::bytes_of(u64 frame) {
    void* at = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED, file_, static_cast<off_t>(frame * kPageSize));
    if (at == MAP_FAILED) std::abort();
    return static_cast<char*>(at);
}

u64 HostKernel::word(u64 frame, u64 number) {
    char* const bytes = bytes_of(frame);
    u64 value;
    std::memcpy(&value, bytes + number * sizeof value, sizeof value);
    munmap(bytes, kPageSize);
    return value;
}

void HostKernel::set_word(u64 frame, u64 number, u64 value) {
    char* const bytes = bytes_of(frame);
    std::memcpy(bytes + number * sizeof value, &value, sizeof value);
    munmap(bytes, kPageSize);
}

/// The next owner's bytes are not these: whoever looks at a frame that it lost finds rubbish.
void HostKernel::free(u64 frame) {
    for (auto each = bound_.begin(); each != bound_.end();) {
        const u64 page = each->first;
        const bool here = each++->second.frame == frame;
        if (here) drop(page);
    }
    if (const AutosaveSeed seed{table_[frame].autosave}; seed.kind() == AutosaveKind::copy) table_[seed.other().value].autosave = 0;
    table_[frame] = {.grant = next_grant_++, .owner = 0, .bindings = 0, .state = FrameState::free, .flags = 0, .context = 0, .large_bindings = 0, .autosave = 0};
    char* bytes = bytes_of(frame);
    std::memset(bytes, 0xee, kPageSize);
    munmap(bytes, kPageSize);
}

void HostKernel::repossess(u64 frame) {
    const AutosaveSeed seed{table_[frame].autosave};
    const bool copied = seed.kind() == AutosaveKind::copy && !seed.is_destination();
    if (copied) {
        char *from = bytes_of(frame), *to = bytes_of(seed.other().value);
        std::memcpy(to, from, kPageSize);
        munmap(from, kPageSize);
        munmap(to, kPageSize);
    }
    free(frame);
    if (vector.used == RepossessionVector::kLines) {
        ++vector.unreported;
        return;
    }
    vector.line[vector.used++] = {.kind = RevocationKind::frames, .saved = seed.kind(), .first = frame, .count = 1,
                                  .destination = copied ? seed.other().value : 0, .request = 1};
}

libos::Answer HostKernel::answer(u64 number, const std::array<u64, 5>& words) {
    if (number == FrameAlloc::number) {
        if (next_frame_ + words[1] > kFrames) return {Error::exhausted, 0};
        auto& capability = *reinterpret_cast<Capability*>(words[3]);
        capability = {};
        capability.kind = ResourceKind::frames;
        capability.first = next_frame_;
        capability.count = words[1];
        capability.grant = next_grant_++;
        for (u64 i = 0; i < words[1]; ++i) {
            table_[next_frame_ + i].grant = capability.grant;
            table_[next_frame_ + i].state = FrameState::owned;
        }
        next_frame_ += words[1];
        return {Error::ok, capability.first};
    }
    if (number == Bind::number) {
        const auto& capability = *reinterpret_cast<const Capability*>(words[0]);
        const PageSpan span{words[2]};
        if (words[1] < capability.first || words[1] + span.count() > capability.first + capability.count)
            return {Error::denied, 0};
        if (!good(capability, words[1], span.count())) return {Error::stale_capability, 0};
        const libos::Answer answer = bind(words[1], span);
        if (words[4] != 0 && answer.error == Error::ok) {
            auto& entry = *reinterpret_cast<Capability*>(words[4]);
            entry = capability;
            entry.kind = ResourceKind::tlb_entry;
            entry.first = words[1];
            entry.count = span.count();
            entry.page = span.page().value;
        }
        return answer;
    }
    if (number == FrameRelease::number) {
        if (!good(*reinterpret_cast<const Capability*>(words[0]), words[1], words[2])) return {Error::stale_capability, 0};
        for (u64 i = 0; i < words[2]; ++i) free(words[1] + i);
        return {Error::ok, 0};
    }
    if (number == Autosave::number) {
        const auto& spec = *reinterpret_cast<const AutosaveSpec*>(words[3]);
        if (!good(*reinterpret_cast<const Capability*>(words[0]), words[1], words[2])) return {Error::stale_capability, 0};
        for (u64 i = 0; i < words[2]; ++i) {
            const FrameNumber source{words[1] + i}, to = spec.first_destination + i;
            if (const AutosaveSeed old{table_[source.value].autosave}; old.kind() == AutosaveKind::copy) table_[old.other().value].autosave = 0;
            if (spec.kind == AutosaveKind::copy && table_[to.value].autosave != 0) return {Error::in_use, 0};
            table_[source.value].autosave = AutosaveSeed::make(spec.kind, spec.kind == AutosaveKind::copy ? to : FrameNumber{}).bits;
            if (spec.kind == AutosaveKind::copy) table_[to.value].autosave = AutosaveSeed::make(AutosaveKind::copy, source, true).bits;
        }
        return {Error::ok, 0};
    }
    if (number == Rebind::number) {
        const auto& entry = *reinterpret_cast<const Capability*>(words[0]);
        const PageSpan span{words[1]};
        if (entry.kind != ResourceKind::tlb_entry || span.page().value < entry.page ||
            span.page().value + span.count() > entry.page + entry.count)
            return {Error::denied, 0};
        return bind(entry.first + (span.page().value - entry.page), span);
    }
    if (number == Unbind::number || number == ClearBits::number) {
        const PageSpan span{words[0]};
        u64 found = 0;
        for (u64 i = 0; i < span.count(); ++i) {
            const u64 page = span.page().value + i;
            found += bound_.contains(page);
            StlbEntry& entry = stlb_[page % kStlbEntries];
            if (number == Unbind::number) {
                drop(page);
            } else if (entry.tag == page) {
                entry.pte &= ~pte::kAccessed;
                entry.slot = nullptr;
            }
        }
        return {Error::ok, found};
    }
    return {Error::ok, 0};
}

bool HostKernel::touch(PageNumber page, Right access) {
    for (u64 tries = 0; tries < 8; ++tries) {
        const auto found = bound_.find(page.value);
        if (found != bound_.end() && found->second.rights.has(access)) {
            StlbEntry& entry = stlb_[page.value % kStlbEntries];
            if (entry.slot == nullptr) entry.pte |= pte::kAccessed;
            entry.slot = &hardware_;
            return true;
        }
        u64 bits = found != bound_.end() ? static_cast<u64>(AccessKind::present) : 0;
        if (access == Right::write) bits |= static_cast<u64>(AccessKind::write);
        if (access == Right::execute) bits |= static_cast<u64>(AccessKind::fetch);
        if (!resolve(address_of(page), bits, false)) return false;
    }
    return false;
}

bool HostKernel::write(PageNumber page, u64 word, u64 value) {
    if (!touch(page, Right::write)) return false;
    reinterpret_cast<volatile u64*>(address_of(page).value)[word] = value;
    return true;
}

bool HostKernel::read(PageNumber page, u64 word, u64& value) {
    if (!touch(page, Right::read)) return false;
    value = reinterpret_cast<const volatile u64*>(address_of(page).value)[word];
    return true;
}

}  // namespace tessera::test

namespace tessera::libos {

const FrameInfo& frame_info(FrameNumber frame) { return test::HostKernel::current->info(frame.value); }

Answer host_kernel(u64 number, const std::array<u64, 5>& words) {
    return test::HostKernel::current->on_call(number, words);
}

void set_fault_policy(FaultPolicy policy) { test::policy = policy; }

bool make_bound(VirtAddr address, u64 access) { return test::policy != nullptr && test::policy(address, access); }
bool make_pinned(VirtAddr address, u64 access) { return make_bound(address, access); }

}  // namespace tessera::libos
