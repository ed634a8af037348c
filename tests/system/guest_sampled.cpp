// What sampling says of a guest's memory: just the frames that the guest touched since, through nested bindings and through
// those of a shadow; what its monitor looked at is hidden again. A binding of 2 MiB says "used" for all of its frames to whoever
// asks for all, and for the first to whoever asks one by one: so single ones are needed where memory is short. This monitor may
// sample, as it is loaded as an arbiter.
#include "libos/core/libos.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "libos/vmm/monitor/shadow_paging.hpp"
#include "tests/system/guest_start.hpp"

using namespace tessera;
using namespace tessera::guest_test;

extern "C" const std::byte toucher_code[], toucher_code_end[];

// In: 0xe0 a guest frame or 0, 0xe1 how many from there on, 0xe2 how far apart, 0xe3 whether to write. Out: 0xe4 done.
asm(R"(
    .section .rodata.guest, "a"
    .globl toucher_code, toucher_code_end
toucher_code:
    in $0xe0, %eax
    test %eax, %eax
    jz toucher_code
    mov %eax, %edi
    shl $12, %rdi
    in $0xe2, %eax
    mov %eax, %edx
    shl $12, %rdx
    in $0xe1, %eax
    mov %eax, %ecx
    in $0xe3, %eax
1:  mov (%rdi), %ebx
    test %eax, %eax
    jz 2f
    incl (%rdi)
2:  add %rdx, %rdi
    dec %ecx
    jnz 1b
    out %eax, $0xe4
    jmp toucher_code
toucher_code_end:
    .previous
)");

namespace {

constexpr u64 kFrames = 2048, kFirst = 512, kPages = 1024;

constinit FrameSupply supply;
void expect(const char* kind, const char* what, u64 found, u64 wanted) {
    if (found == wanted) return;
    ++wrong;
    print("WRONG ", kind, ": ", what, ": ", found, ", not ", wanted, "\n");
}

/// What the guest is told to touch.
class TouchBoard final : public QuietBoard {
  public:
    u32 first = 0, count = 0, apart = 0, writes = 0;
    bool done = true;

    void tell(u64 from, u64 pages, u64 distance, bool write) {
        first = static_cast<u32>(from), count = static_cast<u32>(pages), apart = static_cast<u32>(distance), writes = write;
        done = false;
    }
    u32 read_port(u16 port, u32) override {
        switch (port) {
        case 0xe0: return done ? 0 : first;
        case 0xe1: return count;
        case 0xe2: return apart;
        default: return writes;
        }
    }
    void write_port(u16, u32, u32) override { done = true; }
};

/// A guest with either kind of paging.
class Subject {
  public:
    Subject(const char* name, Paging& paging, Memory& memory) : name_(name), memory_(memory), machine_(name, memory, board_, paging), processor_(machine_, 0) {}

    bool open() {
        const std::span code(toucher_code, static_cast<u64>(toucher_code_end - toucher_code));
        if (!machine_.paging().open().ok() || !processor_.open().ok()) return false;
        if (!write_tables(memory_) || !memory_.copy_out(kCode, code)) return false;
        write_start(processor_.cpu().state(), kCode);
        return true;
    }
    /// Have the guest touch pages; it goes on waiting for the next order then. False: it ended.
    bool touch(u64 from, u64 pages, u64 distance, bool write) {
        board_.tell(from, pages, distance, write);
        while (!board_.done)
            if (processor_.run(ticks() + information().quantum) == Turn::ended) return processor_.tell_end(), false;
        return true;
    }
    /// How many of the guest's pages were touched since the last time, and how many of those are `distance` apart.
    struct Touched {
        u64 all, expected;
    };
    Touched sample(u64 distance) {
        Touched touched{};
        for (u64 i = 0; i < kPages; ++i) {
            u64 bits = 0;
            const FrameNumber frame{memory_.entry(kFirst + i).number()};
            const auto found = call<FrameSample>({address(boot().every_environment), frame, 1, address(bits)});
            const u64 one = found.ok() ? found.value() : 0;
            touched.all += one;
            touched.expected += i % distance == 0 ? one : 0;
        }
        return touched;
    }
    /// The same, with one call for each 2 MiB.
    u64 sample_large() {
        u64 touched = 0;
        for (u64 i = 0; i < kPages; i += kPagesPerLarge) {
            u64 bits[kPagesPerLarge / 64]{};
            const FrameNumber frame{memory_.entry(kFirst + i).number()};
            const auto found = call<FrameSample>({address(boot().every_environment), frame, kPagesPerLarge, address(bits)});
            touched += found.ok() ? found.value() : 0;
        }
        return touched;
    }
    void check(const char* what, u64 distance, u64 all) {
        const Touched touched = sample(distance);
        expect(name_, what, touched.all, all);
    }
    /// Each sixteenth page, then nothing, then others, by reading and by writing.
    bool check_single() {
        constexpr u64 kApart = 16;
        sample(1);
        for (const bool write : {false, true, false}) {
            if (!touch(kFirst, kPages / kApart, kApart, write)) return false;
            const Touched touched = sample(kApart);
            expect(name_, "pages that were touched", touched.expected, kPages / kApart);
            expect(name_, "pages in all", touched.all, kPages / kApart);
            if (!touch(kFirst, 1, 1, false)) return false;
            check("one page", 1, 1);
            check("no page", 1, 0);
        }
        // What the monitor looks at counts, unless it is hidden.
        for (u64 i = 0; i < 16; ++i) static_cast<void>(*static_cast<volatile std::byte*>(memory_.page(kFirst + i, false)));
        check("what the monitor looked at", 1, 16);
        for (u64 i = 0; i < 16; ++i) static_cast<void>(*static_cast<volatile std::byte*>(memory_.page(kFirst + i, false))), memory_.hide(kFirst + i);
        check("what was hidden", 1, 0);
        return true;
    }
    bool close() { return processor_.close().ok() && machine_.paging().close().ok(); }

  private:
    const char* name_;
    Memory& memory_;
    TouchBoard board_;
    Machine machine_;
    Processor processor_;
};

RunWindow maps[2];
std::span<GuestFrame> map(u64 index) {
    if (!maps[index].take(Memory::map_pages(kFrames)).ok()) tessera::libos::exit(2);
    return {reinterpret_cast<GuestFrame*>(maps[index].memory()), kFrames};
}

bool check_nested() {
    static Memory memory(supply, map(0));
    static NestedPaging paging(memory);
    static Subject subject("nested", paging, memory);
    if (!subject.open() || !subject.touch(kFirst, kPages, 1, true)) return false;
    expect("nested", "everything, through large bindings", subject.sample_large(), kPages);
    if (!subject.touch(kFirst, 1, 1, true)) return false;
    expect("nested", "one page, through a large binding", subject.sample_large(), kPagesPerLarge);
    // Asking clears what it asks: of frames that are asked for one by one, the first hears of a binding that all have in common.
    if (!subject.touch(kFirst, kPages, 1, true)) return false;
    subject.check("one by one, through large bindings", 1, kPages / kPagesPerLarge);
    memory.use_single_frames();
    return subject.touch(kFirst, kPages, 1, true) && subject.check_single() && subject.close() && (memory.close(), true);
}

bool check_shadow() {
    static Memory memory(supply, map(1));
    static ShadowPaging paging(memory, {});
    static Subject subject("shadow", paging, memory);
    memory.use_single_frames();
    return subject.open() && subject.touch(kFirst, kPages, 1, true) && subject.check_single() && subject.close() && (memory.close(), true);
}

}  // namespace

int libos_main() {
    const bool ran = check_nested() && check_shadow();
    expect("all", "frames are back", supply.taken(), 0);
    if (ran && wrong == 0) print("right: a sample is what the guest touched\n");
    return ran && wrong == 0 ? 0 : 1;
}
