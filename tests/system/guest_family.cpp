// A child that lives in its parent's memory, and a guest of the parent's that is loaded with a context of the child's: each stands in
// the other's memory. The child ends, its parent with it, and the kernel finds an order in which that can be done.
#include "tests/system/children.hpp"
#include "tests/system/guest_machine.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

alignas(4096) Child child;
GuestContext contexts[2];
volatile bool made, loaded;

/// A child has no upcalls: what it touches has been touched by its parent.
void make(GuestContext& context) { expect("a context", make_context(context, ContextKind::deprivileged), Error::ok); }

void leave(Child&) {
    make(contexts[1]);
    made = true;
    while (!loaded) static_cast<void>(enter_yield({}));
    exit(0);
}

}  // namespace

int libos_main() {
    make(contexts[0]);
    loaded = false;
    made = false;
    expect("a child", make_child(child, "child", leave, 0, contexts[0].memory.count), Error::ok);
    while (!made) expect("let it make its own", yield(child.id), Error::ok);
    TestGuest guest;
    expect("a guest", make_guest(guest, GuestForm::deprivileged), Error::ok);
    expect("load it", answer_to<GuestLoad>({guest.number, 0, address(contexts[1].grant.context)}), Error::ok);
    if (verdict("parent") != 0) return 1;
    loaded = true;
    for (;;) static_cast<void>(yield(child.id));
}
