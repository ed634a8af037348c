// A paravirtual guest's surroundings for tests: memory, and effects that are only written down.
#pragma once

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libos/vmm/paravirt/guest.hpp"

namespace tessera::test {

namespace pv = vmm::paravirt;

class PlainMemory final : public vmm::GuestMemory {
  public:
    explicit PlainMemory(u64 frames) : GuestMemory(frames), bytes_(std::make_unique<std::byte[]>(frames * kPageSize + kPageSize)) {
        const auto address = reinterpret_cast<u64>(bytes_.get());
        first_ = bytes_.get() + (kPageSize - address % kPageSize) % kPageSize;
    }
    std::byte* page(u64 frame, bool) override { return frame < frames() && !absent.contains(frame) ? first_ + frame * kPageSize : nullptr; }
    u64* words(u64 frame) { return reinterpret_cast<u64*>(first_ + frame * kPageSize); }

    std::set<u64> absent;

  private:
    std::unique_ptr<std::byte[]> bytes_;
    std::byte* first_;
};

struct NotedEffects final : pv::GuestEffects {
    void table_made(u64 frame) override { tables.insert(frame); }
    void table_gone(u64 frame) override { tables.erase(frame); }
    void page_changed(u64 root, u64 page) override { changed.push_back({root, page}); }
    void tables_changed() override { ++tables_changed_count; }
    void root_gone(u64 frame) override { roots_gone.push_back(frame); }
    u64 nanoseconds() override { return ++time; }
    void set_timer(u64 period) override { timer = period; }
    bool start_ring(pv::RingKind kind, u64 frame) override { return rings.insert({static_cast<u64>(kind), frame}).second; }
    bool notify_ring(pv::RingKind) override { return ++notified, true; }
    void print(std::string_view text) override { printed += text; }
    bool zero_frame(u64 frame) override { return zeroed.push_back(frame), true; }
    void free_frame(u64 frame) override { freed.push_back(frame); }

    std::set<u64> tables;
    std::set<std::pair<u64, u64>> rings;
    std::vector<std::pair<u64, u64>> changed;  // Root and page.
    std::vector<u64> roots_gone, zeroed, freed;
    u64 tables_changed_count = 0, time = 0, timer = 0, notified = 0;
    std::string printed;
};

}  // namespace tessera::test
