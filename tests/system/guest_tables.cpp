// Page tables that come in through a port: what the monitor writes for a guest is as good as what its CPU writes. The guest reads a page
// through a table, has a string input put another entry there, loads CR3, and reads the page again: with nested paging, and through a shadow,
// which has to be told.
#include "libos/core/libos.hpp"
#include "libos/vmm/monitor/shadow_paging.hpp"
#include "tests/system/guest_start.hpp"

using namespace tessera;
using namespace tessera::guest_test;

extern "C" const std::byte reader_code[], reader_code_end[];

// In: 0xe0 the entry, a half at a time. Out: 0xe1 what was read.
asm(R"(
    .section .rodata.guest, "a"
    .globl reader_code, reader_code_end
reader_code:
    mov $0x40000000, %ebx
    mov (%rbx), %eax
    out %eax, $0xe1
    mov $0x301000, %edi
    mov $0xe0, %edx
    mov $2, %ecx
    cld
    rep insl
    mov %cr3, %rax
    mov %rax, %cr3
    mov (%rbx), %eax
    out %eax, $0xe1
    cli
    hlt
reader_code_end:
    .previous
)");

namespace {

constexpr u64 kFrames = 1024, kDirectory = 0x30'0000, kTable = 0x30'1000, kBefore = 0x30'2000, kBehind = 0x30'3000, kEntry = 3;

constinit FrameSupply supply;

class ReaderBoard final : public QuietBoard {
  public:
    u32 read[2]{}, count = 0;

    u32 read_port(u16, u32) override { return given_++ == 0 ? kBehind | kEntry : 0; }
    void write_port(u16, u32, u32 value) override {
        if (count < 2) read[count] = value;
        ++count;
    }

  private:
    u32 given_ = 0;
};

template <class Kind>
void check(const char* kind, Memory& memory, Kind& paging) {
    static ReaderBoard board;
    static Machine machine(kind, memory, board, paging);
    static Processor processor(machine, 0);
    const std::span code(reader_code, static_cast<u64>(reader_code_end - reader_code));
    bool good = paging.open().ok() && processor.open().ok() && write_tables(memory) && memory.copy_out(kCode, code);
    // The second GiB begins with one page.
    good = good && memory.write(kTables + kPageSize + 8, kDirectory | kEntry) && memory.write(kDirectory, kTable | kEntry) &&
           memory.write(kTable, kBefore | kEntry) && memory.write(kBefore, u32{1}) && memory.write(kBehind, u32{2});
    expect(kind, good);
    if (!good) return;
    write_start(processor.cpu().state(), kCode);
    while (processor.run(ticks() + information().quantum) != Turn::ended) {
    }
    expect(kind, machine.end().kind == End::power_off);
    expect("it reads twice", board.count == 2, board.count);
    expect("it reads what its table says", board.read[0] == 1, board.read[0]);
    expect("it reads what its table says behind the input", board.read[1] == 2, board.read[1]);
    expect(kind, processor.close().ok() && paging.close().ok());
    memory.close();
}

std::span<GuestFrame> take_map(RunWindow& window) {
    if (!window.take(Memory::map_pages(kFrames)).ok()) tessera::libos::exit(2);
    return {reinterpret_cast<GuestFrame*>(window.memory()), kFrames};
}

}  // namespace

int libos_main() {
    static RunWindow maps[2];
    static Memory first(supply, take_map(maps[0])), second(supply, take_map(maps[1]));
    static NestedPaging nested(first);
    static ShadowPaging shadow(second, {});
    check("nested", first, nested);
    check("shadow", second, shadow);
    if (wrong == 0) print("right: each read what its tables said\n");
    return wrong == 0 ? 0 : 1;
}
