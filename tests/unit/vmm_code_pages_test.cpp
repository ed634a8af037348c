// Which pages translations were made from, held against a model that looks at all roots all the time: before code runs in a root, nothing
// is left that was translated from another frame.
#include <doctest/doctest.h>

#include <map>

#include "libos/vmm/deprivileged/code_pages.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using tessera::test::Random;

namespace {

class NoHardware final : public ShadowHardware {
  public:
    u64 forgotten = 0;
    void forget(u32, PageNumber, u64 count) override { forgotten += count; }
    void forget_root(u32) override { ++forgotten; }
    void forget_frame(u64) override { ++forgotten; }
};

struct Model {
    static constexpr u32 kRoots = 5;
    static constexpr u64 kPages = 12, kFrames = 6;
    NoHardware hardware;
    CodePages code{hardware};
    u64 frame[kRoots][kPages]{};
    std::map<u64, u64> translated;  // page to frame
    Random random;

    explicit Model(u64 seed) : random(seed) {}

    void change() {
        const u32 root = static_cast<u32>(random.below(kRoots));
        const u64 page = random.below(kPages);
        frame[root][page] = random.below(kFrames);
        code.forget(root, PageNumber{page}, 1 + random.below(3));
    }
    void settle(u32 root) {
        code.settle(
            root,
            [&](PageNumber page, u64 was) {
                // Looking turns up that something else has changed, now and then.
                if (random.one_in(16)) change();
                return frame[root][page.value] == was;
            },
            [&](PageNumber page) { translated.erase(page.value); });
    }
    void run(u32 root) {
        settle(root);
        REQUIRE(code.is_settled(root));
        for (const auto& [page, was] : translated) REQUIRE(frame[root][page] == was);
        const u64 page = random.below(kPages);
        if (const auto known = code.find(root, PageNumber{page})) {
            REQUIRE(*known == frame[root][page]);
        } else {
            REQUIRE(code.note(root, PageNumber{page}, frame[root][page]) == CodePages::Noted::good);
            translated[page] = frame[root][page];
        }
        REQUIRE(code.is_settled(root));
    }
    void write(u64 which) {
        bool any = false;
        for (const auto& [page, was] : translated) any |= was == which;
        CHECK(code.forget_code(which, [&](PageNumber page) { REQUIRE(translated.erase(page.value) == 1); }) == any);
        for (const auto& [page, was] : translated) REQUIRE(was != which);
    }
};

}  // namespace

TEST_CASE("code pages: what runs in a root was translated from what stands there") {
    for (u64 seed = 1; seed < 60; ++seed) {
        Model model(seed);
        for (u32 step = 0; step < 400; ++step) {
            switch (model.random.below(8)) {
                case 0: model.change(); break;
                case 1: model.write(model.random.below(Model::kFrames)); break;
                case 2:
                    if (model.random.one_in(4)) {
                        const u32 root = static_cast<u32>(model.random.below(Model::kRoots));
                        for (u64& each : model.frame[root]) each = model.random.below(Model::kFrames);
                        model.code.forget_root(root);
                    }
                    break;
                default: model.run(static_cast<u32>(model.random.below(Model::kRoots))); break;
            }
        }
    }
}

TEST_CASE("code pages: what is dropped elsewhere costs nothing, and is passed on") {
    NoHardware hardware;
    CodePages code(hardware);
    CHECK(code.is_settled(3));
    CHECK(code.note(3, PageNumber{0x100}, 7) == CodePages::Noted::good);
    CHECK(code.is_settled(3));
    CHECK(!code.is_settled(2));
    code.forget(3, PageNumber{0x101}, 1000);
    code.forget(3, PageNumber{0}, 0x100);
    CHECK(code.is_settled(3));
    code.forget(2, PageNumber{0x100}, 1);
    CHECK(code.is_settled(3));
    code.forget(3, PageNumber{0xff}, 2);
    CHECK(!code.is_settled(3));
    CHECK(!code.find(3, PageNumber{0x100}));
    CHECK(hardware.forgotten == 1000 + 0x100 + 1 + 2);
}

TEST_CASE("code pages: another frame under an old translation is told, and so is the end of room") {
    NoHardware hardware;
    CodePages code(hardware);
    CHECK(code.note(0, PageNumber{1}, 10) == CodePages::Noted::good);
    CHECK(code.note(1, PageNumber{1}, 10) == CodePages::Noted::good);
    CHECK(code.note(1, PageNumber{1}, 11) == CodePages::Noted::changed);
    for (u64 page = 2; page <= CodePages::kMost; ++page) CHECK(code.note(0, PageNumber{page << 20}, page) == CodePages::Noted::good);
    CHECK(code.note(0, PageNumber{5}, 5) == CodePages::Noted::full);
    code.clear();
    CHECK(!code.find(0, PageNumber{2 << 20}));
    CHECK(code.note(0, PageNumber{5}, 5) == CodePages::Noted::good);
}
