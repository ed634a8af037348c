// What can be asked and said of all bindings of a frame, found by its back-map.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// How many of a frame's bindings sampling looks at. One with more is many people's, and taken for touched.
inline constexpr u64 kSampledBindings = 32;

/// Was the frame touched since it was sampled last, through any binding? Clears what says so, so that the next touch tells
/// again. `large`: through a 2 MiB binding that begins at this frame.
bool sample_bindings(FrameNumber frame, bool large);

/// The kernel has written the frame itself: its bindings say so, as if a libOS had.
void note_written(FrameNumber frame);

}  // namespace tessera::kernel
