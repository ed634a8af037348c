// A small mutating fuzzer: the same inputs on every run, with any compiler. It has no coverage feedback, so it
// finds what a few hundred thousand mutations of good inputs can find; for more there is libFuzzer.
//
// usage: fuzz_X [-iterations=N] [-seconds=S] [-seed=N] [-write-seeds=FOLDER] [FILE...]
// FILE: run that input once, to look at a failure. A failing input is left beside the program, in its name with .crash.bin.
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/random.hpp"

namespace tessera::fuzz {
namespace {

using Bytes = std::vector<u8>;
using test::Random;

constexpr u64 kMaxSize = 1 << 16;
constexpr u64 kInteresting[] = {
    0,      1,           7,           8,           0x7f,         0x80,         0xff,         0xfff,           0x1000,
    0xffff, 0x7fff'ffff, 0x8000'0000, 0xffff'ffff, u64{1} << 32, ~u64{0} >> 1, u64{1} << 63, ~u64{0} - 0xfff, ~u64{0}};

/// Overwrite 1, 2, 4 or 8 bytes with a number at which programs like to go wrong.
void plant_number(Random& random, Bytes& bytes) {
    const u64 size = u64{1} << random.below(4);
    if (bytes.size() < size) return;
    const u64 number = kInteresting[random.below(std::size(kInteresting))] + (random.one_in(3) ? random.below(3) : 0);
    u64 at = random.below(bytes.size() - size + 1);
    if (!random.one_in(3)) at -= at % size;
    std::memcpy(bytes.data() + at, &number, size);
}

/// Insert a piece of `other` (or of the input itself) anywhere.
void splice(Random& random, Bytes& bytes, const Bytes& other) {
    if (other.empty() || bytes.size() > kMaxSize) return;
    const u64 begin = random.below(other.size());
    const u64 length = random.between(1, std::min<u64>(other.size() - begin, 128));
    const Bytes piece(other.begin() + static_cast<long>(begin), other.begin() + static_cast<long>(begin + length));
    bytes.insert(bytes.begin() + static_cast<long>(random.below(bytes.size() + 1)), piece.begin(), piece.end());
}

void erase(Random& random, Bytes& bytes) {
    const u64 begin = random.below(bytes.size());
    const u64 length = random.between(1, std::min<u64>(bytes.size() - begin, 64));
    bytes.erase(bytes.begin() + static_cast<long>(begin), bytes.begin() + static_cast<long>(begin + length));
}

void mutate(Random& random, Bytes& bytes, const Bytes& other) {
    for (u64 steps = random.between(1, 6); steps > 0; --steps) {
        if (bytes.empty()) return splice(random, bytes, other);
        // Headers are at the front: half of the mutations go there.
        const u64 at = random.below(random.one_in(2) ? bytes.size() : std::min<u64>(bytes.size(), 256));
        switch (random.below(8)) {
            case 0:
            case 1:
                bytes[at] ^= static_cast<u8>(1 << random.below(8));
                break;
            case 2:
                bytes[at] = static_cast<u8>(random.next());
                break;
            case 3:
            case 4:
                plant_number(random, bytes);
                break;
            case 5:
                splice(random, bytes, random.one_in(2) ? other : Bytes(bytes));
                break;
            case 6:
                erase(random, bytes);
                break;
            default:
                if (random.one_in(4)) bytes.resize(at);
        }
    }
}

const Bytes* running = nullptr;
std::string crash_file;

/// On abort (ours, or a sanitizer's): leave the input behind.
void on_abort(int) {
    if (running)
        std::ofstream(crash_file, std::ios::binary)
            .write(reinterpret_cast<const char*>(running->data()), static_cast<long>(running->size()));
    std::fprintf(stderr, "failing input: %s\n", crash_file.c_str());
    std::_Exit(1);
}

void run(const Bytes& bytes) {
    running = &bytes;
    // A block of exactly this size: AddressSanitizer stops a read of one byte more.
    const auto copy = std::make_unique<u8[]>(bytes.size());
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    LLVMFuzzerTestOneInput(copy.get(), bytes.size());
    running = nullptr;
}

struct Options {
    u64 iterations = 100'000;
    u64 seconds = 0;
    u64 seed = 1;
    std::string seeds_folder;
    std::vector<std::string> files;
};

Options read_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const auto number = [&] { return std::stoull(word.substr(word.find('=') + 1)); };
        if (word.starts_with("-iterations="))
            options.iterations = number();
        else if (word.starts_with("-seconds="))
            options.seconds = number();
        else if (word.starts_with("-seed="))
            options.seed = number();
        else if (word.starts_with("-write-seeds="))
            options.seeds_folder = word.substr(word.find('=') + 1);
        else
            options.files.push_back(word);
    }
    return options;
}

u64 fuzz(const Options& options, const std::vector<Bytes>& good) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(options.seconds);
    Random random{options.seed};
    u64 done = 0;
    for (const Bytes& seed : good) run(seed);
    for (; options.seconds ? done % 256 != 0 || Clock::now() < end : done < options.iterations; ++done) {
        Bytes bytes = good[random.below(good.size())];
        mutate(random, bytes, good[random.below(good.size())]);
        run(bytes);
    }
    return done;
}

}  // namespace
}  // namespace tessera::fuzz

/// Lets AddressSanitizer and UBSan end in on_abort too.
extern "C" const char* __asan_default_options() { return "abort_on_error=1:handle_abort=0"; }
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:handle_abort=0:print_stacktrace=1"; }

int main(int count, char** words) {
    using namespace tessera;
    const fuzz::Options options = fuzz::read_options(count, words);
    fuzz::crash_file = std::string(words[0]) + ".crash.bin";
    std::signal(SIGABRT, fuzz::on_abort);
    const auto good = fuzz::seeds();

    if (!options.seeds_folder.empty()) {
        for (u64 i = 0; i < good.size(); ++i) {
            std::ofstream(options.seeds_folder + "/seed" + std::to_string(i), std::ios::binary)
                .write(reinterpret_cast<const char*>(good[i].data()), static_cast<long>(good[i].size()));
        }
        return 0;
    }
    for (const std::string& name : options.files) {
        std::ifstream file(name, std::ios::binary);
        fuzz::run(fuzz::Bytes(std::istreambuf_iterator<char>(file), {}));
    }
    if (!options.files.empty()) return 0;
    std::printf("%s: %llu inputs\n", words[0], static_cast<unsigned long long>(fuzz::fuzz(options, good)));
    return 0;
}
