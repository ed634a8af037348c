// The kernel from its start to its first process, and what it does when the machine calls.
//
// The command line names a program of the image (test, bench, compute, answer), which becomes process 1, or one of
// the ways to misbehave that the machine's layer knows. When process 1 ends, the machine is switched off.

#include "guests/small/kernel.hpp"

#include <cstring>

#include "guests/small/calls.hpp"
#include "guests/small/frames.hpp"
#include "guests/small/machine.hpp"
#include "guests/small/print.hpp"
#include "guests/small/process.hpp"
#include "guests/small/program.hpp"
#include "guests/small/words.hpp"

namespace small {
namespace {

constexpr u64 kHertz = 100;
const char* line = "";
u64 ticks;
bool slice_over;

void kill_current(TrapFrame& frame, const char* why, u64 address) {
    if (!frame.from_user()) {
        print("small: exception ", frame.vector, " in the kernel: rip ", Hex{frame.rip}, " error ", Hex{frame.error},
              " address ", Hex{address}, "\n");
        panic(why);
    }
    end_current(kKilled + frame.vector);
}

}  // namespace

const char* command_line() { return line; }
u64 clock() { return ticks; }

void print_text(const char* text, u64 size) {
    Masked masked;  // Lines stay whole.
    for (u64 i = 0; i < size; ++i) machine::put(text[i]);
}

void panic(const char* why) {
    machine::mask_interrupts();
    print("small: panic: ", why, "\n");
    machine::power_off(false);
}

void kernel_main(const BootInformation& boot) {
    line = boot.command_line;
    start_frames(boot.memory_begin, boot.memory_end);
    print("small: ", free_frames(), " frames, ", machine::block_sectors(), " sectors, ",
          machine::has_network() ? "a network\n" : "no network\n");
    machine::misbehave(line);
    const char* rest = line;
    for (Word word; next_word(rest, word);) {
        char name[16]{};
        if (word.size >= sizeof name) continue;
        std::memcpy(name, word.begin, word.size);
        if (spawn(name, nullptr) == nullptr) continue;
        machine::set_timer(kHertz);
        run_processes();
    }
    panic("the command line names no program");
}

void on_page_fault(TrapFrame& frame, u64 address) {
    const PageFaultError error{frame.error};
    if (frame.from_user() && error.user() && current().space.touch(address, error.write(), error.fetch())) return;
    kill_current(frame, "a page that is not there", address);
}

void on_exception(TrapFrame& frame) { kill_current(frame, "an exception", 0); }

void on_tick() {
    ++ticks;
    slice_over = true;
    wake_sleepers(ticks);
}

void on_block_done(BlockRequest& request) { wake(&request); }

void on_packet() { wake(&kPacketCame); }

void on_interrupt_end(TrapFrame& frame) {
    if (!slice_over || !frame.from_user()) return;
    slice_over = false;
    schedule();
}

}  // namespace small
