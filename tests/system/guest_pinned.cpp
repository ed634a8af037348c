// A page that comes to be shared is nobody's to write, wherever it is bound: not through a guaranteed mapping of a shadow
// either, which the S-TLB does not show. Two guests write one page each, over and over, by the same instruction; in between their
// monitor has both stand on one frame. What one writes then must not be what the other finds.
#include "libos/core/libos.hpp"
#include "libos/vmm/memory/managed_memory.hpp"
#include "libos/vmm/monitor/shadow_paging.hpp"
#include "tests/system/guest_start.hpp"

using namespace tessera;
using namespace tessera::guest_test;

extern "C" const std::byte writer_code[], writer_code_end[];

// In: 0xe0 a word to be written, or 0. Out: 0xe1 done.
asm(R"(
    .section .rodata.guest, "a"
    .globl writer_code, writer_code_end
writer_code:
    in $0xe0, %eax
    test %eax, %eax
    jz writer_code
    mov %eax, 0x200000
    out %eax, $0xe1
    jmp writer_code
writer_code_end:
    .previous
)");

namespace {

constexpr u64 kFrames = 1024, kPage = 512;

constinit FrameSupply supply;

class WriterBoard final : public QuietBoard {
  public:
    u32 word = 0;
    u32 read_port(u16, u32) override { return word; }
    void write_port(u16, u32, u32) override { word = 0; }
};

/// Memory is not short here.
class NobodyElse final : public MemoryOwner {
  public:
    bool make_room() override { return false; }
    void page_lost(const ManagedMemory&, u64 guest_frame) override { expect("no page is lost", false, guest_frame); }
};

std::span<GuestFrame> take_map(RunWindow& window) {
    if (!window.take(Memory::map_pages(kFrames)).ok()) tessera::libos::exit(2);
    return {reinterpret_cast<GuestFrame*>(window.memory()), kFrames};
}

class Scribe {
  public:
    Scribe(const char* name, Sharing& sharing, GuestPager& pager, MemoryOwner& owner)
        : memory_(supply, take_map(map_)), paging_(memory_, {}), machine_(name, memory_, board_, paging_), processor_(machine_, 0),
          managed_(memory_, sharing, pager, owner) {
        memory_.use_single_frames();
    }

    bool open() {
        const std::span code(writer_code, static_cast<u64>(writer_code_end - writer_code));
        if (!paging_.open().ok() || !processor_.open().ok()) return false;
        if (!write_tables(memory_) || !memory_.copy_out(kCode, code)) return false;
        write_start(processor_.cpu().state(), kCode);
        return true;
    }
    /// Have the guest write a word. False: it ended.
    bool write(u32 word) {
        board_.word = word;
        while (board_.word != 0)
            if (processor_.run(ticks() + information().quantum) == Turn::ended) return processor_.tell_end(), false;
        return true;
    }
    u32 word() { return memory_.read<u32>(kPage << kPageShift).value_or(0); }
    void look() { managed_.look_at(kPage); }
    bool is_shared() const { return memory_.entry(kPage).use() == FrameUse::shared; }
    bool close() {
        managed_.close();
        return processor_.close().ok() && paging_.close().ok();
    }

  private:
    RunWindow map_;
    Memory memory_;
    WriterBoard board_;
    ShadowPaging paging_;
    Machine machine_;
    Processor processor_;
    ManagedMemory managed_;
};

// Pages that were written lately are passed over for some looks.
bool come_together(Scribe& first, Scribe& second) {
    for (u64 i = 0; i < 10'000 && !(first.is_shared() && second.is_shared()); ++i) {
        first.look();
        second.look();
    }
    return first.is_shared() && second.is_shared();
}

}  // namespace

int libos_main() {
    static Sharing sharing(supply);
    static GuestPager pager(supply);
    static NobodyElse owner;
    static Scribe first("first", sharing, pager, owner), second("second", sharing, pager, owner);
    if (!sharing.open(2 * kFrames, 1).ok() || !first.open() || !second.open()) return 2;
    // A write that has missed before is bound guaranteed: from the second time on, when it makes a copy as well.
    for (u32 word = 0x10; word < 0x80 && wrong == 0; word += 0x10) {
        if (!first.write(word) || !second.write(word)) return 1;
        expect("they share what is equal", come_together(first, second), word);
        expect("the first writes", first.write(word + 1));
        expect("the second has what it wrote", second.word() == word, second.word());
        expect("the second writes", second.write(word + 2));
        expect("the first has what it wrote", first.word() == word + 1, first.word());
    }
    expect("the guests close", first.close() && second.close());
    expect("the sharing closes", sharing.close().ok());
    supply.trim();
    expect("all frames are back", supply.taken() == 0, supply.taken());
    if (wrong == 0) print("right: what is shared is nobody's to write\n");
    return wrong == 0 ? 0 : 1;
}
