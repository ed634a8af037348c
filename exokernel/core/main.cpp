// From the boot loader's hand-over to the first libOS, and from the last one's end to the machine's.
#include "exokernel/arch/x86_64/descriptors.hpp"
#include "exokernel/arch/x86_64/features.hpp"
#include "exokernel/arch/x86_64/fpu.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/arch/x86_64/svm.hpp"
#include "exokernel/arch/x86_64/cpus.hpp"
#include "exokernel/core/acpi.hpp"
#include "exokernel/core/accounts.hpp"
#include "exokernel/core/command_line.hpp"
#include "exokernel/core/crash.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/loader.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/multiboot2.hpp"
#include "exokernel/core/panic.hpp"
#include "exokernel/core/revocation.hpp"
#include "exokernel/core/slots.hpp"
#include "exokernel/core/trace.hpp"
#include "exokernel/drivers/debug_exit.hpp"
#include "exokernel/drivers/timer.hpp"
#include "exokernel/drivers/uart.hpp"

namespace tessera::kernel {

FrameTable frames;
LeafLock frames_lock;
InformationPage information;
alignas(kPageSize) EnvironmentInfo environment_infos[kMaxEnvironments];
alignas(kPageSize) SlotInfo slot_infos[kMaxCpus * kSlotsPerCpu];
alignas(kPageSize) RevocationRequest requests[kMaxEnvironments * kRequests];
alignas(kPageSize) Post board[kMaxEnvironments * kPostsPerEnvironment];
static_assert(sizeof information % kPageSize == 0 && sizeof environment_infos % kPageSize == 0 &&
              sizeof slot_infos % kPageSize == 0 && sizeof requests % kPageSize == 0 && sizeof board % kPageSize == 0);

void give_back(FrameRange range) {
    shoot_down(range);
    leave_reserve(range);
    // Runs of one owner and use: the accounts first, then the table forgets who it was.
    const u64 now = read_tsc();
    for (u64 i = 0; i < range.count;) {
        const FrameInfo first = frames.info(range.first + i);
        const auto alike = [&](u64 j) {
            const FrameInfo& info = frames.info(range.first + j);
            return info.owner == first.owner && info.state == first.state;
        };
        u64 run = 1;
        while (i + run < range.count && alike(i + run)) ++run;
        {
            Guard guard(frames_lock);
            frames.commit_release(FrameRange{range.first + i, run});
            information.frames_free = frames.free_count();
        }
        if (Environment* owner = find_environment(EnvId{first.owner})) {
            set_frames(*owner->info, owner->info->frames - run, now);
            const bool charged = first.state == FrameState::charged;
            on_given_back(*owner, charged ? RevocationKind::kernel_memory : RevocationKind::frames, (range.first + i).value, run);
        }
        i += run;
    }
}

namespace {

constexpr u32 kMultiboot2Magic = 0x36d76289;
constexpr u64 kLowMemory = 0x10'0000;  // the firmware's, and ours for starting CPUs
BootInformation boot;                  // too large for the stack

[[noreturn]] void refuse(const char* why, std::string_view token = {}) {
    log("cannot run: ", why, token.empty() ? "" : ": ", token);
    leave_machine(ExitCode::refused);
}

/// What of a usable region may be given out: whole frames, above the first megabyte.
FrameRange usable_frames(const MemoryRegion& region) {
    const u64 begin = region.base < kLowMemory ? kLowMemory : region.base;
    const u64 first = (begin + kPageSize - 1) / kPageSize, end = region.end() / kPageSize;
    return FrameRange{FrameNumber{first}, end > first ? end - first : 0};
}

struct Span {
    u64 begin, end;
};

/// Call `each` for the parts of a frame range that hold none of the `taken` spans.
template <class Each>
void for_each_gap(FrameRange range, const Span* taken, u64 count, Each&& each) {
    u64 frame = range.first.value;
    const u64 end = frame + range.count;
    while (frame < end) {
        u64 gap_end = end, next = frame;
        for (u64 i = 0; i < count; ++i) {
            const u64 begin = taken[i].begin / kPageSize, after = (taken[i].end + kPageSize - 1) / kPageSize;
            if (begin <= frame && frame < after && after > next) next = after;
            if (begin > frame && begin < gap_end) gap_end = begin;
        }
        if (next > frame) {
            frame = next;
            continue;
        }
        each(FrameRange{FrameNumber{frame}, gap_end - frame});
        frame = gap_end;
    }
}

/// What the loader left in memory and we still read.
struct Taken {
    Span spans[kMaxBootModules + 2];
    u64 count = 0;
    void add(u64 begin, u64 end) { spans[count++] = {begin, end}; }
};

/// Frame table, bitmap, page tables; then everything else is free.
void build_memory(const Taken& taken) {
    constexpr u64 kEarlyTop = (u64{4} << 30) / kPageSize;  // as far as the boot tables map
    u64 top = 0;
    FrameRange largest{};
    for (u64 i = 0; i < boot.region_count; ++i) {
        if (!boot.regions[i].usable) continue;
        const FrameRange range = usable_frames(boot.regions[i]);
        if (range.count == 0) continue;
        if (range.first.value + range.count > top) top = range.first.value + range.count;
        for_each_gap(range, taken.spans, taken.count, [&](FrameRange gap) {
            if (gap.first.value < kEarlyTop && gap.first.value + gap.count > kEarlyTop) gap.count = kEarlyTop - gap.first.value;
            if (gap.first.value < kEarlyTop && gap.count > largest.count) largest = gap;
        });
    }
    boot_allocator.use(largest);
    const u64 large_frames = kPagesPerLarge;
    const u64 table_frames = ((top * sizeof(FrameInfo) + kPageSize - 1) / kPageSize + large_frames - 1) & ~(large_frames - 1);
    const FrameNumber table = boot_allocator.take(table_frames, large_frames);
    const FrameNumber bits = boot_allocator.take((top / 8 + kPageSize) / kPageSize);
    build_kernel_tables(top);
    publish(0, physical_of_image(&information), sizeof information, false);
    publish(kFrameTableOffset, address_of(table), table_frames * kPageSize, true);
    publish(kEnvironmentTableOffset, physical_of_image(environment_infos), sizeof environment_infos, false);
    publish(kSlotTableOffset, physical_of_image(slot_infos), sizeof slot_infos, false);
    publish(kRequestTableOffset, physical_of_image(requests), sizeof requests, false);
    publish(kBoardOffset, physical_of_image(board), sizeof board, false);
    frames.initialise(at<FrameInfo>(address_of(table)), at<u64>(address_of(bits)), top);
    information.frames = top;
    Cpu::here().apic_id = start_local_apic();  // the last page tables that are made of boot memory

    Taken kept = taken;
    const FrameRange left = boot_allocator.left();
    kept.add(largest.first.value * kPageSize, left.first.value * kPageSize);
    for (u64 i = 0; i < boot.region_count; ++i)
        if (boot.regions[i].usable)
            for_each_gap(usable_frames(boot.regions[i]), kept.spans, kept.count, [](FrameRange gap) { frames.add_free(gap); });
    for (u64 i = 0; i < kept.count; ++i) {
        const u64 first = kept.spans[i].begin / kPageSize, end = (kept.spans[i].end + kPageSize - 1) / kPageSize;
        if (end <= top) frames.reserve(FrameRange{FrameNumber{first}, end - first});
    }
}

/// The key behind every capability: the CPU's randomness, else the loader's seed, else we do not start.
void draw_key(const KernelOptions& options) {
    BootKey key{};
    u64 words[2];
    if (options.fixed_key) {
        log("fixed capability key from the command line: for reproducible tests only");
        for (u64 i = 0; i < 16; ++i) key.bytes[i] = options.key[i];
    } else if (random_word(words[0]) && random_word(words[1])) {
        for (u64 i = 0; i < 16; ++i) key.bytes[i] = static_cast<u8>(words[i / 8] >> (i % 8 * 8));
    } else if (options.seeded) {
        log("this CPU has neither RDSEED nor RDRAND: capability key from the loader's seed");
        for (u64 i = 0; i < 16; ++i) key.bytes[i] = options.seed[i];
    } else {
        refuse("no randomness: the CPU has neither RDSEED nor RDRAND, and no seed= was passed");
    }
    set_boot_key(key);
    zero_words(words, 2);
    zero_words(&key, sizeof key / 8);
}

/// What each CPU does for itself.
void prepare_cpu(Cpu& cpu) {
    enable_features();
    if (!(read_cr4() & cr4::kFsGsBase)) cpu.attention |= Cpu::kNoBases;
    start_fpu(cpu);
    start_svm(cpu);
}

bool all_set_up;

/// Another CPU, once it is up: to its first slot when the first CPU has loaded everything.
void run_other_cpu() {
    Cpu& cpu = Cpu::here();
    prepare_cpu(cpu);
    follow_switch_policy();
    start_local_apic();
    while (!__atomic_load_n(&all_set_up, __ATOMIC_ACQUIRE)) {
        park(cpu);
        relax();
    }
    if (cpu.index >= information.cpus) halt_forever();  // it came too late to be counted
    begin_slots(cpu);
}

/// As many CPUs as the machine has and `limit` allows.
u64 start_cpus(const CpuList& cpus, u64 limit, u64 tsc_hz) {
    if (cpus.problem != nullptr) log(cpus.problem, ": one CPU");
    if (cpus.left_out != 0) log("the machine has ", cpus.left_out, " CPUs more than are used");
    if (cpus.count < 2 || limit < 2) return 1;
    for (u64 i = 0; i < boot.region_count; ++i)
        if (boot.regions[i].usable && boot.regions[i].base <= AP_PAGE && boot.regions[i].end() >= AP_PAGE + kPageSize)
            return start_other_cpus(cpus, limit, tsc_hz, run_other_cpu);
    log("no memory below 1 MiB to start other CPUs from: one CPU");
    return 1;
}

}  // namespace

extern "C" [[noreturn]] void kernel_main(u32 magic, u32 information_address, u64 boot_tsc) {
    com1.initialise();
    com2.initialise();
    cpu_at(0).self = &cpu_at(0);
    if (magic != kMultiboot2Magic) refuse("not started by a multiboot2 loader");
    const u8* raw = at(PhysAddr{information_address});
    const u64 size = *reinterpret_cast<const u32*>(raw);
    if (size > 0x10'0000) refuse("boot information of more than a megabyte");
    boot = parse_multiboot2({raw, size});
    if (boot.problem != nullptr) refuse(boot.problem);
    const auto parsed = parse_kernel_options(boot.command_line);
    if (parsed.problem != nullptr) refuse(parsed.problem, parsed.token);
    const KernelOptions& options = parsed.options;
    if (!kTraceHops && options.crash != Crash::no) refuse("only the checked kernel crashes on request");

    Cpu& cpu = cpu_at(0);
    initialise_environments();
    load_descriptors(cpu);
    prepare_cpu(cpu);
    const CpuList cpus = find_cpus(boot.rsdp, {at(PhysAddr{0}), u64{4} << 30});
    Taken taken;
    const FrameRange image = kernel_image_frames();
    taken.add(image.first.value * kPageSize, (image.first.value + image.count) * kPageSize);
    taken.add(information_address, information_address + size);
    for (u64 i = 0; i < boot.module_count; ++i)
        if (boot.modules[i].end > boot.modules[i].start) taken.add(boot.modules[i].start, boot.modules[i].end);
    information.policy = set_switch_policy(options.policy, options.tlb_entries);
    build_memory(taken);
    draw_key(options);
    const auto [hz, timer_problem] = calibrate_timers();
    if (timer_problem != nullptr) refuse(timer_problem);
    const u64 per_us = hz / 1'000'000 != 0 ? hz / 1'000'000 : 1;
    set_slot_length(options.quantum_us * per_us, options.grace_us * per_us);
    information.abi_version = kAbiVersion;
    information.cpus = start_cpus(cpus, options.cpus, hz);
    information.tsc_hz = hz;
    information.quantum = options.quantum_us * per_us;
    information.grace = options.grace_us * per_us;
    information.frames_usable = frames.usable();
    information.frames_free = frames.free_count();
    information.tlb_entries = options.tlb_entries;
    information.boot_tsc = boot_tsc;
    if (information.cpus != 1) log(information.cpus, " CPUs");
    log("policy ", kSwitchPolicyNames[static_cast<u64>(information.policy)], ", ", frames.usable(), " frames, quantum ",
        options.quantum_us, " us, TSC ", hz / 1'000'000, " MHz");
    for (u64 i = 0; i < boot.module_count; ++i) load_module(boot.modules[i], i);
    for (u64 i = 0; i < boot.module_count; ++i) give_file(boot.modules[i], i);
    clear_tails();
    deal_slots();
    information.first_libos_tsc = read_tsc();
    write_record(RecordType::boot, 0,
                 Json<600>()
                     .field("abi", kAbiVersion)
                     .field("policy", kSwitchPolicyNames[static_cast<u64>(information.policy)])
                     .field("policy_wanted", kSwitchPolicyNames[static_cast<u64>(options.policy)])
                     .field("tlb_entries", options.tlb_entries)
                     .field("tsc_hz", hz)
                     .field("cpu", static_cast<const char*>(cpu_name().text))
                     .field("checked", kTraceHops)
                     .field("cpus", information.cpus)
                     .field("frames", frames.usable())
                     .field("boot_ticks", information.first_libos_tsc - boot_tsc)
                     .done());
    if constexpr (kTraceHops) crash_on_request(options.crash);
    __atomic_store_n(&all_set_up, true, __ATOMIC_RELEASE);
    begin_slots(cpu);
}

void finish() {
    u64 state_count[5] = {}, bound = 0, slots_taken = 0;
    for (u64 i = 0; i < frames.count(); ++i) {
        const FrameInfo& frame = frames.info(FrameNumber{i});
        ++state_count[static_cast<u64>(frame.state)];
        bound += frame.bindings != 0 || frame.large_bindings != 0;
    }
    for (const SlotInfo& slot : slot_infos) slots_taken += slot.owner != 0;
    const u64 free = state_count[static_cast<u64>(FrameState::free)];
    const bool conserved = free == frames.usable() && free == frames.free_count() && bound == 0 && slots_taken == 0;
    log("all environments have ended: ", free, " of ", frames.usable(), " frames free, ", bound, " still bound, ", slots_taken,
        " slots taken: the books ", conserved ? "balance" : "DO NOT BALANCE");
    if constexpr (kTraceHops) record_trace();
    const u64 failed = environments_failed();
    write_record(RecordType::final, 0,
                 Json<400>()
                     .field("conserved", conserved)
                     .field("free", free)
                     .field("usable", frames.usable())
                     .field("bound", bound)
                     .field("slots", slots_taken)
                     .field("failed", failed)
                     .field("ticks", read_tsc() - information.boot_tsc)
                     .done());
    leave_machine(failed == 0 && conserved ? ExitCode::done : ExitCode::failed);
}

}  // namespace tessera::kernel
