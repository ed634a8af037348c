// A guest is no shield for what it is made of: kernel memory is asked back from a monitor that answers nothing, and the context
// that its guest is running in, and then the guest, are taken by force.
//
//   role=shield    runs a guest that loops, and answers nobody
//   role=asker     asks (with the option arbiter=1), and looks what came of it
#include "libos/transfer/board.hpp"
#include "tests/system/guest_machine.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kContextFrames = ContextSpec{{}, 128, 16, 32}.frames_needed();

int shield() {
    Memory memory;
    need(memory, 1);
    memory.bytes()[0] = 0xeb;
    memory.bytes()[1] = 0xfe;
    GuestContext context;
    expect("a context", make_context(context, ContextKind::deprivileged), Error::ok);
    TestGuest guest;
    expect("a guest", make_guest(guest, GuestForm::deprivileged), Error::ok);
    expect("load it", answer_to<GuestLoad>({guest.number, 0, address(context.grant.context)}), Error::ok);
    expect("its code", answer_to<Bind>({address(memory.capability), memory.frame, PageSpan::make(PageNumber{kCode}, 1, Right::read | Right::execute),
                                        address(context.grant.context), {}}), Error::ok);
    guest.state().rip = kCode << kPageShift;
    expect("say so", post("ready", boot().context).error(), Error::ok);
    Error answer = Error::ok;
    while ((answer = run(guest).error()) == Error::ok) {
    }
    expect("the guest has nothing to run in, or is no more", answer, Error::not_found);
    while (answer_to<GuestLoad>({guest.number, 0, {}}) == Error::ok) expect("wait for the rest", yield(), Error::ok);
    expect("no context", answer_to<ContextDestroy>({address(context.grant.context)}), Error::stale_capability);
    expect("no guest", answer_to<GuestDestroy>({guest.number}), Error::not_found);
    return verdict("shield");
}

int ask() {
    static_cast<void>(await_post("shield", "ready").value());
    const EnvId target = find_environment("shield");
    const u64 deadline = information().quantum;
    const RevocationSpec spec{RevocationKind::kernel_memory, 0, kAny, kContextFrames + 1, deadline, deadline};
    const auto number = call<Revoke>({address(boot().every_environment), target, address(spec)});
    expect("ask", number.error(), Error::ok);
    const auto* requests = reinterpret_cast<const volatile RevocationRequest*>(kInformation + kRequestTableOffset) + target.index() * kRequests;
    for (u64 row = 0; number.ok(); row = (row + 1) % kRequests) {
        if (requests[row].number == number.value() && requests[row].done_at != 0) {
            expect_true("all of it was taken", requests[row].taken == kContextFrames + kGuestFrames, requests[row].taken);
            break;
        }
        expect("let others run", yield(), Error::ok);
    }
    return verdict("asker");
}

}  // namespace

int libos_main() { return argument("role") == "shield" ? shield() : ask(); }
