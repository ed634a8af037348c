// The console: a serial port of its own, for the one environment that was given it at boot. Bytes as they are.
#include "exokernel/core/environment.hpp"
#include "exokernel/core/syscalls.hpp"
#include "exokernel/core/user_memory.hpp"
#include "exokernel/drivers/uart.hpp"

namespace tessera::kernel {
namespace {

Result<UserBytes> check_text(Environment& env, VirtAddr text, u64 length, bool write) {
    if (env.id != console_owner()) return Error::denied;
    if (length > ConsoleRead::kMaxCount) return Error::bad_argument;
    return check_user(*env.context, text, length, write, 1);
}

/// Call `each` with the address of each byte until it answers false; how many it took.
template <class Each>
u64 for_each_byte(const UserBytes& bytes, Each&& each) {
    u64 done = 0;
    for (u64 piece = 0; piece < 2; ++piece)
        for (u64 i = 0; i < bytes.size[piece]; ++i, ++done)
            if (!each(bytes.piece[piece][i])) return done;
    return done;
}

}  // namespace

Result<u64> on_call(const ConsoleRead::Args& args) {
    const UserBytes bytes = TRY(check_text(caller(), args.text, args.length, true));
    return for_each_byte(bytes, [](u8& byte) {
        const int got = com3.read();
        if (got >= 0) byte = static_cast<u8>(got);
        return got >= 0;
    });
}

Outcome on_call(const ConsoleWrite::Args& args) {
    const UserBytes bytes = TRY(check_text(caller(), args.text, args.length, false));
    for_each_byte(bytes, [](const u8& byte) {
        com3.write(*static_cast<const volatile u8*>(&byte));
        return true;
    });
    return Done{};
}

}  // namespace tessera::kernel
