// Any bytes as a guest kernel's code, translated and rewritten; exits taken in any order, pages written to in between. The cache
// must stay inside of its memory, and the guest's state at an exit be the one that the instruction began with.
#include <algorithm>
#include <cstring>

#include "libos/vmm/instructions/rewrite.hpp"
#include "libos/vmm/instructions/translate.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/vmm_test_machine.hpp"

namespace tessera::fuzz {

namespace {

using vmm::test::TestMachine;
using vmm::test::TestMemory;

constexpr std::size_t kOrders = 32;  ///< The input's first bytes say what is done, the others are code.

struct Cache {
    vmm::TranslationPage page{};
    vmm::TranslationTables tables{};
    std::vector<u8> code = std::vector<u8>(0x4000);
    std::vector<vmm::Block> blocks = std::vector<vmm::Block>(32);
    std::vector<vmm::MapEntry> entries = std::vector<vmm::MapEntry>(400);
    std::vector<vmm::Exit> exits = std::vector<vmm::Exit>(64);
    std::vector<u32> index = std::vector<u32>(64);
    vmm::TranslationLayout layout;
    vmm::Translator translator;
    explicit Cache(u64 base) : layout{base}, translator({layout, &page, &tables, code, blocks, entries, exits, index}) {}
};

class Code final : public vmm::CodeMemory {
  public:
    explicit Code(TestMemory& memory) : memory_(memory) {}
    bool read(u64 address, u8* to, u64 length) override {
        vmm::Exception fault;
        return memory_.read(address, to, length, {}, fault);
    }
    u64 identity(u64 address) override { return address; }
    void patch(u64 address, u8 byte) override { memory_.put(address, byte); }

  private:
    TestMemory& memory_;
};

void translate(TestMachine& m, const u8* orders) {
    Cache cache(orders[0] & 1 ? 0x20'0000 : 0x7000'0000'0000);
    for (std::size_t i = 1; i < kOrders; ++i) {
        if (!m.cpu.is64() || m.cpu.cpl != 0) return;
        const vmm::Translator::Entry entry = orders[i] & 1 ? cache.translator.enter_once(m.machine) : cache.translator.enter(m.machine);
        if (!entry.good) return;
        expect_kept(cache.translator.contains(entry.address) ? nullptr : "an entry outside of the cache");
        const u64 guest = m.cpu.rip;
        // A jump alone is nothing but an exit, or chained the jump that stands for it: it is already where it goes.
        constexpr u8 kJump = 0xe9;
        const bool exits = cache.translator.stop(m.machine, entry.address) != nullptr;
        const bool jumps = exits || cache.code[entry.address - cache.layout.code()] == kJump;
        expect_kept(jumps || m.cpu.rip == guest ? nullptr : "a block does not begin where it was entered");
        // Out by the first exit behind the entry, as if everything before it had run.
        u64 offset = entry.address - cache.layout.code();
        vmm::Exit* exit = nullptr;
        for (; !exit && offset < cache.code.size(); ++offset) exit = cache.translator.stop(m.machine, cache.layout.code() + offset);
        if (!exit) return;  // every one behind it has been chained
        const vmm::Emulated emulated = cache.translator.take_exit(m.machine, *exit);
        if (emulated.ending != vmm::Ending::done) return;
        if (orders[i] & 2) cache.translator.invalidate(m.cpu.rip + (orders[i] & 4 ? kPageSize : 0));
        if (orders[i] & 8) m.memory.put<u8>(TestMachine::kCode + orders[i], orders[i]);
        if (orders[i] & 16) cache.translator.set_attention(orders[i] & 32);
    }
}

void rewrite(TestMachine& m) {
    std::vector<vmm::Site> sites(64);
    std::vector<vmm::ScannedPage> pages(4);
    vmm::Rewriter rewriter(sites, pages);
    Code code(m.memory);
    const std::vector<u8> before = m.memory.bytes;
    rewriter.scan(code, TestMachine::kCode);
    rewriter.scan(code, TestMachine::kCode + 7);
    for (u64 page = 0; page < TestMemory::kPages; ++page) rewriter.forget(code, TestMemory::kBase + page * kPageSize);
    expect_kept(m.memory.bytes == before ? nullptr : "a page was not put back as it was");
    expect_kept(rewriter.sites() == 0 ? nullptr : "a byte is still changed");
}

std::vector<u8> seed(u8 first, std::initializer_list<int> code) {
    std::vector<u8> out(kOrders);
    out[0] = first;
    for (const int byte : code) out.push_back(static_cast<u8>(byte));
    return out;
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    return {seed(0, {0x48, 0x8b, 0x05, 0x10, 0, 0, 0, 0x9c, 0x9d, 0xfa, 0xfb, 0x90, 0xe8, 2, 0, 0, 0, 0xeb, 0xfe, 0xc3, 0xff, 0xd0, 0x74, 0x02, 0xc3}),
            seed(1, {0xff, 0x25, 0, 0, 0, 0, 0xe2, 0xf0, 0x67, 0xe3, 0x02, 0xc5, 0xf9, 0x6f, 0x05, 0, 0, 0, 0, 0x0f, 0xa2, 0xcf, 0xc2, 8, 0, 0xff, 0x14, 0x24}),
            seed(1, {0xf0, 0x48, 0x0f, 0xb1, 0x0d, 4, 0, 0, 0, 0x81, 0x05, 4, 0, 0, 0, 1, 2, 3, 4, 0x62, 0xf1, 0x7c, 0x48, 0x28, 0x05, 0, 0, 0, 0, 0x0f, 0x84, 0, 0, 0, 0})};
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    using namespace tessera::fuzz;
    tessera::u8 orders[kOrders] = {};
    std::memcpy(orders, data, std::min(size, kOrders));
    tessera::vmm::test::TestMachine m;
    if (size > kOrders) std::memcpy(m.memory.bytes.data(), data + kOrders, std::min<std::size_t>(size - kOrders, 0x1000));
    rewrite(m);
    translate(m, orders);
    return 0;
}
