// The machine around a sequence: tables, address spaces and registers as each finds them, and what is left of them afterwards.
#pragma once

#include "guests/differ/layout.hpp"

namespace differ {

/// Once: tables that never change.
void build_world();
/// Everything that a sequence can have changed is as at first, for sequence `seed`.
void reset_world(u64 seed);

/// Who is told what the machine's state is, word by word.
class Observer {
  public:
    virtual void word(const char* name, u64 value) = 0;

  protected:
    ~Observer() = default;
};
/// Selectors, tables, control, debug and model-specific registers, page table, descriptors, memory of the area. Through the instructions that show them.
void observe_world(Observer& observer);
u64 root_address(u64 index);
u64 frame_address(u64 index);
u64 table_address();

/// Where a sequence's code can be written: slot `index`.
u8* code_slot(u64 index);

}  // namespace differ
