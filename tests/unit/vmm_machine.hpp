// What the monitor's devices need around them, for tests and fuzzers: a guest's memory with holes, a log, a disk, a
// cable; and the guest's side of a virtqueue.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "libos/vmm/devices/disk.hpp"
#include "libos/vmm/devices/uart.hpp"
#include "libos/vmm/devices/virtio_balloon.hpp"
#include "libos/vmm/devices/virtio_net.hpp"
#include "libos/vmm/guest_log.hpp"
#include "libos/vmm/guest_memory.hpp"

namespace tessera::test {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return Bytes(begin, begin + text.size());
}
inline std::string text_of(std::span<const std::byte> bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

/// Each page is a block of its own, so that AddressSanitizer sees a step beyond it.
class TestMemory final : public vmm::GuestMemory {
  public:
    explicit TestMemory(u64 frames) : GuestMemory(frames), pages_(frames) {}
    std::byte* page(u64 guest_frame, bool write) override {
        if (guest_frame >= frames()) {
            ++outside;
            return nullptr;
        }
        if (holes.contains(guest_frame) || (write && read_only.contains(guest_frame))) return nullptr;
        auto& page = pages_[guest_frame];
        if (!page) page.reset(new (std::align_val_t{8}) std::byte[kPageSize]{});
        return page.get();
    }

    std::set<u64> holes, read_only;
    u64 outside = 0;  ///< How often somebody asked for a page that cannot be.

  private:
    struct Free {
        void operator()(std::byte* page) const { ::operator delete[](page, std::align_val_t{8}); }
    };
    std::vector<std::unique_ptr<std::byte[], Free>> pages_;
};

struct TestLog final : vmm::GuestLog {
    void note(const char* who, const char* what, u64) override { notes.push_back(std::string(who) + ": " + what); }
    std::vector<std::string> notes;
};

struct TestSink final : vmm::ByteSink {
    void put(std::span<const std::byte> bytes) override { text += text_of(bytes); }
    std::string text;
};

struct TestDisk final : vmm::Disk {
    explicit TestDisk(u64 sectors) : bytes(sectors * vmm::kSectorSize) {}
    u64 sectors() const override { return bytes.size() / vmm::kSectorSize; }
    bool writable() const override { return can_write; }
    bool read(u64 sector, std::span<std::byte> to) override {
        if (sector == bad_sector) return false;
        std::memcpy(to.data(), &bytes.at(sector * vmm::kSectorSize + to.size() - 1) - (to.size() - 1), to.size());
        return true;
    }
    bool write(u64 sector, std::span<const std::byte> from) override {
        if (sector == bad_sector) return false;
        std::memcpy(&bytes.at(sector * vmm::kSectorSize + from.size() - 1) - (from.size() - 1), from.data(),
                    from.size());
        return true;
    }
    bool flush() override { return ++flushes != 0; }

    Bytes bytes;
    bool can_write = true;
    u64 bad_sector = ~u64{0};
    u64 flushes = 0;
};

struct TestPort final : vmm::NetPort {
    void send(std::span<const std::byte> frame) override { sent.emplace_back(frame.begin(), frame.end()); }
    std::vector<Bytes> sent;
};

struct TestOwner final : vmm::BalloonOwner {
    void page_given(u64 guest_frame) override { given.insert(guest_frame); }
    void page_taken(u64 guest_frame) override { given.erase(guest_frame); }
    std::set<u64> given;
};

/// A buffer that a guest's driver puts on a queue.
struct Buffer {
    u64 address;
    u32 length;
    bool device_writes;
};

/// The guest's side of a virtqueue in `memory`, at frame `page` (virtio 1.1, 2.6).
class GuestQueue {
  public:
    GuestQueue(vmm::GuestMemory& memory, u32 page, u16 size) : memory_(memory), page_(page), size_(size) {}

    u32 page() const { return page_; }
    u64 table() const { return u64{page_} << kPageShift; }
    u64 available() const { return table() + u64{16} * size_; }
    u64 used() const { return (available() + 6 + u64{2} * size_ + kPageSize - 1) / kPageSize * kPageSize; }

    void descriptor(u64 table, u16 index, u64 address, u32 length, u16 flags, u16 next) {
        memory_.write(table + u64{16} * index, address);
        memory_.write(table + u64{16} * index + 8, length);
        memory_.write(table + u64{16} * index + 12, flags);
        memory_.write(table + u64{16} * index + 14, next);
    }
    /// A chain in consecutive descriptors from `first` on, offered.
    void offer(const std::vector<Buffer>& buffers, u16 first = 0) {
        for (u16 i = 0; i < buffers.size(); ++i) {
            const bool last = i + 1u == buffers.size();
            descriptor(table(), static_cast<u16>(first + i), buffers[i].address, buffers[i].length,
                       static_cast<u16>((last ? 0 : 1) | (buffers[i].device_writes ? 2 : 0)),
                       static_cast<u16>(first + i + 1));
        }
        offer_head(first);
    }
    void offer_head(u16 head) {
        memory_.write(available() + 4 + u64{2} * (offered_ % size_), head);
        memory_.write(available() + 2, ++offered_);
    }
    void set_offered(u16 index) { memory_.write(available() + 2, offered_ = index); }
    void suppress_interrupts(bool suppress) { memory_.write(available(), static_cast<u16>(suppress)); }

    u16 used_index() const { return memory_.read<u16>(used() + 2).value(); }
    u32 used_head(u16 index) const { return memory_.read<u32>(used() + 4 + u64{8} * (index % size_)).value(); }
    u32 used_length(u16 index) const { return memory_.read<u32>(used() + 8 + u64{8} * (index % size_)).value(); }

  private:
    vmm::GuestMemory& memory_;
    u32 page_;
    u16 size_;
    u16 offered_ = 0;
};

}  // namespace tessera::test
