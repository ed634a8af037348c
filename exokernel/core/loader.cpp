#include "exokernel/core/loader.hpp"

#include "exokernel/abi/boot_info.hpp"
#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/accounts.hpp"
#include "exokernel/core/command_line.hpp"
#include "exokernel/core/elf.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/panic.hpp"
#include "exokernel/core/slots.hpp"

namespace tessera::kernel {
namespace {

struct Loaded {
    EnvId id;
    u64 slots, dealt, cpu;
    BootInfo* info;
};
Loaded loaded[kMaxEnvironments];
u64 loaded_count;

/// What lies behind the last byte of a file, to the end of its page.
struct Tail {
    PhysAddr begin;
    u64 bytes;
};
Tail tails[kMaxBootModules];
u64 tail_count;

void refuse(u64 number, std::string_view name, std::string_view why, std::string_view token = {}) {
    log("module ", number, " (", name.empty() ? "no name" : name, ") not started: ", why, token.empty() ? "" : ": ", token);
    count_failed_start();
}

/// Frames for the new environment, charged against its quota.
FrameRange take(Result<FrameRange>&& range, EnvId id) {
    frames.commit_take(range.value(), id, FrameState::owned);
    return range.value();
}

/// Copy a segment's bytes; what the file does not fill is zero.
void copy_segment(const ElfSegment& segment, const ElfImage& image, FrameRange memory, const u8* file) {
    copy_bytes(at(address_of(memory.first)) + (segment.address - address_of(image.first_page).value),
               file + segment.file_offset, segment.file_size);  // parse_elf checked that both hold it
}

void zero(FrameRange range) {
    zero_words(at(address_of(range.first)), range.count * kPageSize / 8);
    for (u64 i = 0; i < range.count; ++i) frames.info(range.first + i).flags = 0;
}

/// The first name of a list with commas, which becomes the rest of it.
std::string_view next_in_list(std::string_view& rest) {
    u64 length = 0;
    while (length < rest.size() && rest[length] != ',') ++length;
    const std::string_view name{rest.data(), length};
    const u64 gone = length + (length < rest.size());
    rest = {rest.data() + gone, rest.size() - gone};
    return name;
}

/// What the libOS of that name finds when it starts; nullptr: none was loaded.
BootInfo* boot_info_of(std::string_view name) {
    for (u64 i = 0; i < loaded_count; ++i)
        if (find_environment(loaded[i].id) != nullptr && std::string_view{loaded[i].info->name} == name) return loaded[i].info;
    return nullptr;
}

/// Into the reserve of an environment, as far as there is room.
void keep(Environment& env, FrameRange range) {
    for (u64 i = 0; i < range.count && env.info->reserve < kMaxReserve; ++i) {
        frames.info(range.first + i).flags |= frame_flag::kReserve;
        ++env.info->reserve;
    }
}

}  // namespace

void load_module(const BootModule& module, u64 number) {
    if (module.problem != nullptr) return refuse(number, {}, module.problem);
    const ParsedOptions<ModuleOptions> parsed = parse_module_options(module.command_line);
    const ModuleOptions& options = parsed.options;
    if (parsed.problem != nullptr) return refuse(number, options.name, parsed.problem, parsed.token);
    if (options.data[0] != 0) return;  // give_file, when all libOSes are there
    if (is_loaded_name(options.name)) return refuse(number, options.name, "another has its name");
    const u8* file = at(PhysAddr{module.start});
    const ElfResult elf = parse_elf({file, module.end - module.start});
    if (elf.problem != nullptr) return refuse(number, options.name, elf.problem);
    const ElfImage& image = elf.image;
    if (image.first_page.value <= page_of(VirtAddr{kBootInfoAddress}).value &&
        page_of(VirtAddr{kBootInfoAddress}).value < image.first_page.value + image.pages)
        return refuse(number, options.name, "its image covers the page of its boot information");

    if (options.cpu >= information.cpus) return refuse(number, options.name, "the machine has no such CPU", "cpu");
    const ContextSpec spec{{}, options.stlb, options.guaranteed, options.tables};
    if (!canonical(spec)) return refuse(number, options.name, "stlb, guaranteed or tables out of range");
    const u64 needed = image.pages + 1 + spec.frames_needed() + kEnvFrames;
    if (needed > options.frames)
        return refuse(number, options.name, Text<80>("needs ", needed, " frames to start; frames=", options.frames).view());
    if (needed > frames.free_count()) return refuse(number, options.name, "not enough memory");
    u64 guaranteed_pages = 1;
    for (u64 i = 0; i < image.segment_count; ++i)
        if (image.segments[i].guaranteed)
            guaranteed_pages += (image.segments[i].memory_size + kPageSize - 1) >> kPageShift;
    const auto env_slot = check_environment_slot();
    const auto context_slot = check_context_slot();
    if (!env_slot.ok() || !context_slot.ok()) return refuse(number, options.name, "too many environments");

    const EnvId id = next_environment_id(env_slot.value());
    auto image_run = frames.check_free(FrameNumber{kAny}, image.pages + 1, 1);
    if (!image_run.ok()) return refuse(number, options.name, "no contiguous memory for its image");
    const FrameRange memory = take(std::move(image_run), id);
    const FrameRange info_frame{memory.first + image.pages, 1};
    auto context_run = frames.check_free(FrameNumber{kAny}, spec.frames_needed(), 1);
    auto env_run = context_run.ok() ? frames.check_free(FrameNumber{kAny}, kEnvFrames, 1) : Result<FrameRange>{Error::exhausted};
    if (!env_run.ok()) {
        frames.commit_release(memory);
        return refuse(number, options.name, "no contiguous memory for its context");
    }
    const FrameRange context_memory = take(std::move(context_run), id);
    const FrameRange env_memory = take(frames.check_free(FrameNumber{kAny}, kEnvFrames, 1), id);

    zero(memory);
    for (u64 i = 0; i < image.segment_count; ++i) copy_segment(image.segments[i], image, memory, file);
    Context& context = commit_context(context_slot.value(), {context_memory, spec});
    frames.commit_recast(env_memory, FrameState::charged, 0, 0);
    EnvironmentPlan plan{env_memory, &context, &cpu_at(options.cpu), image.entry, kBootInfoAddress, options.frames, {}, {}};
    for (u64 i = 0; i < sizeof plan.name; ++i) plan.name[i] = options.name[i];
    Environment& env = commit_environment(env_slot.value(), plan);
    set_frames(*env.info, needed, read_tsc());

    const u64 grant = frames.info(memory.first).grant;
    const char* problem = nullptr;
    for (u64 i = 0; i < image.segment_count; ++i) {
        const ElfSegment& segment = image.segments[i];
        const PageNumber page = page_of(VirtAddr{segment.address});
        PageSpan span = PageSpan::make(page, (segment.memory_size + kPageSize - 1) >> kPageShift, segment.rights);
        if (segment.guaranteed) span = span.with(SpanFlag::guaranteed);
        if (!check_and_bind(context, memory.first + (page - image.first_page), span, kFrameRights, grant).ok())
            problem = "its guaranteed segments do not fit: raise guaranteed=";
    }
    BootInfo& info = *at<BootInfo>(address_of(info_frame.first));
    if (!check_and_bind(context, info_frame.first,
                        PageSpan::make(page_of(VirtAddr{kBootInfoAddress}), 1, Right::read).with(SpanFlag::guaranteed),
                        kFrameRights, grant)
             .ok())
        problem = "its boot information does not fit: raise guaranteed=";
    if (problem != nullptr) {
        end_environment(env, EndReason::because(problem, " (", guaranteed_pages, " pages wanted)"));
        return;
    }
    keep(env, info_frame);
    for (u64 i = 0; i < image.segment_count; ++i) {
        const ElfSegment& segment = image.segments[i];
        const FrameNumber first = memory.first + (page_of(VirtAddr{segment.address}) - image.first_page);
        if (segment.guaranteed) keep(env, FrameRange{first, (segment.memory_size + kPageSize - 1) >> kPageShift});
    }
    info.abi_version = kAbiVersion;
    info.self = id;
    info.cpu = options.cpu;
    info.image_page = image.first_page;
    info.image_frame = memory.first;
    info.image_pages = image.pages;
    info.stlb_entries = spec.stlb;
    info.guaranteed_entries = spec.guaranteed;
    info.frame_quota = options.frames;
    info.environment = mint_capability(ResourceKind::environment, kEnvironmentRights, id.index(), 1, env.grant);
    if (options.arbiter != 0)
        info.every_environment = mint_capability(ResourceKind::environment, kEnvironmentRights, 0, kMaxEnvironments, every_environment_grant());
    info.context = mint_capability(ResourceKind::context, Right::use, context.id.index(), 1, context.grant);
    const FrameRange stlb = stlb_frames(context);
    info.stlb = mint_capability(ResourceKind::frames, Right::read, stlb.first.value, stlb.count, frames.info(stlb.first).grant);
    info.image = mint_capability(ResourceKind::frames, kFrameRights, memory.first.value, image.pages, grant);
    if (options.console != 0) give_console(id);
    for (u64 i = 0; i < sizeof info.name; ++i) info.name[i] = options.name[i];
    for (u64 i = 0; i < options.arguments.size() && i + 1 < sizeof info.arguments; ++i)
        info.arguments[i] = options.arguments[i];
    loaded[loaded_count++] = {id, options.slots, 0, options.cpu, &info};
    log("started ", static_cast<const char*>(options.name), ": ", image.pages, " pages, ", needed, " of ", options.frames, " frames");
    write_record(RecordType::started, id.index(),
                 Json<200>().field("name", static_cast<const char*>(options.name)).field("env", id.value).done());
}

void give_file(const BootModule& module, u64 number) {
    if (module.problem != nullptr) return;
    const ParsedOptions<ModuleOptions> parsed = parse_module_options(module.command_line);
    const ModuleOptions& options = parsed.options;
    if (parsed.problem != nullptr || options.data[0] == 0) return;
    if (module.start % kPageSize != 0) return refuse(number, options.data, "it does not begin at a page");
    const u64 bytes = module.end - module.start;
    const FrameRange range{frame_of(PhysAddr{module.start}), (bytes + kPageSize - 1) / kPageSize};
    if (range.count > kMaxCapabilityCount) return refuse(number, options.data, "too large");
    // Its frames are the kernel's for good: whoever reads it loses nothing when another ends.
    tails[tail_count++] = {PhysAddr{module.end}, range.count * kPageSize - bytes};
    const u64 grant = frames.fresh_grant();
    for (u64 i = 0; i < range.count; ++i) frames.info(range.first + i).grant = grant;
    for (std::string_view rest = options.readers; !rest.empty();) {
        const std::string_view name = next_in_list(rest);
        BootInfo* const info = boot_info_of(name);
        if (info == nullptr) {
            refuse(number, options.data, "no libOS was started with that name", name);
            continue;
        }
        u64 place = 0;
        while (place < kBootFiles && info->files[place].name[0] != 0) ++place;
        if (place == kBootFiles) {
            refuse(number, options.data, "too many files for", name);
            continue;
        }
        BootFile& file = info->files[place];
        for (u64 i = 0; i < sizeof file.name; ++i) file.name[i] = options.data[i];
        file.bytes = bytes;
        file.frames = mint_capability(ResourceKind::frames, Right::read | Right::execute, range.first.value, range.count, grant);
    }
}

void clear_tails() {
    for (u64 i = 0; i < tail_count; ++i) fill_bytes(at(tails[i].begin), 0, tails[i].bytes);
}

void deal_slots() {
    for (bool dealt = true; dealt;) {
        dealt = false;
        for (u64 i = 0; i < loaded_count; ++i) {
            Loaded& l = loaded[i];
            Environment* env = find_environment(l.id);
            if (env == nullptr || l.dealt == l.slots) continue;
            const auto slot = check_slots(l.cpu, SlotNumber{kAny}, 1);
            if (!slot.ok()) {
                log(static_cast<const char*>(env->info->name), " asked for ", l.slots, " slots of CPU ", l.cpu, " and got ", l.dealt);
                l.slots = l.dealt;
                continue;
            }
            const u64 grant = commit_slots(slot.value(), 1, *env);
            l.info->slots[l.dealt++] =
                mint_capability(ResourceKind::slots, Right::release | Right::use, slot.value().value, 1, grant);
            dealt = true;
        }
    }
}

}  // namespace tessera::kernel
