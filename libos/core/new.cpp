// new and delete for programs, on the heap that they opened. There are no exceptions: out of memory is the end.
#include <cstddef>
#include <new>

#include "libos/core/preemption.hpp"
#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/core/upcalls.hpp"
#include "libos/heap/heap.hpp"

namespace tessera::libos {
namespace {

constinit Heap program_heap;

void* allocate_or_end(std::size_t size, std::size_t alignment) {
    NoPreemption guard;
    if (void* memory = program_heap.allocate(size, alignment)) return memory;
    print("fatal: no ", size, " bytes in the heap, ", program_heap.used(), " in use\n");
    exit(kFatalExit);
}

void give_back(void* memory) {
    NoPreemption guard;
    program_heap.release(memory);
}

}  // namespace

Heap& heap() { return program_heap; }

}  // namespace tessera::libos

using tessera::libos::allocate_or_end;
using tessera::libos::give_back;

void* operator new(std::size_t size) { return allocate_or_end(size, 16); }
void* operator new[](std::size_t size) { return allocate_or_end(size, 16); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate_or_end(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate_or_end(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }

// What the compiler refers to where a virtual function has no body; never called.
extern "C" [[noreturn]] void __cxa_pure_virtual() { __builtin_trap(); }
