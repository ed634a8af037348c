// The guest's test of itself, from ring 3: processes, memory, exceptions, time, disk and wire; and the machine layer's
// own tests, which the kernel runs on request. Ends with `small: all N tests passed` and status 0, or with what failed.

#include <cstring>

#include "guests/small/user/peer.hpp"
#include "guests/small/user/user.hpp"

namespace small {
namespace {

constexpr u64 kPage = 4096;
u64 killed(u64 vector) { return kKilled + vector; }

u8* map(u64 pages) {
    const i64 begin = call(Call::map, pages);
    if (begin < 0) panic("no memory to be had");
    return reinterpret_cast<u8*>(begin);
}
i64 unmap(u8* begin, u64 pages) { return call(Call::unmap, address_of(begin), pages); }
i64 protect(u8* begin, u64 pages, u64 rights) { return call(Call::protect, address_of(begin), pages, rights); }

u64 initialised = 12345, zero_at_start[5000];

// ---- calls and processes ------------------------------------------------------------------------------------------

bool calls_answer() { return call(Call::null) == 0 && call(Call::process_id) == 1; }

bool bad_calls_are_refused() {
    const u64 kernel = 0x100000, nowhere = 0x1234'5678'9000;
    u64 word;
    return call(Call::count) == kNoSuch && call(static_cast<Call>(~u64{0})) == kNoSuch &&
           call(Call::write, kernel, 10) == kBadArgument && call(Call::write, nowhere, 1) == kBadArgument &&
           call(Call::write, ~u64{0} - 1, 10) == kBadArgument && call(Call::wait, address_of(&word)) == kNoSuch &&
           call(Call::spawn, address_of("no such"), 7) == kNoSuch && call(Call::map, ~u64{0} >> 12) == kNoMemory &&
           call(Call::unmap, kernel, 1) == kBadArgument && call(Call::protect, address_of(&word) | 1, 1, 0) == kBadArgument &&
           call(Call::set_timer, 1) == kBadArgument;
}

bool image_is_loaded() {
    for (u64 word : zero_at_start)
        if (word != 0) return false;
    return initialised == 12345;
}

bool stack_grows() {
    volatile u8 deep[40'000];
    for (u64 i = 0; i < sizeof deep; i += 1000) deep[i] = static_cast<u8>(i);
    for (u64 i = 0; i < sizeof deep; i += 1000)
        if (deep[i] != static_cast<u8>(i)) return false;
    return true;
}

bool spawned_program_runs() {
    u64 status = 0;
    const i64 id = call(Call::spawn, address_of("nothing"), 7);
    return id > 1 && call(Call::wait, address_of(&status)) == id && status == 7;
}

bool children_are_all_waited_for() {
    constexpr u64 kChildren = 10;
    u64 sum = 0;
    for (u64 i = 0; i < kChildren; ++i)
        if (call(Call::fork) == 0) exit(i);
    for (u64 i = 0; i < kChildren; ++i) {
        u64 status = 0;
        if (call(Call::wait, address_of(&status)) <= 0) return false;
        sum += status;
    }
    return sum == kChildren * (kChildren - 1) / 2;
}

// ---- memory -------------------------------------------------------------------------------------------------------

bool mapped_memory_is_zero_and_keeps() {
    constexpr u64 kPages = 600;  // More than one table translates.
    u8* begin = map(kPages);
    for (u64 i = 0; i < kPages; ++i)
        if (begin[i * kPage + i] != 0) return false;
    for (u64 i = 0; i < kPages; ++i) begin[i * kPage + 7] = static_cast<u8>(i);
    for (u64 i = 0; i < kPages; ++i)
        if (begin[i * kPage + 7] != static_cast<u8>(i)) return false;
    return unmap(begin, kPages) == 0;
}

bool unmapped_memory_is_gone() {
    volatile u8* begin = map(3);
    for (u64 i = 0; i < 3; ++i) begin[i * kPage] = 1;
    if (unmap(const_cast<u8*>(begin) + kPage, 1) != 0) return false;
    const u64 status = status_of_child([=] { return u64{begin[kPage]}; });
    const bool others = begin[0] == 1 && begin[2 * kPage] == 1;
    return status == killed(14) && others && unmap(const_cast<u8*>(begin), 3) == 0;
}

bool rights_are_kept() {
    volatile u8* page = map(1);
    page[0] = 5;
    if (protect(const_cast<u8*>(page), 1, 0) != 0) return false;
    const u64 written = status_of_child([=] { return page[0] = 6, u64{0}; });
    const u64 read = status_of_child([=] { return u64{page[0]}; });
    if (protect(const_cast<u8*>(page), 1, kMayWrite) != 0) return false;
    page[0] = 7;
    return written == killed(14) && read == 5 && page[0] == 7 && unmap(const_cast<u8*>(page), 1) == 0;
}

bool execution_is_a_right() {
    constexpr u8 kCode[] = {0xb8, 42, 0, 0, 0, 0xc3};  // mov $42, %eax; ret
    u8* page = map(1);
    std::memcpy(page, kCode, sizeof kCode);
    // Safety: six bytes of code that keep the calling convention, or a fault in a child.
    const auto run = reinterpret_cast<u32 (*)()>(page);
    const u64 denied = status_of_child([=] { return u64{run()}; });
    if (protect(page, 1, kMayExecute) != 0) return false;
    return denied == killed(14) && run() == 42 && unmap(page, 1) == 0;
}

/// A kernel that leaves stale translations or stale code behind fails here.
bool rewritten_code_runs_anew() {
    u8* page = map(1);
    const auto run = reinterpret_cast<u32 (*)()>(page);
    bool right = protect(page, 1, kMayWrite | kMayExecute) == 0;
    for (u8 i = 1; i < 20; ++i) {
        const u8 code[] = {0xb8, i, 0, 0, 0, 0xc3};
        std::memcpy(page, code, sizeof code);
        right = right && run() == i;
    }
    return right && unmap(page, 1) == 0;
}

bool fork_copies_on_write() {
    constexpr u64 kPages = 20;
    volatile u8* begin = map(kPages);
    for (u64 i = 0; i < kPages; ++i) begin[i * kPage] = static_cast<u8>(i);
    const u64 status = status_of_child([=] {
        for (u64 i = 0; i < kPages; ++i)
            if (begin[i * kPage] != static_cast<u8>(i)) return u64{1};
        for (u64 i = 0; i < kPages; i += 2) begin[i * kPage] = 200;
        // A grandchild shares what this one just made its own.
        return status_of_child([=] { return begin[kPage] = 9, u64{begin[0]}; }) == 200 && begin[kPage] == 1 ? u64{0} : u64{2};
    });
    for (u64 i = 0; i < kPages; ++i)
        if (begin[i * kPage] != static_cast<u8>(i)) return false;
    begin[0] = 77;
    return status == 0 && begin[0] == 77 && unmap(const_cast<u8*>(begin), kPages) == 0;
}

/// Read-only at the fork, made writable afterwards: still not shared.
bool protect_does_not_share() {
    volatile u8* page = map(1);
    page[0] = 1;
    if (protect(const_cast<u8*>(page), 1, 0) != 0) return false;
    const u64 status = status_of_child([=] {
        protect(const_cast<u8*>(page), 1, kMayWrite);
        page[0] = 2;
        return u64{page[0]};
    });
    return status == 2 && page[0] == 1 && unmap(const_cast<u8*>(page), 1) == 0;
}

bool memory_can_run_out() {
    for (int round = 0; round < 3; ++round) {
        const u64 regions = status_of_child([] {
            u64 count = 0;
            while (call(Call::map, 1) > 0) ++count;
            return count;
        });
        const u64 touched = status_of_child([] {
            volatile u8* begin = map(1 << 18);
            for (u64 i = 0; i < 1 << 18; ++i) begin[i * kPage] = 1;
            return u64{0};
        });
        if (regions == 0 || regions >= kKilled || touched != killed(14)) return false;
    }
    return true;
}

// ---- exceptions: each ends a child with its vector ----------------------------------------------------------------

template <class Body>
bool ends_with(u64 vector, Body body) {
    return status_of_child([body] { return body(), u64{0}; }) == killed(vector);
}

bool exceptions_have_their_vectors() {
    // Safety: each is meant to fault, in a child.
    return ends_with(0, [] { asm volatile("xor %%edx, %%edx\n xor %%ecx, %%ecx\n div %%ecx" ::: "eax", "ecx", "edx"); }) &&
           ends_with(3, [] { asm volatile("int3"); }) && ends_with(6, [] { asm volatile("ud2"); }) &&
           ends_with(13, [] { asm volatile("movb (%0), %%al" ::"r"(u64{1} << 63) : "rax"); });
}

bool kernel_memory_is_out_of_reach() {
    return ends_with(14, [] { asm volatile("movb (%0), %%al" ::"r"(u64{0x100000}) : "rax"); }) &&
           ends_with(14, [] { asm volatile("movb %%al, (%0)" ::"r"(u64{0x100000}) : "memory"); }) &&
           ends_with(14, [] { asm volatile("jmp *%0" ::"r"(u64{0x100000})); }) &&
           ends_with(14, [] { asm volatile("movb (%0), %%al" ::"r"(0xffff'8000'0000'0000) : "rax"); });
}

bool privileged_instructions_are_refused() {
    return ends_with(13, [] { asm volatile("cli"); }) && ends_with(13, [] { asm volatile("sti"); }) &&
           ends_with(13, [] { asm volatile("hlt"); }) && ends_with(13, [] { asm volatile("inb $0x20, %%al" ::: "rax"); }) &&
           ends_with(13, [] { asm volatile("outb %%al, $0x20" ::: "rax"); }) &&
           ends_with(13, [] { asm volatile("mov %%cr0, %%rax" ::: "rax"); }) &&
           ends_with(13, [] { asm volatile("mov %%rax, %%cr3" ::: "rax"); }) &&
           ends_with(13, [] { asm volatile("rdmsr" ::"c"(0xc0000080) : "rax", "rdx"); }) &&
           ends_with(13, [] { asm volatile("swapgs"); }) && ends_with(13, [] { asm volatile("int $32"); }) &&
           ends_with(13, [] { asm volatile("invlpg (%%rsp)" ::: "memory"); });
}

bool flags_of_a_program_are_its_own() {
    u64 after;
    // IF cannot be cleared, nor IOPL raised, by POPF in ring 3: it ignores them. DF and CF live through a call.
    asm volatile("pushfq\n popq %0\n andq $~0x200, %0\n orq $0x3000, %0\n pushq %0\n popfq\n pushfq\n popq %0" : "=&r"(after)::"memory", "cc");
    u64 number = static_cast<u64>(Call::null), kept;
    asm volatile("std\n stc\n syscall\n pushfq\n popq %1\n cld" : "+a"(number), "=&r"(kept)::"rcx", "r11", "memory", "cc");
    return (after & 0x3200) == 0x200 && (kept & 0x401) == 0x401;
}

// ---- time ---------------------------------------------------------------------------------------------------------

/// Spins `rounds` times with a pattern in every register and in the flags; true if all are as they were.
bool registers_keep(u64 pattern, u64 rounds) {
    u64 sum;
    // Safety: rbx and rbp are restored; only registers and the stack below this frame's own pushes are used.
    asm volatile(
        "push %%rbx\n push %%rbp\n"
        "mov %%rax, %%rbx\n mov %%rax, %%rbp\n mov %%rax, %%rdx\n mov %%rax, %%rsi\n mov %%rax, %%rdi\n mov %%rax, %%r8\n"
        "mov %%rax, %%r9\n mov %%rax, %%r10\n mov %%rax, %%r11\n mov %%rax, %%r12\n mov %%rax, %%r13\n mov %%rax, %%r14\n"
        "mov %%rax, %%r15\n"
        "1: dec %%rcx\n jnz 1b\n"
        "xor %%rbx, %%rax\n xor %%rbp, %%rdx\n xor %%rsi, %%rdi\n xor %%r8, %%r9\n xor %%r10, %%r11\n xor %%r12, %%r13\n"
        "xor %%r14, %%r15\n or %%rdx, %%rax\n or %%rdi, %%rax\n or %%r9, %%rax\n or %%r11, %%rax\n or %%r13, %%rax\n"
        "or %%r15, %%rax\n sub %%r14, %%r12\n or %%r12, %%rax\n sub %%rbx, %%rbp\n or %%rbp, %%rax\n"
        "pop %%rbp\n pop %%rbx"
        : "=a"(sum), "+c"(rounds)
        : "a"(pattern)
        : "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    return sum == 0;
}

bool preempted_processes_keep_registers() {
    constexpr u64 kProcesses = 3, kTicks = 8;
    for (u64 i = 0; i < kProcesses; ++i) {
        if (call(Call::fork) != 0) continue;
        const i64 until = call(Call::clock) + kTicks;
        bool kept = true;
        while (call(Call::clock) < until) kept = kept && registers_keep(0x0101'0101'0101'0101 * (i + 1), 100'000);
        exit(kept);
    }
    u64 good = 0;
    for (u64 i = 0, status = 0; i < kProcesses; ++i)
        if (call(Call::wait, address_of(&status)) > 0) good += status;
    return good == kProcesses;
}

bool time_goes_on() {
    const u64 begin = ticks();
    const i64 before = call(Call::clock);
    u64 last = begin;
    while (call(Call::clock) < before + 3) {
        const u64 now = ticks();
        if (now <= last) return false;
        last = now;
    }
    return true;
}

// ---- disk and wire ------------------------------------------------------------------------------------------------

alignas(kPage) u8 block[kPage], other[kPage];

bool disk_keeps_blocks() {
    constexpr u64 kSector = 64;
    for (u64 round = 0; round < 4; ++round) {
        for (u64 i = 0; i < kPage; ++i) block[i] = static_cast<u8>(i * 7 + round);
        if (call(Call::block_write, kSector + round * 8, address_of(block)) != kPage) return false;
    }
    for (u64 round = 0; round < 4; ++round) {
        if (call(Call::block_read, kSector + round * 8, address_of(other)) != kPage) return false;
        for (u64 i = 0; i < kPage; ++i)
            if (other[i] != static_cast<u8>(i * 7 + round)) return false;
    }
    // Eight sectors from the middle of one block on: half of each.
    if (call(Call::block_read, kSector + 4, address_of(other)) != kPage) return false;
    return other[0] == static_cast<u8>(2048 * 7) && other[2048] == 1;
}

bool bad_blocks_are_refused() {
    const u64 sectors = static_cast<u64>(call(Call::block_sectors));
    return call(Call::block_read, sectors - 7, address_of(block)) == kBadArgument &&
           call(Call::block_read, ~u64{0}, address_of(block)) == kBadArgument &&
           call(Call::block_read, 0, 0x100000) == kBadArgument &&
           call(Call::block_read, sectors - 8, address_of(block)) == kPage;
}

bool processes_share_the_disk() {
    constexpr u64 kProcesses = 4, kSector = 256;
    for (u64 i = 0; i < kProcesses; ++i) {
        if (call(Call::fork) != 0) continue;
        for (u64 round = 0; round < 8; ++round) {
            const u64 sector = kSector + (i * 8 + round) * 8;
            std::memset(block, static_cast<int>(i * 8 + round), kPage);
            if (call(Call::block_write, sector, address_of(block)) != kPage) exit(0);
            if (call(Call::block_read, sector, address_of(other)) != kPage) exit(0);
            if (std::memcmp(block, other, kPage) != 0) exit(0);
        }
        exit(1);
    }
    u64 good = 0;
    for (u64 i = 0, status = 0; i < kProcesses; ++i)
        if (call(Call::wait, address_of(&status)) > 0) good += status;
    return good == kProcesses;
}

Peer peer;
bool peer_is_found() { return peer.find(); }
bool peer_answers() { return peer.echo(1, 0) && peer.echo(2, 1) && peer.echo(3, 56) && peer.echo(4, 1400) && peer.echo(5, 1472); }
bool bad_packets_are_refused() {
    return call(Call::send, address_of(block), 0) == kBadArgument && call(Call::send, address_of(block), kMaxPacket + 1) == kBadArgument &&
           call(Call::send, 0x100000, 60) == kBadArgument;
}

// ---- the list -----------------------------------------------------------------------------------------------------

struct Test {
    const char* name;
    bool (*passes)();
};
constexpr Test kTests[] = {
    {"calls answer", calls_answer},
    {"bad calls are refused", bad_calls_are_refused},
    {"the image is loaded", image_is_loaded},
    {"the stack grows", stack_grows},
    {"a spawned program runs", spawned_program_runs},
    {"children are all waited for", children_are_all_waited_for},
    {"mapped memory is zero and keeps", mapped_memory_is_zero_and_keeps},
    {"unmapped memory is gone", unmapped_memory_is_gone},
    {"rights are kept", rights_are_kept},
    {"execution is a right", execution_is_a_right},
    {"rewritten code runs anew", rewritten_code_runs_anew},
    {"fork copies on write", fork_copies_on_write},
    {"protect does not share", protect_does_not_share},
    {"memory can run out", memory_can_run_out},
    {"exceptions have their vectors", exceptions_have_their_vectors},
    {"kernel memory is out of reach", kernel_memory_is_out_of_reach},
    {"privileged instructions are refused", privileged_instructions_are_refused},
    {"the flags of a program are its own", flags_of_a_program_are_its_own},
    {"preempted processes keep registers", preempted_processes_keep_registers},
    {"time goes on", time_goes_on},
};
constexpr Test kDiskTests[] = {
    {"the disk keeps blocks", disk_keeps_blocks},
    {"bad blocks are refused", bad_blocks_are_refused},
    {"processes share the disk", processes_share_the_disk},
};
constexpr Test kWireTests[] = {
    {"the peer is found", peer_is_found},
    {"the peer answers", peer_answers},
    {"bad packets are refused", bad_packets_are_refused},
};

u64 passed, failed;

void count(const char* name, bool good) {
    ++(good ? passed : failed);
    print(good ? "  ok    " : "  FAIL  ", name, "\n");
}

template <u64 N>
void run(const Test (&tests)[N]) {
    for (const Test& test : tests) count(test.name, test.passes());
}

void run_machine_tests() {
    char name[100];
    for (u64 i = 0;; ++i) {
        const i64 result = call(Call::machine_test, i, address_of(name), sizeof name);
        if (result < 0) return;
        count(name, result == 1);
    }
}

}  // namespace

u64 program_main() {
    run_machine_tests();
    run(kTests);
    if (call(Call::block_sectors) > 0) run(kDiskTests);
    else print("small: no disk to test\n");
    if (peer.open()) run(kWireTests);
    else print("small: no network to test\n");
    if (failed == 0) print("small: all ", passed, " tests passed\n");
    else print("small: ", failed, " of ", passed + failed, " tests failed\n");
    return failed;
}

}  // namespace small
