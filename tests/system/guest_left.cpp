// A guest in the very frames where a guest of an environment was that has ended: what the CPU does not exchange for a guest,
// protection keys, is not found by it.
//
//   role=first     locks its keys and ends
//   role=second    waits for that
#include "libos/transfer/board.hpp"
#include "tests/system/guest_machine.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

/// Make a guest in the frames from `first` on and run it: which keys did it find locked?
u64 find_keys(TestGuest& guest, FrameNumber first = {kAny}) {
    Memory memory;
    need(memory, kGuestMemory);
    write_tables(memory);
    write_code(memory, kLockKeys);
    GuestContext context;
    expect("a context", make_context(context, ContextKind::nested), Error::ok);
    expect("its memory", answer_to<Bind>({address(memory.capability), memory.frame,
                                          PageSpan::make(PageNumber{0}, kGuestMemory, Right::read | Right::write | Right::execute),
                                          address(context.grant.context), {}}), Error::ok);
    expect("a guest", make_guest(guest, GuestForm::svm, first), Error::ok);
    expect("load it", answer_to<GuestLoad>({guest.number, 0, address(context.grant.context)}), Error::ok);
    set_long_mode(guest.state());
    guest.state().rbx = kAny;
    expect_exit("protection keys", guest, GuestExit::vmmcall);
    return guest.state().rbx;
}

}  // namespace

int libos_main() {
    expect_true("a CPU with protection keys", has_protection_keys());
    TestGuest guest;
    if (argument("role") == "first") {
        expect_true("no key is locked at first", find_keys(guest) == 0);
        expect("say where", post("guest", guest.grant.state).error(), Error::ok);
        static_cast<void>(await_post("second", "seen").value());
        return verdict("first");
    }
    const auto left = await_post("first", "guest");
    expect("said", post("seen", boot().context).error(), Error::ok);
    const EnvId first = find_environment("first");
    while (is_alive(first)) expect("wait for its end", yield(), Error::ok);
    const u64 found = find_keys(guest, FrameNumber{left.value().first});
    expect_true("nothing is left of a guest that was here before", found == 0, found);
    return verdict("second");
}
