// One wire from a device to the interrupt controllers. It knows its level: who drives it as it is, disturbs nobody.
#pragma once

#include "libos/vmm/devices/pic.hpp"

namespace tessera::vmm {

class InterruptLine {
  public:
    constexpr InterruptLine(Pic& pic, u32 irq) : pic_(&pic), irq_(irq) {}
    void set(bool level) {
        if (level == level_) return;
        level_ = level;
        pic_->set_line(irq_, level);
    }
    u32 irq() const { return irq_; }

  private:
    Pic* pic_;
    u32 irq_;
    bool level_ = false;
};

}  // namespace tessera::vmm
