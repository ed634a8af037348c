// What a fuzz target is: LLVMFuzzerTestOneInput, as libFuzzer wants it, and inputs to start from.
// One source, two drivers: ours (driver.cpp: any compiler, same inputs on every run) and libFuzzer.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "exokernel/abi/types.hpp"

/// Take the input apart; abort when the parser breaks a promise.
extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size);

namespace tessera::fuzz {

/// Good inputs, made in code. Mutations of good inputs get past the first check; random bytes do not.
std::vector<std::vector<u8>> seeds();

/// `broken` is null, or the promise that the parser broke.
inline void expect_kept(const char* broken) {
    if (!broken) return;
    std::fprintf(stderr, "broken promise: %s\n", broken);
    std::abort();
}

}  // namespace tessera::fuzz
