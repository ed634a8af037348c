// Rewriting in place: what can be reached by control flow is replaced, and nothing else is touched.
#include <doctest/doctest.h>

#include <set>

#include "libos/vmm/instructions/rewrite.hpp"
#include "tests/unit/random.hpp"
#include "tests/unit/vmm_test_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::vmm::test;
using tessera::test::Random;

namespace {

/// The test machine's code, once more by another address: two names for one memory.
class TestCode final : public CodeMemory {
  public:
    static constexpr u64 kAlias = 0x7000'0000'0000;
    explicit TestCode(TestMemory& memory) : memory_(memory) {}
    std::set<u64> patched_pages;

    bool read(u64 address, u8* to, u64 length) override {
        Exception fault;
        return memory_.read(real(address), to, length, {}, fault);
    }
    u64 identity(u64 address) override { return real(address) - TestMemory::kBase; }
    void patch(u64 address, u8 byte) override {
        memory_.put(real(address), byte);
        patched_pages.insert(identity(address) / kPageSize);
    }

  private:
    static u64 real(u64 address) { return address >= kAlias ? address - kAlias + TestMemory::kBase : address; }
    TestMemory& memory_;
};

/// The same by identity.
class ByIdentity final : public CodeMemory {
  public:
    explicit ByIdentity(TestCode& code) : code_(code) {}
    bool read(u64 address, u8* to, u64 length) override { return code_.read(TestMemory::kBase + address, to, length); }
    u64 identity(u64 address) override { return address; }
    void patch(u64 address, u8 byte) override { code_.patch(TestMemory::kBase + address, byte); }

  private:
    TestCode& code_;
};

struct Rig {
    TestMachine m;
    TestCode code{m.memory};
    std::vector<Site> sites = std::vector<Site>(256);
    std::vector<ScannedPage> pages = std::vector<ScannedPage>(16);
    Rewriter rewriter{sites, pages};
    static constexpr u64 kCode = TestMachine::kCode;

    u8 byte(u64 offset) { return m.memory.get<u8>(kCode + offset); }
};

}  // namespace

TEST_CASE("a popf in the way is replaced, emulated, and shown as it was") {
    Rig rig;
    rig.m.memory.put_code(Rig::kCode, {0x9c, 0xfa, 0x90, 0x9d, 0xc3, 0x9d});  // pushf; cli; nop; popf; ret; and what is not reached
    const auto scanned = rig.rewriter.scan(rig.code, Rig::kCode);
    CHECK(scanned.complete);
    CHECK(scanned.instructions == 5);
    CHECK(scanned.replaced == 2);
    CHECK(rig.byte(0) == kTrappingByte);
    CHECK(rig.byte(1) == 0xfa);  // traps by itself
    CHECK(rig.byte(3) == kTrappingByte);
    CHECK(rig.byte(5) == 0x9d);
    CHECK(rig.rewriter.scan(rig.code, Rig::kCode).instructions == 0);
    u8 shown[6];
    REQUIRE(rig.code.read(Rig::kCode, shown, 6));
    rig.rewriter.show_original(rig.code, Rig::kCode, shown, 6);
    CHECK(shown[0] == 0x9c);
    CHECK(shown[3] == 0x9d);

    rig.m.cpu.rflags |= rflags::kInterrupt;
    CHECK(emulate_site(rig.rewriter, rig.code, rig.m.machine).emulated.ending == Ending::done);
    CHECK(rig.m.cpu.rip == Rig::kCode + 1);
    CHECK((rig.m.memory.get<u64>(rig.m.cpu.gpr[kRsp]) & rflags::kInterrupt) != 0);
    CHECK(!emulate_site(rig.rewriter, rig.code, rig.m.machine).was_site);  // cli is none
    CHECK(emulate(rig.m.machine).ending == Ending::done);
    rig.m.cpu.rip = Rig::kCode + 3;
    CHECK(emulate_site(rig.rewriter, rig.code, rig.m.machine).emulated.ending == Ending::done);
    CHECK(rig.m.cpu.interrupts_enabled());
}

TEST_CASE("indirect branches are taken by the monitor, and what they reach is scanned") {
    Rig rig;
    rig.m.memory.put_code(Rig::kCode, {0xff, 0xd0, 0x90, 0xc3});  // call rax; nop; ret
    rig.m.memory.put_code(Rig::kCode + 0x100, {0x0f, 0xa2, 0xc3});
    CHECK(rig.rewriter.scan(rig.code, Rig::kCode).replaced == 1);
    CHECK(rig.byte(0x100) == 0x0f);
    rig.m.cpu.gpr[kRax] = Rig::kCode + 0x100;
    const auto trap = emulate_site(rig.rewriter, rig.code, rig.m.machine);
    CHECK(trap.was_site);
    CHECK(trap.emulated.ending == Ending::done);
    CHECK(rig.m.cpu.rip == Rig::kCode + 0x100);
    CHECK(rig.m.memory.get<u64>(rig.m.cpu.gpr[kRsp]) == Rig::kCode + 2);
    CHECK(rig.byte(0x100) == kTrappingByte);
    CHECK(rig.byte(0x101) == 0xa2);
    CHECK(emulate_site(rig.rewriter, rig.code, rig.m.machine).emulated.what == Sensitive::cpuid);
    CHECK(rig.m.cpu.rip == Rig::kCode + 0x102);
}

TEST_CASE("one page by two addresses is one page") {
    Rig rig;
    rig.m.memory.put_code(Rig::kCode, {0x90, 0x9d, 0xc3});
    CHECK(rig.rewriter.scan(rig.code, Rig::kCode).replaced == 1);
    CHECK(rig.rewriter.scan(rig.code, TestCode::kAlias).instructions == 0);
    CHECK(rig.rewriter.is_site(rig.code.identity(TestCode::kAlias + 1)));
    CHECK(rig.rewriter.forget(rig.code, TestCode::kAlias + 0x123) == 1);
    CHECK(rig.byte(1) == 0x9d);
    CHECK(rig.rewriter.sites() == 0);
}

TEST_CASE("a page that is written to is put back, and scanned anew") {
    Rig rig;
    rig.m.memory.put_code(Rig::kCode, {0x9d, 0x9c, 0xc3});
    CHECK(rig.rewriter.scan(rig.code, Rig::kCode).replaced == 2);
    CHECK(rig.rewriter.forget(rig.code, Rig::kCode) == 1);
    // The guest's own hlt where a popf was: it is the guest's, not a site.
    rig.m.memory.put_code(Rig::kCode, {0xf4, 0x90, 0xc3});
    CHECK(rig.rewriter.scan(rig.code, Rig::kCode).replaced == 0);
    CHECK(!emulate_site(rig.rewriter, rig.code, rig.m.machine).was_site);
    CHECK(emulate(rig.m.machine).ending == Ending::halted);
    CHECK(rig.rewriter.forget(rig.code, Rig::kCode) == 2);
    CHECK(rig.byte(0) == 0xf4);
    CHECK(rig.rewriter.forget(rig.code, TestMachine::kData) == 0);
}

TEST_CASE("an instruction across two pages is scanned anew when only its end was written") {
    Rig rig;
    ByIdentity memory(rig.code);
    const u64 second = (Rig::kCode & ~(kPageSize - 1)) + kPageSize, first = second - 1;
    const u64 end = rig.code.identity(second), begin = rig.code.identity(first);
    CHECK(rig.rewriter.page_before(end) == Site::kNobody);
    rig.m.memory.put_code(first, {0x66, 0x90, 0xc3});
    CHECK(rig.rewriter.scan(rig.code, first).replaced == 0);
    REQUIRE(rig.rewriter.page_before(end + 1) == begin / kPageSize * kPageSize);
    CHECK(rig.rewriter.page_before(begin) == Site::kNobody);
    CHECK(rig.rewriter.forget(memory, rig.rewriter.page_before(end)) == 1);
    CHECK(rig.rewriter.forget(memory, end) == 1);
    CHECK(rig.rewriter.page_before(end) == Site::kNobody);
    rig.m.memory.put_code(second, {0x9c, 0xc3});
    CHECK(rig.rewriter.scan(rig.code, first).replaced == 1);
    CHECK(rig.m.memory.get<u8>(first) == kTrappingByte);
}

TEST_CASE("when memory runs out, the scan says so") {
    Rig rig;
    std::vector<Site> few(4);
    Rewriter small(few, rig.pages);
    for (u64 i = 0; i < 5; ++i) rig.m.memory.put_code(Rig::kCode + i, {0x9c, 0xc3});
    CHECK(!small.scan(rig.code, Rig::kCode).complete);
    std::vector<ScannedPage> one(1);
    Rewriter narrow(rig.sites, one);
    rig.m.memory.put_code(Rig::kCode + 0x1800, {0xc3});
    CHECK(narrow.scan(rig.code, Rig::kCode + 0x1800).complete);
    CHECK(!narrow.scan(rig.code, Rig::kCode + 0x2800).complete);
}

TEST_CASE("sites that all belong in one place of the table are refused before it takes long to look for them") {
    // What names a byte is the guest's choice, as far as it chooses where its code lies.
    class Together final : public CodeMemory {
      public:
        explicit Together(CodeMemory& code) : code_(code) {}
        bool read(u64 address, u8* to, u64 length) override { return code_.read(address, to, length); }
        u64 identity(u64 address) override { return (address - Rig::kCode + 1) << 52; }
        void patch(u64 address, u8 byte) override { code_.patch(address, byte); }

      private:
        CodeMemory& code_;
    };
    constexpr u64 kSites = 1024;
    for (const u64 count : {u64{100}, u64{200}}) {
        Rig rig;
        Together code(rig.code);
        std::vector<Site> sites(kSites);
        std::vector<ScannedPage> pages(kSites / 2);
        Rewriter rewriter(sites, pages);
        for (u64 i = 0; i < count; ++i) rig.m.memory.put_code(Rig::kCode + i, {0x9c, 0xc3});
        CHECK(rewriter.scan(code, Rig::kCode).complete == (count == 100));
        CHECK(rewriter.sites() <= 128);
    }
}

TEST_CASE("code that overlaps itself where a byte would change is told, whichever way is taken first") {
    // mov eax, 90c3589ch; ret -- or, one byte in, pushf; pop rax; ret
    for (const u64 first : {u64{0}, u64{1}}) {
        Rig rig;
        rig.m.memory.put_code(Rig::kCode, {0xb8, 0x9c, 0x58, 0xc3, 0x90, 0xc3});
        CHECK(rig.rewriter.scan(rig.code, Rig::kCode + first).complete);
        CHECK(!rig.rewriter.scan(rig.code, Rig::kCode + 1 - first).complete);
        ByIdentity everything(rig.code);
        rig.rewriter.forget_all(everything);
        CHECK(rig.byte(1) == 0x9c);
        CHECK(rig.rewriter.sites() == 0);
    }
    // Where none would, it may: mov eax, 0c3c03148h; ret -- or xor rax, rax; ret
    Rig rig;
    rig.m.memory.put_code(Rig::kCode, {0xb8, 0x48, 0x31, 0xc0, 0xc3, 0xc3});
    CHECK(rig.rewriter.scan(rig.code, Rig::kCode).complete);
    CHECK(rig.rewriter.scan(rig.code, Rig::kCode + 1).complete);
    // Over the end of a page, into one that is known.
    Rig edge;
    edge.m.memory.put_code(Rig::kCode + kPageSize - 1, {0xb8, 0x9c, 0x58, 0xc3, 0x90, 0xc3});
    CHECK(edge.rewriter.scan(edge.code, Rig::kCode + kPageSize).complete);
    CHECK(!edge.rewriter.scan(edge.code, Rig::kCode + kPageSize - 1).complete);
}

TEST_CASE("in random code, what is reached and sensitive traps, and forgetting restores every byte") {
    Random random(11);
    for (u32 round = 0; round < 300; ++round) {
        Rig rig;
        // Instructions in a row with data between them; branches go forwards and backwards to beginnings.
        struct Line {
            u64 at;
            std::vector<u8> bytes;
            int target = -1;
            bool falls, sensitive, data;
        };
        std::vector<Line> lines;
        const std::vector<std::vector<u8>> plain = {{0x90}, {0x48, 0x01, 0xc8}, {0xb8, 0x9d, 0x9c, 0x9d, 0x9c}, {0x66, 0x9c}, {0x0f, 0xa2},
                                                    {0x9d}, {0x8c, 0xc8}, {0x48, 0xcf}, {0xc3}, {0xff, 0xe0}, {0xe8, 0, 0, 0, 0}, {0xe9, 0, 0, 0, 0},
                                                    {0x0f, 0x84, 0, 0, 0, 0}, {0x9d}};
        u64 at = 0;
        const u64 count = random.between(10, 120);
        for (u64 i = 0; i < count; ++i) {
            const u64 kind = random.below(plain.size());
            Line line{at, plain[kind], -1, true, (kind >= 3 && kind <= 7), kind == 13};
            if (kind == 7 || kind == 8 || kind == 9 || kind == 11 || kind == 13) line.falls = false;
            if (kind == 9) line.sensitive = true;
            if (kind >= 10 && kind <= 12) line.target = static_cast<int>(random.below(count));
            lines.push_back(line);
            at += line.bytes.size();
        }
        for (Line& line : lines) {
            if (line.target >= 0) {
                const u32 distance = static_cast<u32>(lines[static_cast<u64>(line.target)].at - line.at - line.bytes.size());
                for (u32 i = 0; i < 4; ++i) line.bytes[line.bytes.size() - 4 + i] = static_cast<u8>(distance >> 8 * i);
            }
            for (u64 i = 0; i < line.bytes.size(); ++i) rig.m.memory.put<u8>(Rig::kCode + line.at + i, line.bytes[i]);
        }
        const auto before = rig.m.memory.bytes;
        std::vector<bool> reached(count);
        std::vector<u64> work{0};
        while (!work.empty()) {
            const u64 i = work.back();
            work.pop_back();
            if (i >= count || reached[i]) continue;
            reached[i] = true;
            if (lines[i].target >= 0) work.push_back(static_cast<u64>(lines[i].target));
            // What is data here is a popf to the CPU: it goes on.
            if (lines[i].falls || lines[i].data) work.push_back(i + 1);
        }
        REQUIRE(rig.rewriter.scan(rig.code, Rig::kCode).complete);
        for (u64 i = 0; i < count; ++i) {
            const bool expected = reached[i] && (lines[i].sensitive || lines[i].data);
            REQUIRE((rig.byte(lines[i].at) == kTrappingByte) == expected);
            for (u64 k = 1; k < lines[i].bytes.size(); ++k) REQUIRE(rig.byte(lines[i].at + k) == lines[i].bytes[k]);
        }
        for (u64 page = 0; page < TestMemory::kPages; ++page) rig.rewriter.forget(rig.code, TestMemory::kBase + page * kPageSize);
        REQUIRE(rig.m.memory.bytes == before);
        REQUIRE(rig.rewriter.sites() == 0);
    }
}
