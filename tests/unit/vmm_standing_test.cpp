// What two guests of one monitor stand on, whoever asks for it and in whatever order: written, read, looked at by devices, shared,
// paged out, ballooned, shown from a disk, borrowed. Behind every step no frame that a guest can write is anybody else's, every
// binding is one that the map allows, and every page reads as what was written there last.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <vector>

#include "libos/core/program.hpp"
#include "libos/vmm/memory/hash.hpp"
#include "libos/vmm/memory/managed_memory.hpp"
#include "tests/unit/libos_kernel.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace tessera::libos {
// No large bindings in the window: this kernel has none for pages of the host's.
static const BootInfo kNoStlb{};
const BootInfo* boot_info = &kNoStlb;
}  // namespace tessera::libos

namespace {

constexpr u64 kFrames = kPagesPerLarge + 40;  // one chunk that may be bound as a whole, and a piece of another
constexpr u64 kValues = 4;                    // what is in a page: few, so that there is much to share
constexpr u64 kImage = 8;                     // pages of a disk

/// Guests' contexts: what is bound in them, small and large, and what it was good for.
class Contexts {
  public:
    struct Bound {
        u64 frame, grant;
        bool writable;
    };
    using Pages = std::map<u64, Bound>;

    explicit Contexts(HostKernel& kernel) : kernel_(kernel) {
        kernel.instead = [this](u64 number, const auto& words) { return answer(number, words); };
    }
    Pages& small(u64 context) { return small_[context]; }
    Pages& large(u64 context) { return large_[context]; }
    /// A frame that was given back is bound nowhere.
    bool is_live(const Bound& bound) const { return kernel_.info(bound.frame).grant == bound.grant; }

  private:
    std::optional<libos::Answer> answer(u64 number, const std::array<u64, 5>& words) {
        if (number == Bind::number && words[3] != 0) return bind(*reinterpret_cast<const Capability*>(words[0]), words[1], PageSpan{words[2]}, words[3]);
        if (number != Unbind::number || words[1] == 0) return {};
        const PageSpan span{words[0]};
        const bool is_large = span.has(SpanFlag::large);
        Pages& pages = (is_large ? large_ : small_)[words[1]];
        for (u64 i = 0; i < span.count(); ++i) pages.erase(is_large ? span.page().value / kPagesPerLarge + i : span.page().value + i);
        return libos::Answer{Error::ok, 0};
    }
    libos::Answer bind(const Capability& capability, u64 frame, PageSpan span, u64 context) {
        const bool is_large = span.has(SpanFlag::large);
        const u64 each = is_large ? kPagesPerLarge : 1;
        if (frame < capability.first || frame + span.count() * each > capability.first + capability.count) return {Error::denied, 0};
        for (u64 i = 0; i < span.count() * each; ++i)
            if (kernel_.info(frame + i).grant != capability.grant) return {Error::stale_capability, 0};
        for (u64 i = 0; i < span.count(); ++i)
            (is_large ? large_ : small_)[context][span.page().value / each + i] = {frame + i * each, capability.grant, span.rights().has(Right::write)};
        return {Error::ok, span.count()};
    }

    HostKernel& kernel_;
    std::map<u64, Pages> small_, large_;
};

/// A guest under nested paging, as its monitor and the CPU see it.
struct Guest final : MemoryView {
    std::vector<GuestFrame> map;
    Memory memory;
    ManagedMemory managed;
    std::vector<u64> expected;

    Guest(FrameSupply& supply, Sharing& sharing, GuestPager& pager, MemoryOwner& owner)
        : map(kFrames), memory(supply, map), managed(memory, sharing, pager, owner), expected(kFrames) {
        memory.add_view(*this);
    }
    VirtAddr context() const { return address(*this); }
    void forget(u64 guest_frame, u64 count) override { unbind_frames({}, guest_frame, count, context()); }

    /// The frame that the CPU finds for an access. Nothing: the monitor has no memory for it.
    std::optional<u64> touch(Contexts& contexts, u64 guest_frame, bool write) {
        for (u64 tries = 0; tries < 2; ++tries) {
            for (const u64 each : {u64{1}, kPagesPerLarge}) {
                const auto& pages = each == 1 ? contexts.small(context().value) : contexts.large(context().value);
                const auto found = pages.find(guest_frame / each);
                if (found != pages.end() && contexts.is_live(found->second) && (!write || found->second.writable))
                    return found->second.frame + guest_frame % each;
            }
            const auto backing = memory.back(guest_frame, write);
            if (!backing) return {};
            const PageSpan span = backing->span({}, Right::read | Right::write | Right::execute, write);
            REQUIRE(libos::call<Bind>({libos::address(*backing->capability), backing->frame, span, context(), {}}).ok());
        }
        return {};
    }
    static VirtAddr address(const Guest& guest) { return VirtAddr{reinterpret_cast<u64>(&guest)}; }
};

/// A monitor of two guests, with somebody who lends.
class World final : public MemoryOwner, public Lender {
  public:
    explicit World(u64 seed) : random_(seed) {
        libos::set_fault_policy(bind_in_windows);
        REQUIRE(sharing_.open(2 * kFrames, 1).ok());
        REQUIRE(pager_.open_squeezed(200, 32).ok());
        sharing_.set_lender(this);
        REQUIRE(supply_->open_loans(loans_).ok());
        image_ = take(kImage);
        for (u64 i = 0; i < kImage; ++i) kernel_.set_word(image_.first + i, 0, i % kValues);
        const auto adopted = supply_->adopt(image_);
        REQUIRE(adopted.ok());
        shown_ = adopted.value();
        for (auto& guest : guests_) guest = std::make_unique<Guest>(*supply_, sharing_, pager_, *this);
    }
    ~World() {
        for (auto& guest : guests_) guest->managed.close();
        CHECK(sharing_.table().frames() == 0);
        CHECK(lent_ == 0);
        CHECK(pager_.pages_out() == 0);
        supply_->trim();
        CHECK(supply_->taken() == 0);
        CHECK(sharing_.close().ok());
        CHECK(pager_.close().ok());
        CHECK(supply_->close_loans().ok());
    }

    void step() {
        const u64 who = random_.below(2), page = any_page(), value = random_.below(kValues);
        Guest& guest = *guests_[who];
        u64& expected = guest.expected[page];
        // Now and then there is no more memory than is in use.
        supply_->set_most(random_.one_in(3) ? supply_->taken() : kAny);
        switch (random_.below(14)) {
        case 0:
        case 1:
        case 2:
            if (const auto frame = guest.touch(contexts_, page, true)) kernel_.set_word(*frame, 0, expected = value), ++done_[0];
            break;
        case 3:
        case 4:
            if (const auto frame = guest.touch(contexts_, page, false)) REQUIRE(kernel_.word(*frame, 0) == expected);
            break;
        case 5:
            if (guest.memory.write(page << kPageShift, value)) expected = value;
            break;
        case 6:
            if (const auto read = guest.memory.read<u64>(page << kPageShift)) REQUIRE(*read == expected);
            break;
        case 7:
        case 8:
        case 9: guest.managed.look_at(page); break;
        case 10: done_[1] += guest.managed.page_out(page); break;
        case 11:
            if (random_.one_in(4)) guest.managed.page_given(page), expected = 0;
            break;
        case 12:
            guest.managed.show(page, {shown_.number + value, shown_.run});
            expected = value;
            break;
        default:
            if (random_.one_in(40)) sharing_.leave([](SuppliedFrame) { return true; });
            else if (random_.one_in(8)) guest.memory.hide(page);
            else borrow({who, page}, value);
        }
        check();
    }
    u64 written() const { return done_[0]; }
    u64 paged_out() const { return done_[1]; }
    u64 borrowed() const { return done_[2]; }
    u64 shared() const { return sharing_.counts().shared; }
    u64 copies() const { return guests_[0]->memory.copies() + guests_[1]->memory.copies(); }

    // ---- MemoryOwner, Lender ----
    bool make_room() override {
        for (u64 i = 0; i < 8; ++i)
            if (guests_[random_.below(2)]->managed.page_out(any_page())) return supply_->set_most(kAny), true;
        return false;
    }
    void page_lost(const ManagedMemory&, u64) override { FAIL("a page is lost"); }
    void tell(u64) override {}
    void give_back(SuppliedFrame frame) override {
        --lent_;
        supply_->disown(frame);
    }

  private:
    /// Those at both ends of a chunk, mostly.
    u64 any_page() { return random_.one_in(10) ? random_.below(kFrames) : (kPagesPerLarge - 12 + random_.below(24)) % kFrames; }

    Capability take(u64 count) {
        Capability capability;
        REQUIRE(libos::call<FrameAlloc>({FrameNumber{kAny}, count, 1, libos::address(capability)}).ok());
        return capability;
    }
    /// A frame with that value, for a page that was shown, whatever is in it meanwhile.
    void borrow(PageOf page, u64 value) {
        if (lent_ == loans_.size()) return;
        const Capability frame = take(1);
        kernel_.set_word(frame.first, 0, value);
        const auto adopted = supply_->adopt(frame);
        REQUIRE(adopted.ok());
        u64 words[kPageWords]{value};
        ++lent_;
        if (sharing_.take_loan(page, hash_of(words, sharing_.seed()), adopted.value())) ++done_[2];
        else give_back(adopted.value());
    }

    void check() {
        // Whose a frame is.
        std::map<u64, u64> users;
        u64 wrong = 0;
        for (const auto& guest : guests_)
            for (const GuestFrame entry : guest->map)
                if (entry.is_backed()) ++users[entry.number()];
        for (const auto& guest : guests_)
            for (const GuestFrame entry : guest->map) {
                if (entry.use() != FrameUse::present) continue;
                wrong += users[entry.number()] != 1 || supply_->is_adopted(entry.frame().run);
            }
        REQUIRE(wrong == 0);
        for (const auto& guest : guests_) {
            for (const u64 each : {u64{1}, kPagesPerLarge})
                for (const auto& [place, bound] : each == 1 ? contexts_.small(guest->context().value) : contexts_.large(guest->context().value))
                    for (u64 i = 0; contexts_.is_live(bound) && i < each; ++i) wrong += !allows(guest->map[place * each + i], bound.frame + i, bound.writable);
            const PageNumber window = page_of(VirtAddr{reinterpret_cast<u64>(guest->memory.page(0, false))});
            for (u64 i = 0; i < kFrames; ++i)
                if (const auto bound = kernel_.binding(window + i)) wrong += !allows(guest->map[i], bound->frame, bound->rights.has(Right::write));
            wrong += kernel_.is_bound(window + kFrames);
        }
        REQUIRE(wrong == 0);
    }
    static bool allows(GuestFrame entry, u64 frame, bool writable) {
        return entry.is_backed() && entry.number() == frame && (!writable || entry.is_writable());
    }

    HostKernel kernel_;
    Contexts contexts_{kernel_};
    Random random_;
    std::unique_ptr<FrameSupply> supply_ = std::make_unique<FrameSupply>();
    Sharing sharing_{*supply_};
    GuestPager pager_{*supply_};
    std::vector<Capability> loans_ = std::vector<Capability>(24);
    Capability image_;
    SuppliedFrame shown_{};
    u64 lent_ = 0, done_[3]{};
    std::unique_ptr<Guest> guests_[2];
};

}  // namespace

TEST_CASE("vmm standing: no frame that a guest can write is anybody else's, and every page is as it was written") {
    u64 written = 0, paged_out = 0, borrowed = 0, shared = 0, copies = 0;
    for (u64 seed = 1; seed <= 8; ++seed) {
        World world(seed);
        for (u64 i = 0; i < 1500; ++i) world.step();
        written += world.written(), paged_out += world.paged_out(), borrowed += world.borrowed();
        shared += world.shared(), copies += world.copies();
    }
    CHECK(written > 500);
    CHECK(paged_out > 200);
    CHECK(borrowed > 50);
    CHECK(shared > 200);
    CHECK(copies > 200);
}
