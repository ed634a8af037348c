// Runs of the monitor's own pages whose bindings come back on a fault: tables, files of the boot loader, guest memory.
//
// A monitor has little that must be guaranteed and much that is large. Each such run is a Window; one fault policy asks
// them all.
#pragma once

#include "libos/core/upcalls.hpp"

namespace tessera::vmm {

/// For what resolves a fault: guaranteed, as the page that it binds may be the one that displaces its own.
#define TESSERA_RESOLVES_FAULTS gnu::section(".guaranteed.text.windows")

class Window {
  public:
    /// Addresses for `count` pages, starting at a multiple of `alignment` pages. From now on its faults come here.
    void open(u64 count, u64 alignment = 1);

    /// What is bound there must be gone, or go, with the frames behind it.
    void close();

    PageNumber first() const { return first_; }
    u64 count() const { return count_; }
    std::byte* memory() const { return reinterpret_cast<std::byte*>(address_of(first_).value); }

  protected:
    constexpr Window() = default;
    ~Window() = default;

    /// Bind page `index` for an access (bits of AccessKind, kPin). False: there is nothing. Runs in a handler: it may look
    /// at what lies in the image or in other windows, and change nothing. To be marked TESSERA_RESOLVES_FAULTS.
    virtual bool bind(u64 index, u64 access) = 0;

  private:
    friend bool bind_in_windows(VirtAddr address, u64 access);
    PageNumber first_{};
    u64 count_ = 0;
};

/// The fault policy: a window's page. Installed by the first window that is opened; a program with a policy of its own
/// calls this one for what it does not know.
bool bind_in_windows(VirtAddr address, u64 access);

/// A Bind for `Window::bind`: the capability may lie where it has to be bound first.
bool bind_frames(const Capability& capability, FrameNumber frame, PageSpan span);

/// One run of frames, as it is: tables, or a file.
class RunWindow final : public Window {
  public:
    /// `count` new frames, zero.  Errors: of frame_alloc.
    Outcome take(u64 count);
    /// Give back what was taken.  Errors: of frame_release.
    Outcome close();
    /// The frames of a capability, with those rights.
    void open_run(const Capability& capability, Rights rights);
    const Capability& capability() const { return capability_; }

  private:
    bool bind(u64 index, u64 access) override;

    Capability capability_;
    Rights rights_;
};

}  // namespace tessera::vmm
