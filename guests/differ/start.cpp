// guests/differ: the same sequences of instructions on every machine, and a digest of what each did to it.
//
// Generated from a seed, run one by one in ring 0 or ring 3 from a state that is always the same; what is left of the machine afterwards, and every
// exception on the way, is folded into a number. A real machine and a guest that is as good as one print the same. The command line:
//
//   seed=N first=N count=N   which sequences
//   batch=N                  of how many a line tells
//   kernel=N user=N          which classes may be in ring 0 and in ring 3: a bit each. All, if nothing is said
//   show=1                   print the sequences and everything that is folded
//   exit=f4                  QEMU's isa-debug-exit is at that port
#include "guests/differ/run.hpp"
#include "guests/small/print.hpp"
#include "guests/small/words.hpp"
#include "guests/trapped/registers.hpp"

namespace small {

using namespace trapped;

void print_text(const char* text, u64 size) {
    constexpr u16 kCom1 = 0x3f8;
    for (u64 i = 0; i < size; ++i) {
        for (int patience = 100'000; patience != 0 && !(in8(kCom1 + 5) & 0x20); --patience) {
        }
        out8(kCom1, static_cast<u8>(text[i]));
    }
}

void panic(const char* why) {
    print("differ: ", why, "\n");
    halt_forever();
}

}  // namespace small

namespace differ {
namespace {

using small::Hex, small::print;

/// Everything that is told, as one number; and word by word afterwards: who speaks meanwhile changes what a monitor has at hand.
class Digest final : public Observer {
  public:
    void begin() { count_ = 0; }
    void speak() const {
        for (u64 i = 0; i < count_; ++i) print("  ", names_[i], " ", Hex{values_[i]}, "\n");
    }
    void word(const char* name, u64 value) override {
        if (count_ < kWords) names_[count_] = name, values_[count_++] = value;
        value_ = (value_ ^ value) * 0x100'0000'01b3;
        value_ ^= value_ >> 29;
    }
    u64 value() const { return value_; }
    void forget() { value_ = kEmpty; }

  private:
    static constexpr u64 kWords = 1024, kEmpty = 0xcbf2'9ce4'8422'2325;
    const char* names_[kWords];
    u64 values_[kWords], count_ = 0;
    u64 value_ = kEmpty;
};

struct Sequence {
    Begin begin;
    Code code;
};
Sequence sequences[kSlots];
u64 counts[kClasses];

u64 option(const char* line, const char* name, u64 otherwise) {
    small::Word value;
    return small::find_option(line, name, value) ? small::number_of(value, otherwise) : otherwise;
}

void show(const Sequence& sequence, u64 index) {
    print("differ: sequence ", index, sequence.begin.user ? " in ring 3 at " : " in ring 0 at ", Hex{sequence.code.address()}, "\n");
    for (u64 i = 0; i < sequence.code.count(); ++i) {
        small::Line line;
        line << "differ: code";
        const u64 end = i + 1 < sequence.code.count() ? sequence.code.start_of(i + 1) : sequence.code.size();
        for (u64 at = sequence.code.start_of(i); at < end; ++at) line << " " << Hex{sequence.code.bytes()[at]};
        print(line.text(), "\n");
    }
}

void run_all(const char* line) {
    const u64 seed = option(line, "seed", 1), first = option(line, "first", 0), count = option(line, "count", kSlots);
    const u64 batch = option(line, "batch", 64);
    const Choice choice{option(line, "kernel", ~u64{0}), option(line, "user", ~u64{0})};
    const u64 shown = option(line, "show", 0);  // from sequence show - 1 on; 0: none
    static Digest digest;
    for (u64 done = 0; done < count;) {
        // Code is written for many at a time: code that changes all the time is another test.
        const u64 now = count - done < kSlots ? count - done : kSlots;
        for (u64 i = 0; i < now; ++i) {
            sequences[i].code.begin(code_slot(i), kCode + i * kSlot);
            sequences[i].begin = generate(seed, first + done + i, choice, sequences[i].code, counts);
        }
        for (u64 i = 0; i < now; ++i) {
            const bool shows = shown != 0 && first + done + i + 1 >= shown;
            if (shows) show(sequences[i], first + done + i);  // before a rewriter changes it
            digest.begin();
            reset_world(seed + first + done + i);
            run_sequence(sequences[i].begin, sequences[i].code, digest);
            observe_world(digest);
            if (shows) digest.speak();
            if ((done + i + 1) % batch != 0 && done + i + 1 != count) continue;
            print("differ: through ", first + done + i, " ", Hex{digest.value()}, "\n");
            digest.forget();
        }
        done += now;
    }
    for (u64 i = 0; i < kClasses; ++i) print("differ: class ", kClassTable[i].name, " ", counts[i], "\n");
    print("differ: done ", count, "\n");
}

/// The command line, by either protocol (guests/trapped/start.cpp has the sources).
const char* command_line(u32 magic, u64 information) {
    constexpr u32 kMultiboot = 0x2bad'b002;
    const u64 at = information + (magic == kMultiboot ? 16 : 0x228);
    return reinterpret_cast<const char*>(u64{*reinterpret_cast<const u32*>(at)});
}

}  // namespace

extern "C" [[noreturn]] void trapped_start(u32 magic, u64 information) {
    using namespace small::trapped;
    static char line[1024];
    const char* from = command_line(magic, information);
    for (u64 i = 0; i + 1 < sizeof line && from[i] != 0; ++i) line[i] = from[i];
    out8(0x21, 0xff);  // No interrupt ever comes, whatever a sequence does to the flag.
    out8(0xa1, 0xff);
    build_world();
    run_all(line);
    small::Word value;
    if (small::find_option(line, "exit", value)) out8(0xf4, 0x20);
    halt_forever();
}

}  // namespace differ
