// Two virtual CPUs of one guest, each in a monitor of its own on a CPU of its own, over one context: what one monitor takes
// away, the other's guest has no translation of any more, though it was running at that moment; and a guest cannot
// outlive the memory that its context is made of.
//
//   role=owner    makes the context, lends it, and takes its pages away while the other runs in it
//   role=tenant   runs a guest in it that counts
//   leave=1       the owner ends without a word to the tenant
//   nested=0      shadow paging
#include "libos/transfer/board.hpp"
#include "tests/system/guest_machine.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr Rights kEverything = Right::read | Right::write | Right::execute;
constexpr const char *kContextPost = "guestctx", *kFaultPost = "faulted";
bool nested;

// lock incq 0x4000; cmpq $0, 0x4008; je back; vmmcall
constexpr u8 kCounting[] = {0xf0, 0x48, 0xff, 0x04, 0x25, 0x00, 0x40, 0x00, 0x00, 0x48, 0x83, 0x3c, 0x25, 0x08,
                            0x40, 0x00, 0x00, 0x00, 0x74, 0xec, 0x0f, 0x01, 0xd9};

int own() {
    Memory memory;
    need(memory, kGuestMemory);
    write_tables(memory);
    for (u64 i = 0; i < sizeof kCounting; ++i) memory.bytes()[(kCode << kPageShift) + i] = kCounting[i];
    volatile u64* const counter = &memory.words()[kData * 512];
    GuestContext context;
    expect("a context", make_context(context, nested ? ContextKind::nested : ContextKind::shadow), Error::ok);
    const VirtAddr named = address(context.grant.context);
    const auto bind = [&](u64 page) {
        return answer_to<Bind>({address(memory.capability), memory.frame + page, PageSpan::make(PageNumber{page}, 1, kEverything), named, {}});
    };
    for (u64 page = 0; page < kGuestMemory; ++page) expect("bind its memory", bind(page), Error::ok);
    expect("post the context", post(kContextPost, context.grant.context).error(), Error::ok);
    const EnvId tenant = find_environment("tenant");
    // What is the tenant's to do takes as long as its CPU is let run.
    const auto comes = [&](auto&& fact) {
        while (!fact() && is_alive(tenant)) expect("let others run", yield(), Error::ok);
        return fact();
    };
    const auto moves_on = [&] { return comes([&, from = *counter] { return *counter != from; }); };
    expect_true("it counts", moves_on());
    const u64 rounds = argument("rounds", 20);
    for (u64 round = 0; round < rounds; ++round) {
        expect("take the page away", answer_to<Unbind>({PageSpan::make(PageNumber{kData}, 1), named}), Error::ok);
        const u64 from = *counter;
        for (u64 i = 0; i < 20'000; ++i) asm volatile("pause");
        expect_true("it has stopped", *counter == from, *counter - from);
        expect_true("and its monitor knows", comes([&] { return find_post(tenant, kFaultPost).ok(); }));
        expect("give it back, read-only",
               answer_to<Bind>({address(memory.capability), memory.frame + kData, PageSpan::make(PageNumber{kData}, 1, Right::read | Right::execute), named, {}}), Error::ok);
        for (u64 i = 0; i < 20'000; ++i) asm volatile("pause");
        expect_true("it may not write", *counter == from, *counter - from);
        expect("and writable", bind(kData), Error::ok);
        expect_true("it counts again", moves_on());
    }
    if (argument("leave", 0)) return verdict("owner");
    counter[1] = 1;
    while (is_alive(tenant) && tenant) expect("wait for the end", yield(), Error::ok);
    expect("its context, when nobody is loaded with it", answer_to<ContextDestroy>({named}), Error::ok);
    return verdict("owner");
}

int rent() {
    const auto posted = await_post("owner", kContextPost);
    static Capability context;
    context = posted.value();
    TestGuest guest;
    expect("a guest", make_guest(guest, GuestForm::svm), Error::ok);
    expect("load it", answer_to<GuestLoad>({guest.number, 0, address(context)}), Error::ok);
    set_long_mode(guest.state());
    const u64 fault = nested ? static_cast<u64>(GuestExit::nested_fault) : static_cast<u64>(GuestExit::exception) + 14;
    u64 faults = 0, interrupts = 0;
    for (;;) {
        const auto exit = run(guest);
        expect("run", exit.error(), Error::ok);
        if (!exit) break;
        if (exit.value() == static_cast<u64>(GuestExit::vmmcall)) break;
        if (exit.value() == static_cast<u64>(GuestExit::interrupted)) {
            ++interrupts;
            continue;
        }
        expect_true("a fault, of that page", exit.value() == fault && guest.state().info[1] >> kPageShift == kData, exit.value());
        if (exit.value() != fault) break;
        if (++faults == 1) expect("say so", post(kFaultPost, boot().image).error(), Error::ok);
        expect("let others run", yield(), Error::ok);
    }
    print(faults, " faults, ", interrupts, " interrupts\n");
    expect_true("it was deprived of its page", faults != 0);
    return verdict("tenant");
}

}  // namespace

int libos_main() {
    nested = argument("nested", 1) != 0;
    return argument("role") == "owner" ? own() : rent();
}
