// The translation cache, natively: random kernel code runs from the cache to the same registers, flags and memory as
// stepped through one by one, whatever stops it; and wherever it is stopped, the guest's state is an exact one.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/unit/random.hpp"
#include "tests/unit/vmm_native_runner.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::vmm::test;
using tessera::test::Random;

namespace {

using Code = std::vector<u8>;

/// The cache at one of two places, with all its memory.
struct Cache {
    explicit Cache(u64 base)
        : layout{base},
          memory{layout,
                 reinterpret_cast<TranslationPage*>(layout.page()),
                 reinterpret_cast<TranslationTables*>(layout.tables()),
                 {at(layout.code()), NativeLayout::kCacheSize},
                 blocks,
                 entries,
                 exits,
                 index,
                 16,
                 has_base_instructions()},
          translator(memory) {}
    std::vector<Block> blocks = std::vector<Block>(512);
    std::vector<MapEntry> entries = std::vector<MapEntry>(8192);
    std::vector<Exit> exits = std::vector<Exit>(2048);
    std::vector<u32> index = std::vector<u32>(1024);
    TranslationLayout layout;
    TranslationMemory memory;
    Translator translator;
    void restart() { translator = Translator(memory); }
};

void map_everything() {
    static const bool once = [] {
        map(NativeLayout::kCode, NativeLayout::kCodeSize, PROT_READ | PROT_WRITE | PROT_EXEC);
        map(NativeLayout::kData, NativeLayout::kDataSize, PROT_READ | PROT_WRITE);
        map(NativeLayout::kStack, NativeLayout::kStackSize, PROT_READ | PROT_WRITE);
        map(NativeLayout::kHole, NativeLayout::kHoleSize, PROT_NONE);
        for (const u64 base : {NativeLayout::kNear, NativeLayout::kFar})
            map(base, TranslationLayout{base}.code() - base + NativeLayout::kCacheSize, PROT_READ | PROT_WRITE | PROT_EXEC);
        return true;
    }();
    (void)once;
}

/// Writes random but sensible kernel code: functions that call later ones, loops, and branches that come back.
class Generator {
  public:
    /// `made_up`: with return addresses that no call made, which rewriting cannot follow.
    Generator(u64 seed, bool made_up) : random_(seed), made_up_(made_up) {}

    Code program(bool wild) {
        wild_ = wild;
        const u64 functions = random_.between(1, 4);
        // The main one jumps to the end; the others return. They are written last to first, so that calls know where they go.
        std::vector<Code> bodies;
        for (u64 i = 0; i < functions; ++i) {
            out_.clear();
            callable_ = bodies.size();
            calls_.clear();
            for (u64 lines = random_.between(4, 20); lines > 0; --lines) line(2);
            if (i + 1 == functions)
                put({0xe9, 0, 0, 0, 0});
            else if (random_.one_in(4))
                put({0xc2, 8, 0}), bodies_release_.push_back(true);
            else
                put({0xc3}), bodies_release_.push_back(false);
            bodies.push_back(out_);
            all_calls_.push_back(calls_);
        }
        // Laid out from main downwards.
        std::vector<u64> begins(functions);
        u64 place = 0;
        Code whole;
        for (u64 i = functions; i-- > 0;) {
            begins[i] = place;
            place += bodies[i].size();
        }
        for (u64 i = functions; i-- > 0;) {
            for (const auto& [where, callee] : all_calls_[i]) patch(bodies[i], where, begins[callee] - (begins[i] + where + 4));
            if (i + 1 == functions) patch(bodies[i], bodies[i].size() - 4, NativeLayout::kEnd - NativeLayout::kCode - (begins[i] + bodies[i].size()));
            whole.insert(whole.end(), bodies[i].begin(), bodies[i].end());
        }
        return whole;
    }

  private:
    static void patch(Code& code, u64 where, u64 value) {
        for (u32 i = 0; i < 4; ++i) code[where + i] = static_cast<u8>(value >> 8 * i);
    }
    void put(std::initializer_list<u64> bytes) {
        for (const u64 byte : bytes) out_.push_back(static_cast<u8>(byte));
    }
    void put32(u64 value) {
        for (u32 i = 0; i < 4; ++i) out_.push_back(static_cast<u8>(value >> 8 * i));
    }
    /// Not rsp; rbx points at data, r15 counts loops.
    u8 any() {
        for (;;) {
            const u8 reg = static_cast<u8>(random_.below(15));
            if (reg != kRsp && reg != kRbx) return reg;
        }
    }
    u64 rex(u8 reg, u8 rm, bool wide = true) { return 0x40u | (wide ? 8u : 0u) | (reg >> 3) << 2 | rm >> 3; }
    u64 modrm(u32 mod, u8 reg, u8 rm) { return mod << 6 | (reg & 7u) << 3 | (rm & 7u); }

    void line(u32 depth) {
        switch (random_.below(wild_ ? 23 : 22)) {
            case 0: case 1: {  // reg, reg
                constexpr u8 kOps[] = {0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39, 0x85, 0x89};
                const u8 reg = any(), rm = any();
                put({rex(reg, rm, random_.one_in(2)), kOps[random_.below(sizeof kOps)], modrm(3, reg, rm)});
                break;
            }
            case 2: {  // reg, [rbx + small]
                constexpr u8 kOps[] = {0x01, 0x03, 0x0b, 0x13, 0x1b, 0x23, 0x2b, 0x33, 0x3b, 0x89, 0x8b};
                const u8 reg = any();
                put({rex(reg, kRbx), kOps[random_.below(sizeof kOps)], modrm(1, reg, kRbx), random_.below(120)});
                break;
            }
            case 3: {  // constants, small and large
                const u8 reg = any();
                put({rex(0, reg), 0xb8u | (reg & 7u)});
                put32(random_.next()), put32(random_.one_in(2) ? random_.next() : 0);
                break;
            }
            case 4: rip_relative(); break;
            case 5: rip_relative(); break;
            case 6: {  // shifts, not, neg, mul
                const u8 reg = any();
                if (random_.one_in(2))
                    put({rex(0, reg), 0xc1, modrm(3, static_cast<u8>(random_.below(6)), reg), random_.below(64)});
                else
                    put({rex(0, reg), 0xf7, modrm(3, static_cast<u8>(random_.between(2, 5)), reg)});
                break;
            }
            case 7: put({0x0f, 0x90u | random_.below(16), modrm(3, 0, kRcx)}); break;                       // setcc cl
            case 8: { const u8 reg = any(), rm = any(); put({rex(reg, rm), 0x0f, 0x40u | random_.below(16), modrm(3, reg, rm)}); break; }
            case 9: { const u8 reg = any(); put({0x40u | reg >> 3, 0x50u | (reg & 7u)}); line(0); put({0x41, 0x58 | 2}); break; }  // push, something, pop r10
            case 10: put({0x9c}); put({0x59}); break;                                                       // pushf; pop rcx
            case 11: set_flags(); break;
            case 12: put({0xfa}); break;
            case 13: put({0xfb}); if (random_.one_in(2)) put({0x90}); break;
            case 14: put({0x8c, 0xc8 | random_.below(8)}); break;                                           // mov r32, cs
            case 15: put({0x52, 0x53, 0x0f, 0xa2, 0x5b, 0x5a}); break;                                      // cpuid, rbx kept
            case 16: skip(depth); break;
            case 17: if (depth) loop(depth - 1); break;
            case 18: call(); break;
            case 19: indirect(); break;
            case 20: put({0x0f, 0x01, 0xf8}); break;                                                        // swapgs
            case 21: { const u8 reg = any(); put({rex(0, reg, false), 0x0f, 0x20, modrm(3, static_cast<u8>("\0\2\3\4"[random_.below(4)]), reg)}); break; }
            default: {  // where nothing is, of the guest's or of this process
                const u64 kNowhere[] = {NativeLayout::kHole + random_.below(NativeLayout::kHoleSize / 2), 0x8000'0000'0000 + random_.below(1 << 20),
                                        0xffff'ffff'ffff'ff00};
                const u64 address = kNowhere[random_.below(std::size(kNowhere))];
                const u8 reg = any();
                put({0x49, 0xb8}), put32(address), put32(address >> 32);  // mov r8, ...
                put({rex(reg, kR8), random_.one_in(2) ? 0x8bu : 0x89u, modrm(1, reg, kR8), random_.below(128)});
                break;
            }
        }
    }

    /// No LOCK, and no XCHG with memory: a locked access over a line's end is punished by some hosts with milliseconds.
    /// Operands by rip point at the code's own page: behind every such instruction is a word of its own, jumped over.
    void rip_relative() {
        const u8 reg = any();
        const u64 b = random_.below(2);  // REX.B is there to be ignored
        struct Form {
            std::vector<u64> bytes;  // up to ModRM
            u32 immediate;
        };
        const Form forms[] = {{{rex(reg, 0) | b, 0x8b, modrm(0, reg, 5)}, 0},          {{rex(reg, 0) | b, 0x01, modrm(0, reg, 5)}, 0},
                              {{rex(reg, 0) | b, 0x8d, modrm(0, reg, 5)}, 0},          {{0x48 | b, 0x81, modrm(0, 0, 5)}, 4},
                              {{0x66, 0xc7, modrm(0, 0, 5)}, 2},                       {{0x80, modrm(0, 6, 5)}, 1},
                              {{0xff, modrm(0, 6, 5)}, 0},                             {{rex(reg, 0), 0x0f, 0xb1, modrm(0, reg, 5)}, 0},
                              {{rex(reg, 0), 0x0f, 0xaf, modrm(0, reg, 5)}, 0},        {{rex(reg, 0), 0x69, modrm(0, reg, 5)}, 4},
                              {{rex(reg, 0), 0x0f, 0xc1, modrm(0, reg, 5)}, 0},        {{rex(reg, 0), 0x0f, 0x38, 0xf0, modrm(0, reg, 5)}, 0},
                              {{0x67, rex(reg, 0), 0x8b, modrm(0, reg, 5)}, 0},        {{0x67, 0x8d, modrm(0, static_cast<u8>(reg & 7), 5)}, 0},
                              {{0xf6, modrm(0, 0, 5)}, 1},                             {{0x48, 0x0f, 0xba, modrm(0, 5, 5)}, 1},
                              {{0x66, rex(reg, 0, false), 0x8d, modrm(0, reg, 5)}, 0}};
        const u8 third = any();
        const u64 andn[] = {0xc4, (reg >> 3 ? 0u : 0x80u) | 0x40 | (b ? 0u : 0x20u) | 2, 0x80u | (~third & 15u) << 3, 0xf2, modrm(0, reg, 5)};
        if (random_.one_in(8) && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("avx")) {
            // VEX of three bytes, and of two.
            if (random_.one_in(2)) for (const u64 byte : andn) put({byte});
            else put({0xc5, 0xfa, 0x6f, 0x3d});  // vmovdqu xmm7, [rip + ...]
            put({2, 0, 0, 0, 0xeb, 16});
            for (u32 i = 0; i < 16; ++i) put({random_.next()});
            return;
        }
        const u64 kind = random_.below(std::size(forms));
        if (kind == 13 && (reg & 7) == kRsp) return;
        if (kind == 13 && (reg & 7) == kRbx) return;
        for (const u64 byte : forms[kind].bytes) put({byte});
        const u64 distance_at = out_.size();
        put32(0);
        for (u32 i = 0; i < forms[kind].immediate; ++i) put({random_.next()});
        put({0xeb, 8});
        for (u32 i = 0; i < 8; ++i) put({random_.next()});
        patch(out_, distance_at, 2);
        if (kind == 6) put({0x41, 0x5a});  // what was pushed
    }

    /// popf of something that this process survives: no TF or AC; the I/O level and NT, which are the monitor's, now and then.
    void set_flags() {
        u64 flags = random_.next() & 0xed5;
        if (random_.one_in(8)) flags |= random_.below(8) << 12;
        put({0x68}), put32(flags);
        put({0x9d});
    }

    void skip(u32 depth) {
        const u64 kind = random_.below(4);
        const u64 at = out_.size();
        if (kind == 0) put({0x0f, 0x80u | random_.below(16), 0, 0, 0, 0});
        else if (kind == 1) put({0x70u | random_.below(16), 0});
        else if (kind == 2) put({0xe3, 0});
        else put({0xe9, 0, 0, 0, 0});
        const u64 begin = out_.size();
        if (kind == 1 || kind == 2) put({0x90}), line(0);
        else for (u64 lines = random_.below(4); lines > 0 && depth; --lines) line(depth - 1);
        const u64 length = out_.size() - begin;
        if ((kind == 1 || kind == 2) && length > 127) {
            out_.resize(at);
            return;
        }
        if (kind == 1 || kind == 2) out_[at + 1] = static_cast<u8>(length);
        else patch(out_, begin - 4, length);
    }

    /// r15 counts, kept on the stack if loops are nested.
    void loop(u32 depth) {
        put({0x41, 0x57});                          // push r15
        put({0x41, 0xbf}), put32(random_.one_in(3) ? random_.between(17, 24) : random_.between(1, 4));
        const u64 begin = out_.size();
        ++in_loop_;
        for (u64 lines = random_.between(1, 4); lines > 0; --lines) line(depth);
        --in_loop_;
        put({0x4d, 0x8d, 0x7f, 0xff});              // lea r15, [r15 - 1]
        put({0x4d, 0x85, 0xff, 0x0f, 0x85}), put32(begin - (out_.size() + 4));
        put({0x41, 0x5f});
    }

    void call() {
        if (callable_ == 0 || in_loop_ != 0) return;  // loops that call loops would never end
        const u64 callee = random_.below(callable_);
        put({0x50});
        put({0xe8});
        calls_.push_back({out_.size(), callee});
        put32(0);
        if (!bodies_release_[callee]) put({0x41, 0x5a});  // pop r10, unless it took the word itself
    }

    /// Through a register, memory at rbx, or the stack, to a little function that is jumped over.
    void indirect() {
        const u64 kind = random_.below(made_up_ ? 4 : 3);
        put({0xeb, 5, 0x90, 0x48, 0xff, 0xc2, 0xc3});          // jmp over: nop; inc rdx; ret
        put({0x48, 0x8d, 0x05}), put32(static_cast<u64>(-12));  // lea rax, the nop
        if (kind == 0) put({0xff, 0xd0});                      // call rax
        else if (kind == 1) put({0x48, 0x89, 0x43, 0x70, 0xff, 0x53, 0x70});  // mov [rbx + 0x70], rax; call [rbx + 0x70]
        else if (kind == 2) put({0x50, 0xff, 0x14, 0x24, 0x41, 0x5a});        // push rax; call [rsp]; pop r10
        else put({0x48, 0x8d, 0x05, 3, 0, 0, 0, 0x50, 0xc3, 0xcc});           // lea rax, behind; push rax; ret
        if (kind == 3) put({0x90});
    }

    Random random_;
    bool made_up_, wild_ = false;
    Code out_;
    u64 callable_ = 0, in_loop_ = 0;
    std::vector<std::pair<u64, u64>> calls_;
    std::vector<std::vector<std::pair<u64, u64>>> all_calls_;
    std::vector<bool> bodies_release_;
};

/// Code, data and registers as they are before each run.
void set_up(NativeRunner& runner, const Code& code, u64 seed) {
    Random random(seed);
    std::memset(at(NativeLayout::kCode), 0xcc, NativeLayout::kCodeSize);
    std::memcpy(at(NativeLayout::kCode), code.data(), code.size());
    for (u64 i = 0; i < NativeLayout::kDataSize; i += 8) {
        const u64 word = random.next();
        std::memcpy(at(NativeLayout::kData + i), &word, 8);
    }
    std::memset(at(NativeLayout::kStack), 0, NativeLayout::kStackSize);
    runner.cpu = make_long_mode_cpu(kSmallModel, NativeLayout::kCode, 0);
    for (u64& word : runner.cpu.gpr) word = random.next();
    runner.cpu.gpr[kRsp] = NativeLayout::kStack + NativeLayout::kStackSize - 64;
    runner.cpu.gpr[kRbx] = NativeLayout::kData + 64;
    runner.cpu.cs.selector = 8;
    runner.cpu.gs.base = random.next() >> 20;
    runner.cpu.kernel_gs_base = random.next() >> 20;
    runner.cpu.cr2 = random.next();
}

std::vector<u8> memory_now() {
    std::vector<u8> out(at(NativeLayout::kCode), at(NativeLayout::kCode) + NativeLayout::kCodeSize);
    out.insert(out.end(), at(NativeLayout::kData), at(NativeLayout::kData) + NativeLayout::kDataSize);
    return out;
}

/// A number of programs that takes moments; UNIT_ROUNDS times as many for somebody who has time.
u64 rounds(u64 few) {
    const char* times = std::getenv("UNIT_ROUNDS");
    return times ? few * std::strtoull(times, nullptr, 10) : few;
}

}  // namespace

TEST_CASE("rewritten and translated code come to the same end, from near and from far") {
    map_everything();
    Cache near(NativeLayout::kNear), far(NativeLayout::kFar);
    std::vector<Site> sites(2048);
    std::vector<ScannedPage> pages(16);
    u64 finished = 0, faulted = 0, inlined = 0, chained = 0, exits = 0;
    for (u64 round = 0; round < rounds(300); ++round) {
        Generator generator(round + 1, false);
        const Code code = generator.program(round % 4 == 3);
        REQUIRE(code.size() < NativeLayout::kCodeSize - 64);
        NativeRunner runner;
        set_up(runner, code, round);
        Rewriter rewriter(sites, pages);
        runner.max_steps = 1000;  // many a program has loops in loops
        const Outcome expected = runner.run_rewritten(rewriter);
        runner.max_steps = NativeRunner::kMaxSteps;
        REQUIRE(rewriter.sites() == 0);
        const auto expected_memory = memory_now();
        if (expected.signal == SIGALRM) continue;
        (expected.signal ? faulted : finished) += 1;
        for (Cache* const each : {&near, &far}) {
            Cache& cache = *each;
            const u64 base = cache.layout.base;
            cache.restart();
            // Twice through one cache: everything that was learnt is used again.
            for (int pass = 0; pass < 2; ++pass) {
                set_up(runner, code, round);
                const Outcome outcome = runner.run_translated(cache.translator, *cache.memory.page, false);
                INFO("round " << round << " base " << base << " pass " << pass << " rip " << outcome.point.rip << " expected " << expected.point.rip);
                REQUIRE(outcome.signal == expected.signal);
                for (u32 i = 0; i < 16; ++i) REQUIRE(outcome.point.gpr[i] == expected.point.gpr[i]);
                REQUIRE(outcome.point == expected.point);
                REQUIRE(memory_now() == expected_memory);
            }
            inlined += cache.translator.counts().inlined;
            chained += cache.translator.counts().chained;
            exits += cache.translator.counts().exits;
        }
    }
    CHECK(finished > 100);
    CHECK(faulted > 20);
    CHECK(inlined > 20);
    CHECK(chained > 500);
    MESSAGE("programs: " << finished + faulted << " (" << faulted << " ended in a fault), exits: " << exits
                         << ", handlers inlined: " << inlined);
}

TEST_CASE("wherever translated code is stopped, the guest's state is exactly that at an instruction's boundary") {
    map_everything();
    Cache near(NativeLayout::kNear), far(NativeLayout::kFar);
    u64 points = 0, between = 0, inlined = 0;
    for (u64 round = 0; round < rounds(30); ++round) {
        Generator generator(round + 10'000, true);
        const Code code = generator.program(round % 4 == 3);
        NativeRunner runner;
        runner.max_steps = 800;
        set_up(runner, code, round);
        std::vector<GuestPoint> trace;
        runner.watch = [&trace](const GuestPoint& point) { trace.push_back(point); };
        const Outcome expected = runner.run_reference();
        if (expected.signal == SIGALRM) continue;  // it takes too long
        runner.max_steps = NativeRunner::kMaxSteps;
        for (Cache* const each : {&near, &far}) {
            Cache& cache = *each;
            const u64 base = cache.layout.base;
            cache.restart();
            for (int pass = 0; pass < 2; ++pass) {
                set_up(runner, code, round);
                u64 now = 0;
                const char* wrong = nullptr;
                GuestPoint seen{};
                runner.watch = [&](const GuestPoint& point) {
                    ++points;
                    if (wrong || point == trace[now]) return;
                    ++between;
                    // Exits and what is emulated go unwatched: some instructions further, but never back.
                    for (u64 next = now + 1; next < trace.size() && next < now + 8; ++next)
                        if (point == trace[next]) {
                            now = next;
                            return;
                        }
                    wrong = "a state that the guest never had";
                    seen = point;
                };
                const Outcome outcome = runner.run_translated(cache.translator, *cache.memory.page, true);
                INFO("round " << round << " base " << base << " pass " << pass << " at " << trace[now].rip << " seen " << seen.rip << " flags " << seen.rflags << " expected "
                              << trace[now].rflags);
                REQUIRE(wrong == nullptr);
                REQUIRE(outcome.point == expected.point);
                REQUIRE(outcome.signal == expected.signal);
            }
            inlined += cache.translator.counts().inlined;
        }
    }
    CHECK(points > 5'000);
    CHECK(between > 500);
    CHECK(inlined > 3);
    MESSAGE("stops: " << points);
}

namespace {

/// A cache that is only looked at, not run: with the kernel of the test machine.
struct QuietCache {
    QuietCache() { m.cpu = make_long_mode_cpu(kSmallModel, NativeLayout::kCode, 0); }
    TranslationPage page{};
    TranslationTables tables{};
    std::vector<u8> code = std::vector<u8>(0x1'0000);
    std::vector<Block> blocks = std::vector<Block>(64);
    std::vector<MapEntry> entries = std::vector<MapEntry>(1024);
    std::vector<Exit> exits = std::vector<Exit>(256);
    std::vector<u32> index = std::vector<u32>(128);
    TranslationLayout layout{0x7000'0000'0000};
    TranslationMemory memory{layout, &page, &tables, code, blocks, entries, exits, index};
    Translator translator{memory};
    NativeRunner m;

    /// The guest at `guest` leaves its cache at once, by an exit: the monitor's answer.
    Emulated leave_from(u64 guest) {
        m.cpu.rip = guest;
        const Translator::Entry entry = translator.enter(m.machine);
        REQUIRE(entry.good);
        u64 rip = entry.address;
        // Follow jumps, as the CPU would.
        while (code[rip - layout.code()] == 0xe9) {
            u32 distance;
            std::memcpy(&distance, &code[rip - layout.code() + 1], 4);
            rip += 5 + static_cast<u64>(static_cast<i64>(static_cast<int>(distance)));
        }
        Exit* exit = translator.stop(m.machine, rip);
        REQUIRE(exit);
        return translator.take_exit(m.machine, *exit);
    }
};

void put_code(u64 address, std::initializer_list<int> bytes) {
    for (const int byte : bytes) *at(address++) = static_cast<u8>(byte);
}

}  // namespace

TEST_CASE("code that the guest writes anew is translated anew, also behind jumps that were chained") {
    map_everything();
    QuietCache q;
    const u64 first = NativeLayout::kCode, second = NativeLayout::kCode + 0x1000;
    put_code(first, {0xe9, 0xfb, 0x0f, 0, 0});  // jmp second
    put_code(second, {0xfa});
    CHECK(q.leave_from(first).ending == Ending::done);  // the jump's own exit
    CHECK(q.m.cpu.rip == second);
    CHECK(q.leave_from(second).what == Sensitive::cli);  // chained now
    CHECK(q.leave_from(first).what == Sensitive::cli);
    CHECK(q.translator.counts().chained == 1);
    CHECK(q.translator.covers(second + 5));
    put_code(second, {0x0f, 0xa2});
    q.translator.invalidate(second + 0x800);
    CHECK(!q.translator.covers(second));
    CHECK(q.translator.covers(first));
    CHECK(q.translator.counts().invalidated == 1);
    CHECK(q.leave_from(first).what == Sensitive::none);  // out of the block that is dead
    CHECK(q.m.cpu.rip == second);
    CHECK(q.leave_from(second).what == Sensitive::cpuid);
    CHECK(q.leave_from(first).what == Sensitive::cpuid);
    // Until somebody tells, an exit does what was translated.
    put_code(second, {0xfa});
    CHECK(q.leave_from(second).what == Sensitive::cpuid);
    q.translator.invalidate(second);
    CHECK(!q.translator.covers(second));
    CHECK(q.leave_from(second).what == Sensitive::cli);
}

TEST_CASE("what stands in the shadow of STI is translated anew as well, on whatever page it is") {
    map_everything();
    for (const u64 base : {NativeLayout::kNear, NativeLayout::kFar})
        for (const u64 sti : {0xffdu, 0xfffu}) {  // the instruction behind it lies across, and on the next page
            Cache cache(base);
            NativeRunner runner;
            const u64 next_page = NativeLayout::kCode + kPageSize;
            const auto answer = [&](u8 constant) {
                // Twenty times: sti; mov eax, constant; and an end.
                Code code{0xb9, 20, 0, 0, 0};
                code.resize(sti, 0x90);
                for (const int byte : {0xfb, 0xb8, int{constant}, 0, 0, 0, 0xff, 0xc9, 0x75, 0xf6, 0xe9}) code.push_back(static_cast<u8>(byte));
                const u64 distance = NativeLayout::kEnd - (NativeLayout::kCode + code.size() + 4);
                for (u32 i = 0; i < 4; ++i) code.push_back(static_cast<u8>(distance >> 8 * i));
                set_up(runner, code, 1);
                CHECK(runner.run_translated(cache.translator, *cache.memory.page, false).signal == 0);
                return runner.cpu.gpr[kRax];
            };
            CHECK(answer(1) == 1);
            cache.translator.invalidate(next_page);
            CHECK(answer(2) == 2);
        }
}

TEST_CASE("a block that goes while the monitor is at its exit is not chained any more") {
    map_everything();
    QuietCache q;
    const u64 first = NativeLayout::kCode, second = first + 0x1000, before = first + 0x2000;
    put_code(first, {0xe9, 0xfb, 0x0f, 0, 0});   // jmp second: nothing but an exit
    put_code(second, {0xfa});
    put_code(before, {0xe9, 0xfb, 0xdf, 0xff, 0xff});  // jmp first
    CHECK(q.leave_from(before).ending == Ending::done);
    CHECK(q.leave_from(first).ending == Ending::done);  // on the way to the second
    put_code(first, {0x0f, 0xa2});
    q.translator.invalidate(first);
    CHECK(q.leave_from(second).what == Sensitive::cli);
    CHECK(q.leave_from(before).what == Sensitive::none);  // out of the block that is dead
    CHECK(q.m.cpu.rip == first);
    CHECK(q.leave_from(first).what == Sensitive::cpuid);
    CHECK(q.leave_from(before).what == Sensitive::cpuid);
}

TEST_CASE("a prefix that the CPU refuses is refused however often") {
    map_everything();
    for (const std::initializer_list<int> code : {std::initializer_list<int>{0xf0, 0x0f, 0x20, 0xc0}, {0xf0, 0x0f, 0x01, 0xf8}}) {  // lock: mov rax, cr0; swapgs
        QuietCache q;
        q.memory.has_base_instructions = true;
        q.translator = Translator(q.memory);
        put_code(NativeLayout::kCode, code);
        for (u32 i = 0; i < 2 * q.memory.inline_after; ++i) {
            const Emulated made = q.leave_from(NativeLayout::kCode);
            CHECK(made.ending == Ending::exception);
            CHECK(made.exception == Exception::plain(kInvalidOpcode));
        }
    }
}

TEST_CASE("what ring 0 has inlined is no way around the checks for rings 1 and 2") {
    map_everything();
    QuietCache q;
    put_code(NativeLayout::kCode, {0xfa, 0x0f, 0x20, 0xc0, 0x0f, 0xa2});  // cli; mov rax, cr0; cpuid
    for (u64 at : {0u, 1u})
        while (q.translator.counts().inlined == at) q.leave_from(NativeLayout::kCode + at);
    for (const u8 cpl : {u8{1}, u8{2}})
        for (u64 at : {0u, 1u}) {
            q.m.cpu.cpl = cpl;
            CHECK(q.leave_from(NativeLayout::kCode + at).exception == Exception::with_error(kProtection, 0));
        }
    CHECK(q.leave_from(NativeLayout::kCode + 4).what == Sensitive::cpuid);
}

TEST_CASE("an instruction whose own write empties the cache is done to its end as it began") {
    map_everything();
    QuietCache q;
    struct Emptied final : GuestAddressSpace {
        Emptied(GuestAddressSpace& next, Translator& translator) : next(next), translator(translator) {}
        bool read(u64 address, void* to, u64 length, Access access, Exception& fault) override { return next.read(address, to, length, access, fault); }
        bool write(u64 address, const void* from, u64 length, Access access, Exception& fault) override {
            translator.flush();
            return next.write(address, from, length, access, fault);
        }
        bool check(u64 address, u64 length, Access access, Exception& fault) override { return next.check(address, length, access, fault); }
        GuestAddressSpace& next;
        Translator& translator;
    } space(q.m.machine.memory, q.translator);
    put_code(NativeLayout::kCode, {0x67, 0xf3, 0x6c});  // addr32 rep insb: ecx counts, not rcx
    q.m.cpu.rip = NativeLayout::kCode;
    q.m.cpu.gpr[kRcx] = 0x1'0000'0002;
    q.m.cpu.gpr[kRdi] = NativeLayout::kData;
    const Translator::Entry entry = q.translator.enter(q.m.machine);
    REQUIRE(entry.good);
    Exit* const exit = q.translator.stop(q.m.machine, entry.address);
    REQUIRE(exit);
    CHECK(q.translator.take_exit({q.m.machine.cpu, space, q.m.machine.effects}, *exit).ending == Ending::done);
    CHECK(q.m.cpu.gpr[kRdi] == NativeLayout::kData + 2);
    CHECK(q.m.cpu.gpr[kRcx] == 0);
}

TEST_CASE("a full cache starts again, and a page without code is the guest's fault") {
    map_everything();
    QuietCache q;
    for (u32 i = 0; i < 200; ++i) {
        put_code(NativeLayout::kCode + 4 * i, {0xfa, 0x90, 0x90, 0x90});
        CHECK(q.leave_from(NativeLayout::kCode + 4 * i).what == Sensitive::cli);
    }
    CHECK(q.translator.counts().flushes > 2);
    CHECK(q.translator.counts().blocks == 200);
    q.m.cpu.rip = NativeLayout::kData + NativeLayout::kDataSize;
    const Translator::Entry entry = q.translator.enter(q.m.machine);
    CHECK(!entry.good);
    CHECK(entry.fault == Exception::page_fault(q.m.cpu.rip, 0));
    put_code(NativeLayout::kCode, {0x06});
    q.translator.flush();
    q.m.cpu.rip = NativeLayout::kCode;
    CHECK(q.translator.enter(q.m.machine).fault == Exception::plain(kInvalidOpcode));
}

TEST_CASE("an interrupt that waits gets translated code to say when interrupts go on") {
    map_everything();
    for (const u64 base : {NativeLayout::kNear, NativeLayout::kFar}) {
        Cache cache(base);
        NativeRunner runner;
        // Twenty times: cli; sti; nop; and an end.
        Code code;
        for (const int byte : {0xb9, 20, 0, 0, 0, 0xfa, 0xfb, 0x90, 0xff, 0xc9, 0x75, 0xf9}) code.push_back(static_cast<u8>(byte));
        code.push_back(0xe9);
        const u64 distance = NativeLayout::kEnd - (NativeLayout::kCode + code.size() + 4);
        for (u32 i = 0; i < 4; ++i) code.push_back(static_cast<u8>(distance >> 8 * i));
        set_up(runner, code, 1);
        CHECK(runner.run_translated(cache.translator, *cache.memory.page, false).signal == 0);
        CHECK(cache.translator.counts().inlined == 2);
        const u64 before = cache.translator.counts().exits;
        set_up(runner, code, 1);
        CHECK(runner.run_translated(cache.translator, *cache.memory.page, false).signal == 0);
        const u64 quiet = cache.translator.counts().exits - before;
        cache.translator.set_attention(true);
        set_up(runner, code, 1);
        CHECK(runner.run_translated(cache.translator, *cache.memory.page, false).signal == 0);
        // Every sti is an exit now, and the instruction in its shadow another.
        CHECK(cache.translator.counts().exits - before - quiet >= quiet + 40);
        CHECK(runner.cpu.interrupts_enabled());
    }
}

TEST_CASE("returns to many places find their way without the monitor") {
    map_everything();
    for (const u64 base : {NativeLayout::kNear, NativeLayout::kFar}) {
        Cache cache(base);
        NativeRunner runner;
        // As often as ecx says: calls of a return, from places that differ in their second byte only; and an end.
        constexpr u64 kReturn = 0x500, kRounds = 100;
        Code code{0xb9, kRounds, 0, 0, 0};
        const auto number = [&](u64 to) {
            for (u32 i = 0; i < 4; ++i) code.push_back(static_cast<u8>((to - (code.size() + 4 - i)) >> 8 * i));
        };
        for (const u64 at : {0x10, 0x110, 0x210, 0x310, 0x410}) {
            code.resize(at, 0x90);
            code.push_back(0xe8);
            number(kReturn);
        }
        code.insert(code.end(), {0xff, 0xc9, 0x0f, 0x85});
        number(0x10);
        code.push_back(0xe9);
        number(NativeLayout::kEnd - NativeLayout::kCode);
        code.resize(kReturn, 0x90);
        code.push_back(0xc3);
        set_up(runner, code, 1);
        CHECK(runner.run_translated(cache.translator, *cache.memory.page, false).signal == 0);
        // Each block asks for what is behind it once, and no return a second time.
        CHECK(cache.translator.counts().exits < 2 * cache.translator.counts().blocks + 10);
        CHECK(runner.cpu.gpr[kRcx] == 0);
    }
}

TEST_CASE("addresses in the cache that the guest made up are no exits, and no trouble") {
    map_everything();
    QuietCache q;
    put_code(NativeLayout::kCode, {0xb8, 0xf4, 0xf4, 0xf4, 0xf4, 0xfa});
    REQUIRE(q.translator.enter(q.m.machine).good);
    Random random(5);
    u64 exits = 0;
    for (u64 i = 0; i < 5000; ++i) {
        q.page.slots[4] = random.next();
        exits += q.translator.stop(q.m.machine, q.layout.code() + random.below(q.code.size())) != nullptr;
        CHECK((q.m.cpu.rflags & ~(rflags::kAll | rflags::kFixed)) == 0);
    }
    CHECK(q.translator.stop(q.m.machine, q.layout.code() + 2) == nullptr);
    CHECK(q.m.cpu.rip == NativeLayout::kCode);
    CHECK(q.translator.stop(q.m.machine, q.layout.code() + 5) != nullptr);
    CHECK(exits < 20);
    CHECK(!q.translator.contains(q.layout.code() - 1));
}
