// Where a program begins, and what `print` needs of it.

#include "guests/small/user/user.hpp"

namespace small {

void print_text(const char* text, u64 size) { call(Call::write, address_of(text), size); }

void panic(const char* why) {
    print("panic: ", why, "\n");
    exit(1);
}

const char* command_line() {
    static char line[1024];
    if (line[0] == 0) call(Call::command_line, address_of(line), sizeof line);
    return line;
}

}  // namespace small

// Safety: the kernel enters with rsp at a page's end; the call that the ABI expects is made up for.
asm(".globl _start\n_start: xor %ebp, %ebp\n call small_begin");
extern "C" [[noreturn]] void small_begin() { small::exit(small::program_main()); }
