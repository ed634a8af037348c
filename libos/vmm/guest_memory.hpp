// Guest-physical memory, as devices and loaders see it: pages that may or may not be there.
//
// Every address here comes from a guest. No sum is made that could wrap; what is not there makes a copy fail, never the
// monitor. And the guest runs on other CPUs meanwhile: what is read is read once, into the monitor's own memory.
#pragma once

#include <optional>
#include <span>
#include <type_traits>

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

class GuestMemory {
  public:
    constexpr explicit GuestMemory(u64 frames) : frames_(frames) {}

    /// The 4096 bytes of a frame below frames(), to be read or, with `write`, written; null where there is nothing, or
    /// nothing that may be written. Good until the next call: the monitor may page, share and un-share.
    virtual std::byte* page(u64 guest_frame, bool write) = 0;

    /// Guest frames are 0 to frames() - 1; not all need to be there.
    u64 frames() const { return frames_; }
    /// Do `length` bytes from `address` on lie below the end? Says nothing about holes.
    bool contains(u64 address, u64 length) const {
        const u64 size = frames_ << kPageShift;
        return address <= size && length <= size - address;
    }

    /// Copy all of it, or answer false; a copy that fails may have done a part.
    bool copy_in(std::span<std::byte> to, u64 from);
    bool copy_out(u64 to, std::span<const std::byte> from);
    bool clear(u64 from, u64 length);

    template <class T>
    std::optional<T> read(u64 address) {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        if (!copy_in(std::as_writable_bytes(std::span(&value, 1)), address)) return std::nullopt;
        return value;
    }
    template <class T>
    bool write(u64 address, const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        return copy_out(address, std::as_bytes(std::span(&value, 1)));
    }

    /// One aligned 16-bit word that another CPU reads or writes as we do: acquire, and release.
    std::optional<u16> load(u64 address);
    bool store(u64 address, u16 value);

  protected:
    ~GuestMemory() = default;

  private:
    u64 frames_;
};

}  // namespace tessera::vmm
