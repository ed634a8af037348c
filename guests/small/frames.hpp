// Frames of memory, each with the number of page-table entries that use it (fork shares them until somebody writes).
// Frames that were never used are not even looked at: under a monitor, touching them would make it find memory.
#pragma once

#include "guests/small/types.hpp"

namespace small {

void start_frames(u64 memory_begin, u64 memory_end);

/// A frame with one user, all zero or with anything in it; no frame if memory is full.
Frame allocate_frame();
Frame allocate_zeroed_frame();

void share_frame(Frame frame);
void release_frame(Frame frame);
u64 users_of(Frame frame);

/// Frames that are not in use: the same before and after every process.
u64 free_frames();

/// Say of some that are not in use, and were not said to be so, that nobody needs them. False if there are none left
/// but a few for the next process.
bool give_hint();

}  // namespace small
