// System calls, for the kernel and its programs. Number in rax, arguments in rdi, rsi, rdx, r10; the answer comes in
// rax, negative for an error; rcx and r11 are lost (SDM vol. 2, SYSCALL).
#pragma once

#include "guests/small/types.hpp"

namespace small {

enum class Call : u64 {
    null,           ///< Nothing.
    write,          ///< text, size: on the console.
    exit,           ///< status
    process_id,
    fork,           ///< 0 in the child, its id in the parent; memory is copied on write.
    spawn,          ///< name, size: a new process from one of the programs in the image; its id.
    wait,           ///< address of a word for the status: a child that ended; its id.
    yield,
    map,            ///< pages: zeroed, readable and writable, made on first touch; their address.
    unmap,          ///< address, pages
    protect,        ///< address, pages, rights (kMayWrite, kMayExecute)
    block_sectors,
    block_read,     ///< sector, buffer: 4096 bytes
    block_write,    ///< sector, buffer
    send,           ///< packet, size
    receive,        ///< buffer, capacity, timer ticks to wait at most: size
    network_address,///< buffer of 6 bytes
    clock,          ///< Timer ticks so far.
    idle_time,      ///< Ticks of the time-stamp counter during which nobody was ready.
    set_timer,      ///< hertz
    command_line,   ///< buffer, capacity: its length
    machine_test,   ///< index, buffer for a name, capacity: 1 passed, 0 failed
    sleep,          ///< timer ticks
    free_frames,    ///< How many frames nobody uses.
    count
};

inline constexpr u64 kMayWrite = 1, kMayExecute = 2;
inline constexpr u64 kMaxPacket = 1514;

/// Errors.
inline constexpr i64 kBadArgument = -1, kNoMemory = -2, kNoSuch = -3, kTryAgain = -4, kFailed = -5;
/// A process that an exception ended has this plus the vector as its status.
inline constexpr u64 kKilled = 128;

}  // namespace small
