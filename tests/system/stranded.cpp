// Programs that wait for what never comes: an event, a word, a call, an answer, a request for units that was met; and one
// that waits for the clock while all others sleep.
//
//   for=events|word|calls|answer|request|clock
#include "tests/system/messages.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

Error wait_for_word() {
    static u64 word = 1;
    static WakeTerm term;
    term = {address(word), kAny, 2, Comparison::equal, 1};
    return answer_to<Wait>({address(term), 1, 0, 0});
}

Error wait_for_answer() {
    const EnvId callee = environment_named("calls");
    expect("bind", bind_posted(callee, 0, 0), Error::ok);
    while (post_of(callee, 0).owner == callee.value && yield(callee) == Error::ok) {}
    Message message{};
    Lost lost;
    return message_call(TransferCall::number, 0, message, lost);
}

/// Asked, by itself, for a frame within a time that no test lasts, it gives one at once.
Error wait_behind_request() {
    Memory memory;
    expect_true("a frame", take(memory, 1));
    const u64 ever = information().tsc_hz * 1000;
    const RevocationSpec spec{RevocationKind::frames, 0, kAny, 1, ever, ever};
    expect("ask", answer_to<Revoke>({address(boot().environment), boot().self, address(spec)}), Error::ok);
    expect("give", answer_to<FrameRelease>({address(memory.capability), memory.frame, 1}), Error::ok);
    return answer_to<Wait>({{}, 0, 0, 1});
}

int sleep() {
    const u64 until = ticks() + 20 * information().quantum;
    const Error error = answer_to<Wait>({{}, 0, until, 0});
    const bool right = error == Error::ok && ticks() >= until && accounts().ticks < information().quantum;
    print("slept for ", accounts().slices, " slices\n");
    return right ? 0 : 1;
}

}  // namespace

/// Serves what it is called for by waiting for ever.
extern "C" [[gnu::used]] void message_served(u64, Sender, Message&, const Lost&) {
    print("returned: ", name_of(answer_to<Wait>({{}, 0, 0, 1})), "\n");
}

int libos_main() {
    const auto what = argument("for");
    if (what == "clock") return sleep();
    if (what == "calls") {
        expect("publish", publish(0, 0), Error::ok);
        message_wait();
    }
    const Error error = what == "events"    ? answer_to<Wait>({{}, 0, 0, 1})
                        : what == "word"    ? wait_for_word()
                        : what == "request" ? wait_behind_request()
                                            : wait_for_answer();
    print("returned: ", name_of(error), "\n");
    return 1;
}
