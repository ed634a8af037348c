// What goes over COM2: frames that a program's printing cannot forge.
//
//   'T' 'R' | type | environment index | length (16 bits, little endian) | Fletcher-16 of the payload | payload
//
// The payload is JSON text. What the kernel says of an environment comes in frames of the kernel's types;
// what a libOS says of itself comes as `libos` under its own index, which the kernel fills in.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera {

enum class RecordType : u8 {
    boot = 1,   ///< {"abi":..,"policy":..,"tlb_entries":..,"tsc_hz":..,"cpu":..,"boot_ticks":..}
    started,    ///< {"name":..,"env":..}
    ended,      ///< {"name":..,"env":..,"reason":..,"code":.., accounts}
    libos,      ///< Whatever the libOS says.
    trace,      ///< {"events":[...]}
    final,      ///< {"conserved":true,"free":..,"usable":..,...}: the last record; without it nothing passed.
};
inline constexpr u64 kRecordHeader = 8;
inline constexpr u64 kMaxRecord = 4096;

/// Values for isa-debug-exit; QEMU exits with (value << 1) | 1.
enum class ExitCode : u8 {
    done = 0x10,      ///< 33: every environment ended with exit code 0 and the books balance.
    failed = 0x11,    ///< 35: an environment ended badly. Whether that was expected is the scenario's to say.
    panic = 0x12,     ///< 37.
    refused = 0x13,   ///< 39: the machine or the command line is not one this kernel runs on.
};

}  // namespace tessera
