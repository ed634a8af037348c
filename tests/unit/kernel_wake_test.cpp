// Wake-up predicates against a model that evaluates every term of every clause.
#include <doctest/doctest.h>

#include <array>

#include "exokernel/core/wake.hpp"
#include "tests/unit/random.hpp"

namespace tessera::kernel {
namespace {

using test::Random;

/// A few words of memory at made-up addresses; what lies behind them is not bound.
struct Words {
    std::array<u64, 4> value{};
    u64 reads = 0;
    const volatile u64* at(VirtAddr address) {
        ++reads;
        return address.value / 8 < value.size() ? &value[address.value / 8] : nullptr;
    }
    bool holds(const WakeTerm* terms, u64 count) {
        return any_clause_holds(terms, count, [this](VirtAddr address) { return at(address); });
    }
};

WakeTerm term(u64 word, Comparison comparison, u64 value, bool ends, u64 mask = ~u64{0}) {
    return {VirtAddr{word * 8}, mask, value, comparison, ends};
}

TEST_CASE("wake-up terms: each comparison, unsigned and under its mask") {
    Words words{{5, ~u64{0}, 0x1234, 0}};
    const auto holds = [&](const WakeTerm& one) { return words.holds(&one, 1); };
    CHECK(holds(term(0, Comparison::equal, 5, true)));
    CHECK_FALSE(holds(term(0, Comparison::equal, 6, true)));
    CHECK(holds(term(0, Comparison::not_equal, 6, true)));
    CHECK(holds(term(0, Comparison::less, 6, true)));
    CHECK_FALSE(holds(term(0, Comparison::less, 5, true)));
    CHECK(holds(term(0, Comparison::greater_or_equal, 5, true)));
    CHECK(holds(term(1, Comparison::greater_or_equal, 5, true)));
    CHECK_FALSE(holds(term(1, Comparison::less, 5, true)));
    CHECK(holds(term(2, Comparison::equal, 0x30, true, 0xf0)));
    CHECK(holds(term(9, Comparison::equal, 1, true)));  // not bound: the sleeper has to look itself
}

TEST_CASE("wake-up terms: nothing at all never holds, and no more is read than has to be") {
    Words words{{1, 2, 3, 4}};
    CHECK_FALSE(words.holds(nullptr, 0));
    const WakeTerm terms[] = {term(0, Comparison::equal, 9, false), term(1, Comparison::equal, 2, true),
                              term(2, Comparison::equal, 3, true), term(3, Comparison::equal, 4, true)};
    CHECK(words.holds(terms, 4));
    CHECK(words.reads == 2);  // the first term fails its clause, the third holds
}

TEST_CASE("wake-up terms: what is refused") {
    WakeTerm terms[] = {term(0, Comparison::equal, 0, false), term(0, Comparison::equal, 0, true)};
    CHECK(check_terms(terms, 2).ok());
    CHECK(check_terms(terms, 0).ok());
    CHECK(check_terms(terms, 1).error() == Error::bad_argument);
    terms[0].comparison = Comparison{4};
    CHECK(check_terms(terms, 2).error() == Error::bad_argument);
    terms[0].comparison = Comparison::less;
    terms[1].ends_clause = 2;
    CHECK(check_terms(terms, 2).error() == Error::bad_argument);
}

TEST_CASE("wake-up terms: random predicates are what the model says") {
    Random random(7);
    u64 held = 0;
    for (int round = 0; round < 20'000; ++round) {
        Words words;
        for (u64& value : words.value) value = random.below(4);
        WakeTerm terms[kMaxWakeTerms];
        const u64 count = 1 + random.below(kMaxWakeTerms);
        bool any = false, clause = true;
        for (u64 i = 0; i < count; ++i) {
            const u64 word = random.below(5), value = random.below(4), mask = random.below(4);
            const Comparison comparison{static_cast<u32>(random.below(4))};
            terms[i] = term(word, comparison, value, i + 1 == count || random.below(3) == 0, mask);
            const u64 left = word < 4 ? words.value[word] & mask : 0;
            const bool truths[] = {left == value, left != value, left < value, left >= value};
            clause = clause && (word == 4 || truths[static_cast<u32>(comparison)]);
            if (terms[i].ends_clause) any = any || clause, clause = true;
        }
        REQUIRE(check_terms(terms, count).ok());
        REQUIRE(words.holds(terms, count) == any);
        held += any;
    }
    CHECK(held > 2'000);
    CHECK(held < 18'000);
}

}  // namespace
}  // namespace tessera::kernel
