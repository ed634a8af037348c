// One page fault, from the vector to the handler and back, and nothing behind it: for the golden trace. What happens
// is marked by null calls, so that the trace can be cut where it begins and ends.
//
//   how=upcall    the page was never bound: handler, bind, resume
//   how=refill    the page is bound, and the hardware side does not know it: one store in the kernel
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

[[gnu::section(".guaranteed.data.memory")]] Memory memory;

[[gnu::section(".guaranteed.text.policy"), gnu::target("general-regs-only")]] bool bind_it(VirtAddr address, u64) {
    const u64 page = page_of(address).value - memory.page.value;
    if (page >= memory.count) return false;
    const u64 span = PageSpan::make(page_of(address), 1, Right::read | Right::write).with(SpanFlag::dirty).bits;
    return raw_call(Bind::number, {reinterpret_cast<u64>(&memory.capability), (memory.frame + page).value, span, 0, 0}).error == Error::ok;
}

[[gnu::section(".guaranteed.text.touch"), gnu::noinline]] void touch(volatile u64* word) {
    raw_call(NullCall::number, {});
    *word = 1;
    raw_call(NullCall::number, {});
}

}  // namespace

int libos_main() {
    if (!take(memory, 2)) return 3;
    set_fault_policy(bind_it);
    touch(memory.words());  // the handler's own pages become known to the hardware
    volatile u64* word = memory.words() + kPageSize / 8;
    if (argument("how") == "refill") {
        *word = 2;
        // Written pages are not clean: the hardware side forgets this one, and asks again.
        if (answer_to<ClearBits>({PageSpan::make(memory.page, 2), 3, {}}) != Error::ok) return 4;
    }
    touch(word);
    raw_call(Exit::number, {*word == 1 ? u64{0} : u64{5}});
    return 6;
}
