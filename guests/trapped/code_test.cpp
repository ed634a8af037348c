#include "guests/trapped/code_test.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "guests/small/address_space.hpp"
#include "guests/small/frames.hpp"
#include "guests/trapped/descriptors.hpp"
#include "guests/trapped/registers.hpp"

// Pieces of code to be copied: each from its name to the next one's.
asm(R"(
    .pushsection .rodata
piece_answers:                  # what ring 3 may execute, and would answer with somebody else's: rdi points at 5 words
    mov %rdi, %rsi
    pushfq
    pop (%rsi)
    push $0x202
    popfq
    pushfq
    pop 8(%rsi)
    cli
    xor %eax, %eax
    smsw %eax
    mov %rax, 16(%rsi)
    xor %eax, %eax
    str %eax
    mov %rax, 24(%rsi)
    sub $16, %rsp
    sgdt (%rsp)
    mov 2(%rsp), %rax
    mov %rax, 32(%rsi)
    add $16, %rsp
    ret
piece_reader:                   # answers with the bytes behind the load, the first of which is sensitive
    mov 1f(%rip), %eax
1:  pushfq
    pop %rdx
    nop
    ret
piece_writer:                   # counts in a word of its own page
    mov $100, %ecx
1:  incl 2f(%rip)
    dec %ecx
    jnz 1b
    mov 2f(%rip), %eax
    ret
2:  .long 0
piece_changer:                  # the operand of the next instruction is what it was called with
    mov %edi, 1f(%rip)
    .byte 0xb8                  # mov $..., %eax
1:  .long 0
    ret
piece_overlap:                  # one byte in: pushfq; pop %rax; ret
    .byte 0xb8, 0x9c, 0x58, 0xc3, 0x90
    ret
piece_end:
    .popsection
)");
extern "C" small::u64 boot_pdpt[512];  // boot.S
extern "C" const small::u8 piece_answers[], piece_reader[], piece_writer[], piece_changer[], piece_overlap[], piece_end[];

namespace small::trapped {
namespace {

/// A page that nobody has executed yet.
class Page {
  public:
    Page() : frame_(allocate_zeroed_frame()) {}
    ~Page() { release_frame(frame_); }
    u8* at(u64 offset) { return frame_.as<u8>() + offset; }
    void put(u64 offset, const u8* begin, const u8* end) { std::memcpy(at(offset), begin, static_cast<u64>(end - begin)); }
    template <class... Arguments>
    u64 call(u64 offset, Arguments... arguments) {
        return reinterpret_cast<u64 (*)(Arguments...)>(at(offset))(arguments...);
    }

  private:
    Frame frame_;
};

/// Get to `target` by a return to an address that no call made; it returns like a function with `argument`.
void return_to(const u8* target, u64* argument) {
    // Safety: the target keeps what a function keeps, and the stack. The red zone is not in use.
    asm volatile("lea 1f(%%rip), %%rax\n push %%rax\n push %0\n ret\n1:" ::"r"(target), "D"(argument)
                 : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
}

bool answers_are_the_kernels(const u64 (&answers)[5]) {
    return !(answers[0] & kInterruptFlag) && answers[1] & kInterruptFlag && (answers[2] & 0xffff) == (cr0() & 0xffff) && (answers[3] & 0xffff) == kTaskState &&
           answers[4] == gdt_address();
}

constexpr u64 kMiddle = 0x500;

bool answers_behind_return(Page& page) {
    page.put(kMiddle, piece_answers, piece_reader);
    u64 answers[5] = {};
    cli();
    return_to(page.at(kMiddle), answers);
    const bool good = answers_are_the_kernels(answers);
    sti();
    return good;
}

}  // namespace

bool made_return_to_new_page() {
    Page page;
    return answers_behind_return(page);
}

bool made_return_to_known_page() {
    Page page;
    *page.at(kMiddle - 1) = *page.at(0) = 0xc3;  // ret
    page.put(kMiddle, piece_answers, piece_reader);
    page.call(0);
    page.call(kMiddle - 1);
    u64 answers[5] = {};
    cli();
    return_to(page.at(kMiddle), answers);
    const bool good = answers_are_the_kernels(answers);
    sti();
    return good;
}

namespace {

/// A root of its own, with a page of code.
struct OtherRoot {
    static constexpr u64 kPage = kUserBegin + (u64{6} << 30);
    Frame tables[4], code = allocate_zeroed_frame();

    explicit OtherRoot(std::initializer_list<u8> bytes) {
        using namespace machine;
        for (Frame& each : tables) each = allocate_zeroed_frame();
        create_root(tables[0]);
        for (int level = 0; level < 4; ++level) {
            const u64 next = level < 3 ? tables[level + 1].address : code.address;
            write_entry(tables[level].as<Entry>() + (kPage >> (39 - 9 * level) & 511), next | kPresent | kWritable, 0);
        }
        std::copy(bytes.begin(), bytes.end(), code.as<u8>());
    }
    ~OtherRoot() {
        machine::retire_root(tables[0]);
        for (const Frame each : tables) release_frame(each);
        release_frame(code);
    }
    u64 address() const { return tables[0].address; }
};

}  // namespace

/// What stands behind a load of CR3 in the new root was never entered there, though its page was.
bool roots_have_their_own_code() {
    const auto code = reinterpret_cast<u64 (*)(u64 other, u64 own)>(OtherRoot::kPage);
    OtherRoot own{0x0f, 0x22, 0xdf, 0x90, 0x90, 0x0f, 0x22, 0xde, 0xc3};    // mov rdi, cr3; nop; nop; mov rsi, cr3; ret
    OtherRoot other{0xc3, 0x90, 0x90, 0x9c, 0x58, 0x0f, 0x22, 0xde, 0xc3};  // ret; nop; nop; pushf; pop rax; mov rsi, cr3; ret
    const u64 before = cr3();
    cli();
    set_cr3(other.address());
    code(0, 0);
    set_cr3(own.address());
    const bool good = !(code(other.address(), own.address()) & kInterruptFlag);
    set_cr3(before);
    sti();
    return good;
}

/// It begins with the last byte of one page; only the next page is written.
bool code_changes_across_pages() {
    alignas(kPageSize) static u8 pages[2 * kPageSize];
    u8* const second = pages + kPageSize;
    const auto call = [](const u8* at) { return reinterpret_cast<u64 (*)()>(reinterpret_cast<u64>(at))(); };
    constexpr u64 kReturn = 16;
    constexpr u8 kNothing[] = {0x90, 0x90, 0x90, 0xc3}, kFlags[] = {0x9c, 0x66, 0x58, 0xc3};  // behind 0x66: nop; nop; nop; ret and pushfw; pop ax; ret
    second[-1] = 0x66;
    second[kReturn] = 0xc3;
    std::memcpy(second, kNothing, sizeof kNothing);
    call(second - 1);
    std::memcpy(second, kFlags, sizeof kFlags);
    call(second + kReturn);
    cli();
    const bool good = !(call(second - 1) & kInterruptFlag);
    sti();
    return good;
}

bool code_reads_itself() {
    Page page;
    page.put(0, piece_reader, piece_writer);
    u32 bytes;
    std::memcpy(&bytes, page.at(6), sizeof bytes);
    const bool before = page.call(0) == bytes;
    return before && page.call(0) == bytes;
}

bool code_writes_beside_itself() {
    Page page;
    page.put(0, piece_writer, piece_changer);
    return page.call(0) == 100 && page.call(0) == 200;
}

bool code_changes_the_next_instruction() {
    Page page;
    page.put(0, piece_changer, piece_overlap);
    for (u64 i = 0; i < 50; ++i)
        if (page.call(0, i * 0x11'1111) != i * 0x11'1111) return false;
    return true;
}

bool code_overlaps_itself() {
    Page page;
    page.put(0, piece_overlap, piece_end);
    for (u64 i = 0; i < 20; ++i) {
        if (page.call(0) != 0x90c3'589c) return false;
        cli();
        const bool off = !(page.call(1) & kInterruptFlag);
        sti();
        if (!off || !(page.call(1) & kInterruptFlag)) return false;
    }
    return page.call(0) == 0x90c3'589c;
}

/// One frame at 64 places of a run of 1 GiB that nobody used before: a monitor may have thought that it is not missed.
bool memory_is_where_tables_say() {
    using namespace machine;
    constexpr u64 kBegin = u64{1} << 30, kStep = u64{16} << 20, kPlaces = 64, kLargePage = u64{1} << 21;
    const Frame frame = allocate_zeroed_frame(), table = allocate_zeroed_frame(), directory = allocate_zeroed_frame();
    write_entry(table.as<Entry>(), frame.address | kPresent | kWritable, 0);
    for (u64 i = 0; i < kPlaces; ++i) write_entry(directory.as<Entry>() + i * kStep / kLargePage, table.address | kPresent | kWritable, 0);
    write_entry(boot_pdpt + kBegin / kBegin, directory.address | kPresent | kWritable, 0);
    set_cr3(cr3());
    bool good = true;
    for (u64 i = 0; i < kPlaces; ++i) {
        auto* const word = reinterpret_cast<volatile u64*>(kBegin + i * kStep);
        good = good && *word == i && frame.as<volatile u64>()[0] == i;
        *word = i + 1;
    }
    write_entry(boot_pdpt + kBegin / kBegin, 0, 0);
    set_cr3(cr3());
    for (const Frame each : {frame, table, directory}) release_frame(each);
    return good;
}

/// Another piece at the same place, with its first instruction elsewhere.
bool code_is_replaced() {
    Page page;
    for (u64 i = 0; i < 20; ++i) {
        page.put(0, piece_writer, piece_changer);
        if (page.call(0) != 100) return false;
        page.put(0, piece_changer, piece_overlap);
        if (page.call(0, u64{7}) != 7) return false;
    }
    return true;
}

}  // namespace small::trapped
