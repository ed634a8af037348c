// A guest with page tables, a shadow of them, and a model that says what its CPU could have done: what the shadow lets
// through must be what tables said at some moment since the last flush, and what it reflects what they say now.
//
// The model keeps, for every page of a small set, all translations that were true since the page was flushed last: a TLB
// may hold any of them. It is compared at every access, and shares nothing with the walker but the names of bits.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libos/vmm/shadow/guest_space.hpp"
#include "tests/unit/random.hpp"

namespace tessera::test {

using namespace vmm;

class WorldMemory final : public GuestMemory {
  public:
    explicit WorldMemory(u64 frames) : GuestMemory(frames), words_(frames * kEntries) {}
    std::byte* page(u64 frame, bool) override { return reinterpret_cast<std::byte*>(&words_[frame * kEntries]); }
    u64& word(u64 frame, u64 index) { return words_[frame * kEntries + index]; }

  private:
    std::vector<u64> words_;
};

/// What tables say of a page.
struct Translation {
    u64 frame = 0;
    bool write = true, user = true, execute = true;
    u32 level = 0;
    auto operator<=>(const Translation&) const = default;
};

/// What an access comes to.
struct Outcome {
    enum Kind { through, fault, nowhere } kind = fault;
    u64 frame = 0;
    u32 code = 0;
};

class ShadowWorld : public ShadowHardware {
  public:
    static constexpr u64 kFrames = 40, kTables = 24;  // the tables that tests edit are the first ones
    // The kernel's window on all memory: entry 300 of a table of level 4, one large page, which nothing edits.
    static constexpr u64 kWindowIndex = 300, kWindowTables = kFrames - 2;
    static constexpr u64 kWindow = u64{0xffff'0000'0000'0000} | kWindowIndex << 39;

    ShadowWorld(u64 places, ShadowOptions options)
        : memory(kFrames), records(kFrames), tables(places), copies(places),
          shadow(memory, *this, records, {tables, copies}, options) {
        memory.word(kWindowTables, 0) = (kWindowTables + 1) << kPageShift | 3;
        memory.word(kWindowTables + 1, 0) = entry::kLarge | 3;
        for (u64 root = 0; root < 3; ++root) memory.word(root, kWindowIndex) = kWindowTables << kPageShift | 3;
        constexpr u64 indices[] = {0, 1, 2, 511};
        for (u64 a : {u64{0}, u64{1}, u64{511}})
            for (u64 b : {u64{0}, u64{511}})
                for (u64 c : {u64{0}, u64{1}, u64{511}})
                    for (u64 d : indices) pages.push_back(((a * 512 + b) * 512 + c) * 512 + d);
        load(0, true, true);
    }

    // ---- ShadowHardware ----
    void forget(u32 root, PageNumber page, u64 count) override {
        auto& bound = bindings[root];
        bound.erase(bound.lower_bound(page.value), bound.lower_bound(page.value + count));
    }
    void forget_root(u32 root) override { bindings[root].clear(); }
    void forget_frame(u64 frame) override {
        for (auto& [root, bound] : bindings) std::erase_if(bound, [&](const auto& b) { return b.second.frame == frame; });
    }

    // ---- What a guest does ----
    void load(u64 root, bool write_protect, bool no_execute, bool smep = false) {
        mode = {.root = root, .paging = true, .write_protect = write_protect, .no_execute = no_execute, .smep = smep};
        current = shadow.load(mode);
        flushed();
    }
    void flush() {
        shadow.flush();
        flushed();
    }
    void invalidate(u64 page) {
        shadow.invalidate(page << kPageShift);
        // With a large page all of it goes, whatever part is named.
        const std::set<Translation> gone = allowed[page];
        for (u64 other : pages) {
            for (const Translation& t : gone)
                if (t.level > 1 && other / pages_of_entry(t.level) == page / pages_of_entry(t.level))
                    allowed[other].erase({t.frame + (other - page), t.write, t.user, t.execute, t.level});
            note(other);
        }
        allowed[page].clear();
        note(page);
    }
    /// The kernel writes an entry of a table through its window. If it cannot, a device does.
    void edit(u64 frame, u64 index, u64 value) {
        const Outcome outcome = touch(kWindow + (frame << kPageShift), {.write = true});
        if (outcome.kind != Outcome::through) {
            memory.word(frame, index) = value;
            shadow.written(frame);
        } else {
            memory.word(outcome.frame, index) = value;
        }
        for (u64 page : pages) note(page);
        edited = true;
    }

    /// The guest touches an address: as often as the CPU would fault, with the shadow answering.
    Outcome touch(u64 address, const Access& access) {
        const u64 page = guest_page(address).value;
        for (int i = 0; i < 20; ++i) {
            const auto bound = bindings[current].find(page);
            if (bound != bindings[current].end() && lets(bound->second, access)) return {Outcome::through, bound->second.frame};
            const ShadowDecision decision = shadow.fault(address, access);
            const ShadowMapping& m = decision.mapping;
            switch (decision.verdict) {
                case ShadowVerdict::reflect: return {Outcome::fault, 0, decision.code};
                case ShadowVerdict::nowhere: return {Outcome::nowhere, m.guest_frame};
                case ShadowVerdict::again: break;
                case ShadowVerdict::bind:
                    if (m.page < m.first || m.page - m.first >= m.count) return broken("the page is not in its mapping");
                    if (m.count > 512 || m.guest_frame + m.count > kFrames) return broken("a mapping beyond memory");
                    for (u64 p = 0; p < m.count; ++p)
                        bindings[m.root][m.first.value + p] = {m.guest_frame + p, m.write, m.user, m.execute};
            }
        }
        return broken("an access that comes to nothing");
    }

    /// The emulator looks at it, on the guest's behalf.
    Outcome look(u64 page, const Access& access) {
        Outcome outcome;
        if (space.translate(PageNumber{page}, access, outcome.frame, outcome.code)) outcome.kind = Outcome::through;
        return outcome;
    }

    /// As touch, held against the model. Empty, or what is wrong.
    std::string check(u64 page, const Access& access, bool by_emulator = false) {
        const bool was_edited = edited;
        const Outcome outcome = by_emulator ? look(page, access) : touch(page << kPageShift, access);
        u32 code = 0;
        std::vector<u64*> path;
        const Translation* now = translate(page, access, code, path);
        const bool goes = now && (code = refusal(*now, access)) == 0;
        if (outcome.kind == Outcome::fault) {
            if (goes) return "reflected what is allowed";
            if (code != outcome.code) return "reflected another error code";
        } else {
            bool found = false;
            for (const Translation& t : allowed[page]) found |= t.frame == outcome.frame && refusal(t, access) == 0;
            if (!found) return "let through what no translation since the last flush allowed";
            if (!was_edited && goes)
                for (u64* word : path) {
                    if (!(*word & entry::kAccessed)) return "accessed was not noted";
                    if (access.write && word == path.back() && !(*word & entry::kDirty)) return "dirty was not noted";
                }
        }
        return problem.empty() ? invariant() : problem;
    }

    /// No table in sync can be written through anything that is bound.
    std::string invariant() {
        for (auto& [root, bound] : bindings)
            for (auto& [page, binding] : bound)
                if (binding.write && shadow.is_protected(binding.frame)) return "a traced table can be written";
        return "";
    }

    /// A binding is lost, as the S-TLB loses them.
    void displace(Random& random) {
        auto& bound = bindings[current];
        if (!bound.empty()) bound.erase(std::next(bound.begin(), static_cast<long>(random.below(bound.size()))));
    }

    struct Binding {
        u64 frame;
        bool write, user, execute;
    };

    WorldMemory memory;
    std::vector<FrameRecord> records;
    std::vector<TracedTable> tables;
    std::vector<TableCopy> copies;
    std::map<u32, std::map<u64, Binding>> bindings;
    Shadow shadow;
    GuestSpace space{memory, shadow};
    PagingMode mode;
    u32 current = 0;
    std::vector<u64> pages;  // that the model watches
    std::map<u64, std::set<Translation>> allowed;
    bool edited = false;     // since everything was flushed
    std::string problem;

  private:
    Outcome broken(const char* how) {
        problem = how;
        return {};
    }
    void flushed() {
        edited = false;
        for (u64 page : pages) {
            allowed[page].clear();
            note(page);
        }
    }
    void note(u64 page) {
        u32 code;
        std::vector<u64*> path;
        if (const Translation* now = translate(page, {}, code, path)) allowed[page].insert(*now);
    }

    /// What the tables say now; null, and the code of the fault, if they say nothing.
    const Translation* translate(u64 page, const Access& access, u32& code, std::vector<u64*>& path) {
        const u32 about = (access.write ? 2 : 0) | (access.user ? 4 : 0) | (access.fetch && (mode.no_execute || mode.smep) ? 16 : 0);
        scratch_ = {};
        u64 table = mode.root;
        for (u32 level = 4; level >= 1; --level) {
            code = about | 1 | 8;
            if (table >= kFrames) return nullptr;
            u64& word = memory.word(table, page >> 9 * (level - 1) & 511);
            path.push_back(&word);
            if (!(word & 1)) {
                code = about;
                return nullptr;
            }
            if (!mode.no_execute && word >> 63) return nullptr;
            if ((word & 0x000f'ffff'ffff'f000) >> mode.physical_bits) return nullptr;
            const bool large = level != 1 && (word & 0x80);
            if (large && level == 4) return nullptr;
            if (large && (word & (level == 3 ? 0x3fff'e000u : 0x1f'e000u))) return nullptr;
            scratch_.write = scratch_.write && (word & 2);
            scratch_.user = scratch_.user && (word & 4);
            scratch_.execute = scratch_.execute && !(word >> 63);
            table = word >> 12 & 0xff'ffff'ffff;
            if (large || level == 1) {
                const u64 inside = (u64{1} << 9 * (level - 1)) - 1;
                scratch_.frame = (table & ~inside) + (page & inside);
                scratch_.level = level;
                code = 0;
                return &scratch_;
            }
        }
        return nullptr;
    }
    u32 refusal(const Translation& t, const Access& access) const {
        const u32 code = 1 | (access.write ? 2 : 0) | (access.user ? 4 : 0) | (access.fetch && (mode.no_execute || mode.smep) ? 16 : 0);
        if (access.user && !t.user) return code;
        if (access.fetch) return t.execute && !(mode.smep && t.user && !access.user) ? 0 : code;
        if (access.write && !t.write && (access.user || mode.write_protect)) return code;
        return 0;
    }
    /// The hardware, with CR0.WP set and the guest's SMEP.
    bool lets(const Binding& b, const Access& access) const {
        if (access.user && !b.user) return false;
        if (access.fetch) return b.execute && !(mode.smep && b.user && !access.user);
        return !access.write || b.write;
    }

    Translation scratch_;
};

/// An entry such as guests, mad and sane, put into their tables, of which there are `tables`: the fewer, the more point at each other.
inline u64 random_entry(Random& random, u64 tables) {
    u64 value = random.below(ShadowWorld::kFrames) << kPageShift;
    if (random.below(3) != 0) value = random.below(tables) << kPageShift;
    value |= random.one_in(6) ? 0 : entry::kPresent;
    value |= random.one_in(3) ? 0 : entry::kWrite;
    value |= random.one_in(3) ? 0 : entry::kUser;
    if (random.one_in(2)) value |= entry::kAccessed;
    if (random.one_in(2)) value |= entry::kDirty;
    if (random.one_in(6)) value |= entry::kNoExecute;
    if (random.one_in(8)) value = (value & ~entry::kAddress) | entry::kLarge;
    if (random.one_in(20)) value |= random.below(u64{1} << 40) << kPageShift;
    if (random.one_in(40)) value |= u64{1} << 45;
    return value;
}

inline Access random_access(Random& random) {
    Access access{.write = random.one_in(2), .user = random.one_in(2)};
    if (random.one_in(4)) access = {.fetch = true, .user = access.user};
    return access;
}

/// One thing that a guest may do. Empty, or what went wrong.
inline std::string random_step(ShadowWorld& world, Random& random, u64 tables = ShadowWorld::kTables) {
    const u64 page = world.pages[random.below(world.pages.size())];
    constexpr u64 indices[] = {0, 1, 2, 511};
    switch (random.below(16)) {
        case 0:
        case 1:
        case 2:
        case 3: world.edit(random.below(tables), indices[random.below(4)], random_entry(random, tables)); break;
        case 4: world.invalidate(page); break;
        case 5: world.load(random.below(3), !random.one_in(4), !random.one_in(4), random.one_in(3)); break;
        case 6:
            if (random.one_in(3)) world.flush();
            break;
        case 7: world.displace(random); break;
        default: return world.check(page, random_access(random), random.one_in(3));
    }
    return world.problem.empty() ? world.invariant() : world.problem;
}

}  // namespace tessera::test
