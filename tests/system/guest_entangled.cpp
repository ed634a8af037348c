// Monitors, each with a guest loaded with a context of another's. The first to end takes with it who is loaded with its own, who is
// loaded with theirs, and so on, and the kernel finds an order in which that can be done.
//
//   peer=NAME    whose context its guest is loaded with
//   leave=NAME   ends when that one is loaded too
#include "libos/transfer/board.hpp"
#include "tests/system/guest_machine.hpp"

using namespace tessera;
using namespace tessera::attack;

int libos_main() {
    GuestContext context;
    expect("a context", make_context(context, ContextKind::deprivileged), Error::ok);
    TestGuest guest;
    expect("a guest", make_guest(guest, GuestForm::deprivileged), Error::ok);
    expect("post the context", post("context", context.grant.context).error(), Error::ok);
    const auto posted = await_post(argument("peer"), "context");
    static Capability other;
    other = posted.value();
    expect("load the other's", answer_to<GuestLoad>({guest.number, 0, address(other)}), Error::ok);
    expect("and its own", answer_to<GuestLoad>({guest.number, 1, address(context.grant.context)}), Error::ok);
    expect("its own is in use", answer_to<ContextDestroy>({address(context.grant.context)}), Error::in_use);
    expect("say so", post("loaded", context.grant.context).error(), Error::ok);
    await_post(argument("peer"), "loaded").value();
    const int code = verdict("entangled");
    while (argument("leave").empty()) expect("wait for the end", yield(), Error::ok);
    static_cast<void>(await_post(argument("leave"), "loaded").value());
    return code;
}
