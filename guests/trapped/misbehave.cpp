// Ways to be a bad guest, each a word of the command line. On the bare machine they end in a hang, a reset or chance;
// a monitor must end such a guest with a report, and nobody else may notice.

#include "guests/small/frames.hpp"
#include "guests/small/machine.hpp"
#include "guests/small/ways.hpp"
#include "guests/trapped/descriptors.hpp"
#include "guests/trapped/pci.hpp"
#include "guests/trapped/registers.hpp"
#include "guests/trapped/virtio.hpp"

namespace small {
namespace trapped {
namespace {

void hang(Random&, u64) {
    cli();
    for (;;) asm volatile("pause");
}

void triple_fault(Random&, u64) {
    const TableRegister nothing{0, 0};
    asm volatile("lidt %0\n ud2" ::"m"(nothing));
}

/// To a user's mode of 32 bits, which ring 3 without hardware's help is not: there is nothing at its address, should anybody look.
void narrow_mode(Random&, u64) {
    asm volatile("mov $0x10000000, %%ecx\n mov $2, %%r11d\n sysretl" ::: "rcx", "r11", "memory");
}

/// Anything to any port of the platform, and reads between.
void wild_registers(Random& random, u64 rounds) {
    static constexpr u16 kPorts[] = {0x20, 0x21, 0xa0, 0xa1, 0x40, 0x41, 0x42, 0x43, 0x61, 0x70, 0x71, 0xcf8, 0xcfc};
    for (u64 i = 0; i < rounds; ++i) {
        const u64 choice = random.below(5), value = random.next();
        const PciDevice card = find_pci(0x1af4, static_cast<u16>(0x1000 + random.below(6)));
        u16 port = static_cast<u16>(random.next());
        if (choice < 2 && card) port = static_cast<u16>(card.io_base + random.below(64));
        else if (choice == 2) port = static_cast<u16>(0x3f8 + 1 + random.below(7));
        else if (choice == 3) port = kPorts[random.below(sizeof kPorts / sizeof kPorts[0])];
        switch (random.below(6)) {
            case 0: out8(port, static_cast<u8>(value)); break;
            case 1: out16(port, static_cast<u16>(value)); break;
            case 2: out32(port, static_cast<u32>(value)); break;
            case 3: in8(port); break;
            case 4: in16(port); break;
            default: in32(port); break;
        }
    }
}

/// Rings full of nonsense behind every queue of every virtio device: loops, endless chains, addresses of nothing.
void lying_rings(Random& random, u64 rounds) {
    static VirtQueue queue;
    for (u64 i = 0; i < rounds; ++i) {
        const PciDevice card = find_pci(0x1af4, static_cast<u16>(0x1000 + random.below(6)));
        if (!card) continue;
        begin_virtio(card, static_cast<u32>(random.next()));
        const u16 index = static_cast<u16>(random.below(4));
        if (!queue.start(card.io_base, index, 1)) continue;
        if (random.below(8) == 0) out32(card.io_base + kQueuePage, static_cast<u32>(random.next()));
        finish_virtio(card);
        for (u64 at = 0; at < VirtQueue::kBytes; at += 8) {
            const u64 word = random.next();
            const bool plausible = at % 16 == 0 && random.below(4) != 0;
            // Safety: within the queue's own memory.
            *reinterpret_cast<volatile u64*>(queue.memory() + at) = plausible ? word & 0xff'ffff : word & 0x00ff'0007'0000'ffff;
        }
        queue.notify();
    }
}

/// Half of the time: gates that lead anywhere, so that the first trap is not the last.
void spoil_gates(Random& random) {
    static u64 gates[512];
    if (random.below(2) == 0) return;
    for (u64 i = 0; i < 512; ++i) {
        const u64 target = random.next() & 0x3f'ffff, type = random.below(8) ? 0x8e00 : random.next() & 0xff07;
        gates[i] = i % 2 == 0 ? (target & 0xffff) | u64{kKernelCode} << 16 | type << 32 | (target >> 16) << 48 : 0;
    }
    const TableRegister table{sizeof gates - 1, reinterpret_cast<u64>(gates)};
    asm volatile("lidt %0" ::"m"(table));
}

/// Page tables of random words, loaded, and used.
void wild_tables(Random& random, u64 rounds) {
    spoil_gates(random);
    const Frame tables[] = {allocate_frame(), allocate_frame(), allocate_frame(), allocate_frame()};
    for (u64 i = 0; i < rounds; ++i) {
        for (const Frame table : tables)
            for (u64 entry = 0; entry < 512; ++entry) {
                const u64 word = random.next(), next = tables[random.below(4)].address;
                table.as<u64>()[entry] = random.below(2) ? next | (word & 0xfff) | 1 : word;
            }
        machine::create_root(tables[0]);
        machine::load_root(tables[0]);
        // A page that the tables may show: what is there is anybody's guess, and the fault may end it all.
        const u64 address = random.next() & 0x0000'7fff'ffff'ffff;
        if (address >= u64{1} << 39) asm volatile("movb (%0), %%al" ::"r"(address) : "rax", "memory");
    }
}

/// Random bytes, run as the kernel.
void random_code(Random& random, u64) {
    static u8 bytes[kPageSize];
    for (u8& byte : bytes) byte = static_cast<u8>(random.next() >> 32);
    spoil_gates(random);
    sti();
    reinterpret_cast<void (*)()>(bytes)();
}

/// What a monitor that translates has put into this kernel's address space, for a guest of 16 MiB: written all over, read, and used as a
/// stack by the very branches that keep their registers there. Where nothing is, the first of it is a fault.
void translated_code(Random& random, u64 rounds) {
    constexpr u64 kPlace = 0x7f00'0000, kPages = 75;
    u64 sum = 0;
    for (u64 i = 0; i < rounds; ++i) {
        switch (random.below(4)) {
            case 0: {
                sti();
                auto* const word = reinterpret_cast<volatile u64*>(kPlace + random.below(kPageSize / 8) * 8);
                *word = random.below(2) ? random.next() : kPlace + random.below(kPages * kPageSize);
                break;
            }
            case 1: sum += *reinterpret_cast<volatile u64*>(kPlace + random.below(kPages * kPageSize - 8)); break;
            case 2:
                cli();
                // Safety: none is meant; the stack comes back.
                // First on this stack, so that its branches are known, then there.
                asm volatile("mov %%rsp, %%rbx\n lea 2f(%%rip), %%rax\n mov $2, %%ecx\n"
                             "0: mov $20, %%edx\n 1: call *%%rax\n dec %%edx\n jnz 1b\n mov %0, %%rsp\n dec %%ecx\n jnz 0b\n jmp 3f\n"
                             "2: ret\n 3: mov %%rbx, %%rsp" ::"r"(kPlace + (random.below(64) == 0 ? 0 : 64) + 8 + random.below(400) * 8)
                             : "rax", "rbx", "rcx", "rdx", "memory", "cc");
                break;
            default:
                set_flags(flags() ^ (random.next() & 0x200));
                break;
        }
    }
    print("small: read ", sum, "\n");
    // And in the end what it wrote there last is what it cannot be: code, or a table.
    *reinterpret_cast<volatile u64*>(kPlace + kPageSize + random.below((kPages - 1) * kPageSize)) = sum;
}

constexpr Way kWays[] = {{"hang", hang},         {"triple", triple_fault}, {"wild", wild_registers},
                         {"rings", lying_rings}, {"tables", wild_tables},  {"code", random_code},
                         {"cache", translated_code}, {"narrow", narrow_mode}};

}  // namespace
}  // namespace trapped

void machine::misbehave(const char* command_line) { try_ways(trapped::kWays, command_line); }

}  // namespace small
