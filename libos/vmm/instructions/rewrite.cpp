// Following a guest kernel's code, and the table of the bytes that were changed on the way.
#include "libos/vmm/instructions/rewrite.hpp"

#include <algorithm>

#include "libos/vmm/instructions/branch.hpp"

namespace tessera::vmm {

namespace {

/// Fibonacci hashing: the identities of neighbours go far apart.
u64 hash(u64 number, u64 size) { return (number * 0x9e37'79b9'7f4a'7c15 >> 20) & (size - 1); }

/// How far from where it belongs a site may stand: a table in which much has come and gone has no places that end a search, and
/// each byte of a guest's code is looked for in it. Where there is no room so near there is none.
constexpr u64 kMostTries = 128;

u64 tries(std::span<const Site> sites) { return std::min<u64>(sites.size(), kMostTries); }

/// Is the next instruction reached from this one?
bool falls_through(Branch branch) { return branch == Branch::none || branch == Branch::conditional || branch == Branch::call || branch == Branch::indirect_call; }

}  // namespace

Rewriter::Rewriter(std::span<Site> sites, std::span<ScannedPage> pages) : sites_(sites), pages_(pages) {
    for (Site& site : sites_) site = {Site::kNobody, 0, false};
    for (ScannedPage& page : pages_) page = {Site::kNobody, {}, {}, 0, Site::kNobody};
}

// ---- tables -----------------------------------------------------------------------------------------------
// Open addressing. An entry stays in its place for good; one whose byte was put back is there to be used again.

Site* Rewriter::find(u64 where) const {
    for (u64 i = 0, at = hash(where, sites_.size()); i < tries(sites_); ++i, at = (at + 1) & (sites_.size() - 1)) {
        if (sites_[at].where == where) return sites_[at].in_place ? &sites_[at] : nullptr;
        if (sites_[at].where == Site::kNobody) break;
    }
    return nullptr;
}

bool Rewriter::add(u64 where, u8 original) {
    Site* place = nullptr;
    for (u64 i = 0, at = hash(where, sites_.size()); i < tries(sites_); ++i, at = (at + 1) & (sites_.size() - 1)) {
        Site& site = sites_[at];
        if (!place && !site.in_place) place = &site;
        if (site.where == where) place = &site;
        if (site.where == where || site.where == Site::kNobody) break;
    }
    if (!place) return false;
    *place = {where, original, true};
    ++in_place_;
    return true;
}

/// It, or the free place where it would be; nullptr if all are taken.
ScannedPage* Rewriter::find_page(u64 identity) const {
    const u64 page = identity / kPageSize;
    for (u64 i = 0, at = hash(page, pages_.size()); i < pages_.size(); ++i, at = (at + 1) & (pages_.size() - 1))
        if (pages_[at].page == page || pages_[at].page == Site::kNobody) return &pages_[at];
    return nullptr;
}

ScannedPage* Rewriter::page_of(u64 identity) {
    ScannedPage* const page = find_page(identity);
    if (page) page->page = identity / kPageSize;
    return page;
}

// ---- scanning ---------------------------------------------------------------------------------------------

bool Rewriter::later(u64 address) {
    if (waiting_count_ == kWaiting) return false;
    waiting_[waiting_count_++] = address;
    return true;
}

bool Rewriter::replace(CodeMemory& memory, u64 address, u8 original) {
    if (original == kTrappingByte) return true;  // traps as it is
    if (is_inner(memory.identity(address))) return false;
    if (!add(memory.identity(address), original)) return false;
    memory.patch(address, kTrappingByte);
    return true;
}

bool Rewriter::is_inner(u64 identity) const {
    const ScannedPage* const page = find_page(identity);
    return page && page->page != Site::kNobody && (page->inner[identity % kPageSize / 64] >> identity % 64 & 1);
}

/// The bytes of an instruction behind its first, which is on `first_page`. False: one of them is changed, and spoils it, or it ends where another
/// page's does.
bool Rewriter::note_inner(CodeMemory& memory, u64 address, u64 length, u64 first_page) {
    ScannedPage* page = nullptr;
    u64 identity = 0;
    for (u64 i = 1; i < length; ++i) {
        identity = i == 1 || (address + i) % kPageSize == 0 ? memory.identity(address + i) : identity + 1;
        if (!page || page->page != identity / kPageSize) page = page_of(identity);
        if (!page || is_site(identity)) return false;
        if ((address + i) % kPageSize == 0) {
            if (page->before != Site::kNobody && page->before != first_page) return false;
            page->before = first_page;
        }
        page->inner[identity % kPageSize / 64] |= u64{1} << identity % 64;
    }
    return true;
}

bool Rewriter::scan_block(CodeMemory& memory, u64 address, Scanned& result) {
    for (;;) {
        u8 bytes[kMaxInstructionLength];
        // What cannot be fetched faults when the guest gets there, and the monitor is asked again.
        const u64 in_page = kPageSize - address % kPageSize;
        u64 length = in_page < kMaxInstructionLength ? in_page : kMaxInstructionLength;
        if (!is_canonical(address) || !memory.read(address, bytes, length)) return true;
        if (length < kMaxInstructionLength && memory.read(address + length, bytes + length, kMaxInstructionLength - length)) length = kMaxInstructionLength;
        ScannedPage* page = page_of(memory.identity(address));
        if (!page) return false;
        u64& word = page->begins[address % kPageSize / 64];
        const u64 bit = u64{1} << address % 64;
        if (word & bit) return true;

        show_original(memory, address, bytes, length);
        Instruction in;
        if (decode(bytes, length, CodeMode::bits64, in) != Decoded::ok) return true;
        const Branch branch = branch_of(in);
        const bool direct = branch == Branch::conditional || branch == Branch::jump || branch == Branch::call;
        const bool indirect = branch == Branch::indirect_jump || branch == Branch::indirect_call;
        const bool followed = !direct || later(branch_target(in, address));
        // The monitor can take any branch but a conditional one, which depends on flags that it does not compute.
        if (!followed && branch == Branch::conditional) return false;
        if (indirect || !followed || must_be_replaced(classify(in))) {
            if (!replace(memory, address, bytes[0])) return false;
            ++result.replaced;
        }
        word |= bit;
        if (!note_inner(memory, address, in.length, page->page)) return false;
        ++result.instructions;
        if (!falls_through(branch)) return true;
        address += in.length;
    }
}

bool Rewriter::was_scanned(u64 identity) const {
    const u64 page = identity / kPageSize;
    for (u64 i = 0, at = hash(page, pages_.size()); i < pages_.size(); ++i, at = (at + 1) & (pages_.size() - 1)) {
        if (pages_[at].page == page) return pages_[at].begins[identity % kPageSize / 64] >> identity % 64 & 1;
        if (pages_[at].page == Site::kNobody) break;
    }
    return false;
}

Rewriter::Scanned Rewriter::scan(CodeMemory& memory, u64 entry) {
    Scanned result;
    waiting_count_ = 0;
    later(entry);
    while (waiting_count_ != 0 && result.complete) result.complete = scan_block(memory, waiting_[--waiting_count_], result);
    return result;
}

void Rewriter::show_original(CodeMemory& memory, u64 address, u8* bytes, u64 length) const {
    for (u64 i = 0; i < length; ++i)
        if (bytes[i] == kTrappingByte)
            if (const Site* site = find(memory.identity(address + i))) bytes[i] = site->original;
}

u64 Rewriter::page_before(u64 identity) const {
    const ScannedPage* const page = find_page(identity);
    return page && page->page != Site::kNobody && page->before != Site::kNobody ? page->before * kPageSize : Site::kNobody;
}

u32 Rewriter::forget(CodeMemory& memory, u64 address) {
    const u64 first = address & ~(kPageSize - 1);
    ScannedPage* page = find_page(memory.identity(first));
    if (!page || page->page == Site::kNobody) return 0;
    for (u64 i = 0; i < kPageSize; ++i) {
        if (!(page->begins[i / 64] >> i % 64 & 1)) continue;
        Site* site = find(memory.identity(first + i));
        if (!site) continue;
        memory.patch(first + i, site->original);
        site->in_place = false;
        --in_place_;
    }
    for (u64& word : page->begins) word = 0;
    for (u64& word : page->inner) word = 0;
    page->before = Site::kNobody;
    return ++page->flips;
}

void Rewriter::forget_all(CodeMemory& memory) {
    for (const ScannedPage& page : pages_)
        if (page.page != Site::kNobody) forget(memory, page.page * kPageSize);
}

// ---- what a site does -------------------------------------------------------------------------------------

RewrittenTrap emulate_site(Rewriter& rewriter, CodeMemory& code, const VirtualMachine& machine) {
    const u64 rip = machine.cpu.rip;
    u8 bytes[kMaxInstructionLength];
    const u64 in_page = kPageSize - rip % kPageSize;
    u64 length = in_page < kMaxInstructionLength ? in_page : kMaxInstructionLength;
    if (!is_canonical(rip) || !code.read(rip, bytes, length) || bytes[0] != kTrappingByte || !rewriter.is_site(code.identity(rip))) return {false, {}, true, {}};
    if (length < kMaxInstructionLength && code.read(rip + length, bytes + length, kMaxInstructionLength - length)) length = kMaxInstructionLength;
    rewriter.show_original(code, rip, bytes, length);
    Instruction in;
    if (decode(bytes, length, CodeMode::bits64, in) != Decoded::ok) return {false, {}, true, {}};
    RewrittenTrap trap{true, {}, true, in};
    if (classify(in) != Sensitive::none)
        trap.emulated = emulate(machine, in);
    else
        trap.emulated = emulate_branch(machine, in);
    // Wherever it goes on in the kernel: a branch's target, or behind a return between segments.
    if (trap.emulated.ending == Ending::done && machine.cpu.cpl == 0) trap.complete = rewriter.scan(code, machine.cpu.rip).complete;
    return trap;
}

}  // namespace tessera::vmm
