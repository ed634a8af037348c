// A pipe: bytes in order from one environment to another, through shared memory; blocking at both ends.
//
//   page 0                        pages 1, 2, 4 or 8...
//   +-----------+----------------+---------------------------+
//   | RingWords |                | bytes: a power of two     |
//   +-----------+----------------+---------------------------+
//
// One of the two creates the memory and grants it to the other; both know how many pages it has. Zeroed memory is an empty
// pipe, and it is one pipe: an end is made once.
#pragma once

#include <bit>
#include <span>

#include "libos/ipc/ring.hpp"
#include "libos/ipc/shared_memory.hpp"
#include "libos/transfer/wait.hpp"

namespace tessera::libos {

/// How many bytes a pipe in `pages` pages holds: 0 is not enough pages.
constexpr u64 pipe_capacity(u64 pages) { return pages < 2 ? 0 : std::bit_floor(pages - 1) * kPageSize; }

class PipeWriter {
  public:
    /// The writing end, with `peer` at the other. `memory` has two pages at least.
    PipeWriter(SharedMemory& memory, EnvId peer)
        : memory_(memory), ring_(memory.at<RingWords>(0), pipe_capacity(memory.size() / kPageSize)), peer_(peer) {}

    /// Write all of `bytes`, sleeping while the pipe is full.
    /// Errors: ended (the reader has closed or ended, or the memory is gone), asleep (not by `deadline`, TSC; some may have
    /// been written), bad_argument (the peer breaks the rules).
    Outcome write(std::span<const u8> bytes, u64 deadline = kForever);
    /// As much as fits now; 0: full.
    Result<u64> try_write(std::span<const u8> bytes);
    /// Nothing more will come: the reader reads what is there, and then 0.
    void close() { ring_.close(); }

  private:
    SharedMemory& memory_;
    RingProducer ring_;
    EnvId peer_;
};

class PipeReader {
  public:
    PipeReader(SharedMemory& memory, EnvId peer)
        : memory_(memory), ring_(memory.at<RingWords>(0), pipe_capacity(memory.size() / kPageSize)), peer_(peer) {}

    /// Read what is there, at most what `to` holds, sleeping while there is nothing. 0: the writer has closed.
    /// Errors: as write.
    Result<u64> read(std::span<u8> to, u64 deadline = kForever);
    /// Read until `to` is full.  Errors: as read; ended also when the writer closes before.
    Outcome read_all(std::span<u8> to, u64 deadline = kForever);
    /// As much as there is now; 0: empty.
    Result<u64> try_read(std::span<u8> to);
    /// Nothing more will be read: the writer gets Error::ended.
    void close() { ring_.close(); }

  private:
    SharedMemory& memory_;
    RingConsumer ring_;
    EnvId peer_;
};

}  // namespace tessera::libos
