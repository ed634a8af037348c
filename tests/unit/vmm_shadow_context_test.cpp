// What a paravirtual guest's context remembers of its bindings: enough to unbind all of them, in calls that the kernel takes.
#include <doctest/doctest.h>

#include <memory>
#include <set>

#include "libos/vmm/monitor/paravirt_shadows.hpp"
#include "tests/unit/libos_kernel.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

TEST_CASE("vmm shadow context: nothing is bound behind clear, however much was touched, in whatever order") {
    HostKernel kernel;
    std::set<u64> bound;
    kernel.instead = [&](u64 number, const auto& words) -> std::optional<libos::Answer> {
        if (number != Bind::number && number != Unbind::number) return {};
        const PageSpan span{number == Bind::number ? words[2] : words[0]};
        if (span.count() - 1 >= PageSpan::kMaxPages) return libos::Answer{Error::bad_argument, 0};
        for (u64 i = 0; i < span.count(); ++i) {
            if (number == Bind::number) bound.insert(span.page().value + i);
            else bound.erase(span.page().value + i);
        }
        return libos::Answer{Error::ok, span.count()};
    };
    const auto context = std::make_unique<ShadowContext>();
    REQUIRE(context->open(1024).ok());
    const Capability frames{};
    const PageNumber code{1};
    Random random(1);
    for (const u64 most : {u64{100}, u64{8'000}, u64{8'193}, u64{20'000}, u64{70'000}}) {
        u64 page = 0x10'0000;
        for (u64 i = 0; i < most; ++i) {
            const u64 count = random.one_in(8) ? 1 + random.below(16) : 1;
            const PageSpan span = PageSpan::make(PageNumber{page}, count, Right::read);
            REQUIRE(context->bind(frames, FrameNumber{0}, span, code).ok());
            page += random.one_in(1'000) ? random.below(100) : count;
        }
        CHECK_FALSE(bound.empty());
        context->clear();
        REQUIRE(bound.size() == 0);
    }
}
