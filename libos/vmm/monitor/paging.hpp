// How a guest's addresses become the machine's: who answers the exits that are about translations.
#pragma once

#include "libos/vmm/monitor/guest_context.hpp"
#include "libos/vmm/monitor/guest_cpu.hpp"
#include "libos/vmm/monitor/memory.hpp"

namespace tessera::vmm {

enum class Handled {
    no,       ///< Not about translations.
    done,     ///< Go on in the guest.
    refused,  ///< The guest touched what is not there, or cannot be had: it ends. The state's info[1] is the guest-physical address.
    shut_down,  ///< A triple fault.
};

class Paging : public MemoryView {
  public:
    virtual Outcome open() = 0;
    virtual Outcome close() = 0;
    /// A virtual CPU of the machine: load it with what it will run in, and say what is to be intercepted.
    virtual Outcome attach(GuestCpu& cpu) = 0;
    /// The place that it runs in next.  Hot.
    virtual u64 place(GuestCpu& cpu) = 0;
    virtual Handled on_exit(GuestCpu& cpu, GuestExit exit) = 0;
    /// The guest writes EFER; the value has been checked.
    virtual void set_efer(GuestCpu& cpu, u64 value);
    /// Somebody else than the guest's CPU is about to write a guest frame, which may be one of its tables.
    virtual void note_write(u64) {}

  protected:
    ~Paging() = default;
};

/// The guest's memory as devices write it: where tables are watched, that a table is written is known.
class NotedMemory final : public GuestMemory {
  public:
    NotedMemory(Memory& memory, Paging& paging) : GuestMemory(memory.frames()), memory_(memory), paging_(paging) {}
    std::byte* page(u64 guest_frame, bool write) override {
        if (write) paging_.note_write(guest_frame);
        return memory_.page(guest_frame, write);
    }

  private:
    Memory& memory_;
    Paging& paging_;
};

/// Nested paging: the guest's tables are the CPU's business, and a context of the monitor's says where guest frames are.
class NestedPaging final : public Paging {
  public:
    explicit NestedPaging(Memory& memory) : memory_(memory) {}

    /// Errors: of GuestContext::open; unsupported: this CPU has no nested paging.
    Outcome open() override;
    Outcome close() override { return context_.close(); }

    Outcome attach(GuestCpu& cpu) override { return cpu.load(0, context_.capability()); }
    u64 place(GuestCpu&) override { return 0; }
    Handled on_exit(GuestCpu& cpu, GuestExit exit) override;
    void forget(u64 guest_frame, u64 count) override { unbind_frames({}, guest_frame, count, context_.capability()); }

    /// The guest finds `frame`, read-only, at a place where it has no memory.
    void add_page(u64 guest_frame, const Capability& frame) {
        constant_page_ = guest_frame;
        constant_frame_ = &frame;
    }

    u64 faults() const { return faults_; }

  private:
    Memory& memory_;
    GuestContext context_;
    u64 constant_page_ = 0;
    const Capability* constant_frame_ = nullptr;
    u64 faults_ = 0;
};

}  // namespace tessera::vmm
