// Words of the form key=value, looked up in a table of what each key takes.
#include "exokernel/core/command_line.hpp"

#include <charconv>

#include "exokernel/abi/boot_info.hpp"

namespace tessera::kernel {
namespace {

static_assert(kMaxModuleArguments + 1 == sizeof(BootInfo::arguments));

// Of string_view only what never throws and calls no C library: the kernel has neither.

/// `text` without its first `count` characters, of which there are as many.
std::string_view behind(std::string_view text, u64 count) { return {text.data() + count, text.size() - count}; }

bool equal(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (u64 i = 0; i < a.size(); ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

/// Where the first '=' stands, or the size where there is none.
u64 find_equals(std::string_view word) {
    u64 at = 0;
    while (at < word.size() && word[at] != '=') ++at;
    return at;
}

/// Takes the next word off the front of `rest`; empty when there is none.
std::string_view next_word(std::string_view& rest) {
    u64 begin = 0;
    while (begin < rest.size() && rest[begin] == ' ') ++begin;
    u64 end = begin;
    while (end < rest.size() && rest[end] != ' ') ++end;
    const std::string_view word{rest.data() + begin, end - begin};
    rest = behind(rest, end);
    return word;
}

/// A number in a range; with `power_of_two`, one of those.
struct Range {
    u64 least, most;
    bool power_of_two = false;
};

const char* read_number(std::string_view text, Range range, u64& number) {
    u64 value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) return "number out of range";
    if (error != std::errc{} || end != text.data() + text.size()) return "not a number";
    if (value < range.least || value > range.most) return "number out of range";
    if (range.power_of_two && (value & (value - 1)) != 0) return "not a power of two";
    number = value;
    return nullptr;
}

const char* read_hex(std::string_view text, u8 (&bytes)[16]) {
    constexpr const char* kProblem = "not 32 hexadecimal digits";
    if (text.size() != 2 * sizeof bytes) return kProblem;
    for (u64 i = 0; i < sizeof bytes; ++i) {
        const char* digits = text.data() + 2 * i;
        const auto [end, error] = std::from_chars(digits, digits + 2, bytes[i], 16);
        if (error != std::errc{} || end != digits + 2) return kProblem;
    }
    return nullptr;
}

const char* read_policy(std::string_view text, SwitchPolicy& policy) {
    for (u64 i = 0; i < kSwitchPolicies; ++i) {
        const char* name = kSwitchPolicyNames[i];
        u64 same = 0;
        while (same < text.size() && name[same] != 0 && text[same] == name[same]) ++same;
        if (same != text.size() || name[same] != 0) continue;
        policy = static_cast<SwitchPolicy>(i);
        return nullptr;
    }
    return "unknown switch policy";
}

const char* read_crash(std::string_view text, Crash& crash) {
    crash = equal(text, "trap") ? Crash::trap : equal(text, "fault") ? Crash::fault : equal(text, "stack") ? Crash::stack : Crash::no;
    return crash == Crash::no ? "not trap, fault or stack" : nullptr;
}

const char* read_name(std::string_view text, char (&name)[16]) {
    if (text.size() >= sizeof name) return "name is longer than 15 characters";
    if (text == "tessera") return "name is the kernel's own";
    for (char c : text) {
        const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!good) return "name has other characters than a-z, 0-9, _ and -";
    }
    for (u64 i = 0; i < text.size(); ++i) name[i] = text[i];
    return nullptr;
}

/// One key and what to do with its value.
template <class Options>
struct Key {
    std::string_view name;
    const char* (*read)(Options&, std::string_view value);
};

template <auto field, Range range>
const char* number(auto& options, std::string_view value) {
    return read_number(value, range, options.*field);
}

constexpr Key<KernelOptions> kKernelKeys[] = {
    {"policy", [](KernelOptions& options, std::string_view value) { return read_policy(value, options.policy); }},
    {"tlb.entries",
     [](KernelOptions& options, std::string_view value) -> const char* {
         if (value == "unbounded") return nullptr;
         return read_number(value, Range{16, 65536}, options.tlb_entries);
     }},
    {"quantum",
     [](KernelOptions& options, std::string_view value) {
         return read_number(value, Range{100, 1000000}, options.quantum_us);
     }},
    {"grace",
     [](KernelOptions& options, std::string_view value) {
         return read_number(value, Range{10, 1000000}, options.grace_us);
     }},
    {"cpus",
     [](KernelOptions& options, std::string_view value) { return read_number(value, Range{1, kMaxCpus}, options.cpus); }},
    {"key",
     [](KernelOptions& options, std::string_view value) {
         options.fixed_key = true;
         return read_hex(value, options.key);
     }},
    {"seed",
     [](KernelOptions& options, std::string_view value) {
         options.seeded = true;
         return read_hex(value, options.seed);
     }},
    {"crash", [](KernelOptions& options, std::string_view value) { return read_crash(value, options.crash); }},
};

constexpr Key<ModuleOptions> kModuleKeys[] = {
    {"name", [](ModuleOptions& options, std::string_view value) { return read_name(value, options.name); }},
    {"frames", number<&ModuleOptions::frames, Range{1, 1 << 20}>},
    {"stlb", number<&ModuleOptions::stlb, Range{128, 65536, true}>},
    {"guaranteed", number<&ModuleOptions::guaranteed, Range{16, 1024, true}>},
    {"tables", number<&ModuleOptions::tables, Range{16, 512}>},
    {"slots", number<&ModuleOptions::slots, Range{0, 8}>},
    {"cpu", number<&ModuleOptions::cpu, Range{0, kMaxCpus - 1}>},
    {"arbiter", number<&ModuleOptions::arbiter, Range{0, 1}>},
    {"console", number<&ModuleOptions::console, Range{0, 1}>},
    {"data", [](ModuleOptions& options, std::string_view value) { return read_name(value, options.data); }},
    {"for",
     [](ModuleOptions& options, std::string_view value) -> const char* {
         options.readers = value;
         return nullptr;
     }},
};

/// Reads one word into `options`; `seen` has a bit for each key that there was.
template <class Options, u64 size>
const char* read_word(std::string_view word, const Key<Options> (&keys)[size], u64& seen, Options& options) {
    const u64 equals = find_equals(word);
    const std::string_view name{word.data(), equals};
    u64 index = 0;
    while (index < size && !equal(keys[index].name, name)) ++index;
    if (index == size) return "unknown option";
    if (seen >> index & 1) return "option given twice";
    seen |= u64{1} << index;
    if (equals + 1 >= word.size()) return "option without a value";
    return keys[index].read(options, behind(word, equals + 1));
}

/// Reads words until the line ends, or behind a word "--" if that means something here.
template <class Options, u64 size>
void read_words(std::string_view& rest, const Key<Options> (&keys)[size], bool stop_at_dashes,
                ParsedOptions<Options>& parsed) {
    u64 seen = 0;
    bool first = true;
    for (std::string_view word; !(word = next_word(rest)).empty(); first = false) {
        if (stop_at_dashes && equal(word, "--")) return;
        if (first && word.front() == '/' && find_equals(word) == word.size()) continue;
        parsed.problem = read_word(word, keys, seen, parsed.options);
        if (!parsed.problem) continue;
        parsed.token = word;
        return;
    }
}

}  // namespace

ParsedOptions<KernelOptions> parse_kernel_options(std::string_view line) {
    ParsedOptions<KernelOptions> parsed;
    read_words(line, kKernelKeys, false, parsed);
    if (!parsed.problem && parsed.options.grace_us > parsed.options.quantum_us) {
        parsed.problem = "grace is longer than the quantum";
        parsed.token = "grace";
    }
    return parsed;
}

ParsedOptions<ModuleOptions> parse_module_options(std::string_view line) {
    ParsedOptions<ModuleOptions> parsed;
    read_words(line, kModuleKeys, true, parsed);
    if (parsed.problem) return parsed;

    // Exactly one blank belongs to the "--"; all others are the program's.
    parsed.options.arguments = line.empty() ? line : behind(line, 1);
    if (parsed.options.arguments.size() > kMaxModuleArguments) {
        parsed.problem = "arguments are longer than 1023 bytes";
        parsed.token = "--";
    } else if ((parsed.options.name[0] == 0) == (parsed.options.data[0] == 0)) {
        parsed.problem = parsed.options.name[0] == 0 ? "no name" : "a libOS or a file, not both";
    } else if ((parsed.options.data[0] == 0) != parsed.options.readers.empty()) {
        parsed.problem = "data and for go together";
    }
    return parsed;
}

}  // namespace tessera::kernel
