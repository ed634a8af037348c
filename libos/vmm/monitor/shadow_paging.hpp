// Shadow paging for a virtual CPU of SVM's, where the CPU has no nested paging: the guest's tables are watched, what they say is
// bound in contexts, and every access to the registers that translation depends on is an exit, made on a copy of them.
//
// The CPU itself always has paging, long mode and write protection on; what the guest wrote to CR0, CR3, CR4 and EFER
// is kept in GuestCpu. A guest without paging runs on identity bindings, as 32-bit code of long mode. Paging with 32-bit
// entries or three levels is refused. One virtual CPU: docs/shadow-paging.md says why.
#pragma once

#include "libos/vmm/monitor/paging.hpp"
#include "libos/vmm/monitor/shadow_contexts.hpp"
#include "libos/vmm/monitor/shadow_memory.hpp"
#include "libos/vmm/shadow/guest_space.hpp"

namespace tessera::vmm {

class ShadowPaging final : public Paging, private MachineEffects {
  public:
    ShadowPaging(Memory& memory, ShadowOptions options);

    /// Errors: of frame_alloc.
    Outcome open() override;
    Outcome close() override;

    Outcome attach(GuestCpu& cpu) override;
    u64 place(GuestCpu& cpu) override {
        if (!begun_) [[unlikely]]
            begin(cpu);
        return place_;
    }
    Handled on_exit(GuestCpu& cpu, GuestExit exit) override;
    void set_efer(GuestCpu& cpu, u64 value) override;
    void note_write(u64 guest_frame) override { shadow_.written(guest_frame); }
    void forget(u64 guest_frame, u64 count) override { contexts_.forget_frames(guest_frame, count); }

    const ShadowCounts& counts() const { return shadow_.counts(); }

  private:
    void begin(GuestCpu& cpu);
    void apply(GuestCpu& cpu);
    Handled load_root(GuestCpu& cpu);
    Handled on_page_fault(GuestCpu& cpu);
    bool switch_root(GuestCpu& cpu, Handled& made);
    Handled on_instruction(GuestCpu& cpu);
    static Handled reflect(GuestCpu& cpu, u64 address, u32 code);

    // ---- MachineEffects: of the instructions that come here only these are used
    void paging_changed(PagingChange) override { changed_ = true; }
    void page_invalidated(u64 address) override { shadow_.invalidate(address); }
    u32 port_read(u16, u32) override { return ~u32{0}; }
    void port_write(u16, u32, u32) override {}
    CpuidAnswer cpuid(u32, u32) override { return {}; }
    u64 time_stamp() override { return 0; }
    bool msr_read(u32, u64&) override { return false; }
    bool msr_write(u32, u64) override { return false; }

    Memory& memory_;
    ShadowMemory storage_;
    ShadowContexts contexts_;
    Shadow shadow_;
    GuestSpace space_;
    u64 place_ = kContextsPerGuest;  // none
    bool begun_ = false;
    bool changed_ = false;  // a register that translation depends on
};

}  // namespace tessera::vmm
