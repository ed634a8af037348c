// Guests through the bare calls: what a run does and says in either form, and what the kernel answers to a monitor that
// proposes nonsense.
#include "tests/system/guest_machine.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

Memory memory;
constexpr Rights kEverything = Right::read | Right::write | Right::execute;

void load_code(std::initializer_list<u8> bytes) { write_code(memory, bytes); }

Error bind_guest_page(const GuestContext& context, u64 page, u64 frame, u64 flags = 0) {
    return answer_to<Bind>({address(memory.capability), memory.frame + frame, PageSpan::make(PageNumber{page}, 1, kEverything, flags),
                            address(context.grant.context), {}});
}

/// out, cpuid, an absent page, vmmcall, hlt: one after the other.
void nested_form() {
    GuestContext context;
    if (const Error made = make_context(context, ContextKind::nested); made == Error::unsupported) {
        print("no nested paging here\n");
        return;
    } else {
        expect("a nested context", made, Error::ok);
    }
    TestGuest guest;
    expect("a guest", make_guest(guest, GuestForm::svm), Error::ok);
    expect("run without a context", run(guest).error(), Error::not_found);
    expect("load it", answer_to<GuestLoad>({guest.number, 0, address(context.grant.context)}), Error::ok);
    expect("no environment lives there", answer_to<ContextDestroy>({address(context.grant.context)}), Error::in_use);
    write_tables(memory);
    load_code({0xb0, 0x5a, 0xe6, 0x80, 0x0f, 0xa2, 0x48, 0x8b, 0x04, 0x25, 0x00, 0x50, 0x00, 0x00, 0x0f, 0x01, 0xd9, 0xf4, 0xeb, 0xfe});
    for (u64 page = 0; page < 5; ++page) expect("bind its memory", bind_guest_page(context, page, page), Error::ok);
    expect("behind all pages", answer_to<Bind>({address(memory.capability), memory.frame, PageSpan::make(PageNumber{kGuestPages - 1}, 2, kEverything),
                                                address(context.grant.context), {}}), Error::bad_argument);
    expect("supervisor in a nested table", bind_guest_page(context, 9, 0, static_cast<u64>(SpanFlag::supervisor)), Error::bad_argument);
    GuestState& state = guest.state();
    set_long_mode(state);
    state.rbx = 0x1234'5678'9abc'def0;
    // Refused at first for the event alone: what was proposed with it must be looked at again, whatever `changed` says then.
    state.event = GuestEvent::kValid | 5 << 8;
    expect("a first run with an event that is none", run(guest).error(), Error::bad_argument);
    state.event = state.changed = 0;
    expect_exit("out", guest, GuestExit::io);
    expect_true("port and direction", state.info[0] >> 16 == 0x80 && !(state.info[0] & 1), state.info[0]);
    expect_true("al", (state.rax & 0xff) == 0x5a, state.rax);
    expect_true("rbx", state.rbx == 0x1234'5678'9abc'def0, state.rbx);
    state.rip = state.info[1];
    expect_exit("cpuid", guest, GuestExit::cpuid);
    state.rip += 2;
    expect_exit("an absent page", guest, GuestExit::nested_fault);
    expect_true("which", state.info[1] == 0x5000, state.info[1]);
    memory.words()[5 * 512] = 0xfeed'f00d;
    expect("bind it", bind_guest_page(context, 5, 5), Error::ok);
    expect_exit("vmmcall", guest, GuestExit::vmmcall);
    expect_true("what was there", state.rax == 0xfeed'f00d, state.rax);
    state.rip += 3;
    expect_exit("hlt", guest, GuestExit::hlt);
    state.rip += 1;
    // It loops now: only a physical interrupt gets us out.
    const auto exit = run(guest);
    expect_true("interrupted", exit.ok() && exit.value() == static_cast<u64>(GuestExit::interrupted));
    // Taking a page away is felt at once.
    expect("unbind its code", answer_to<Unbind>({PageSpan::make(PageNumber{kCode}, 1), address(context.grant.context)}), Error::ok);
    expect_exit("no code", guest, GuestExit::nested_fault);
    expect("bind it again", bind_guest_page(context, kCode, kCode), Error::ok);
    // No way to take a fault: a triple fault.
    load_code({0x0f, 0x0b});
    state.rip = kCode << kPageShift;
    expect_exit("triple fault", guest, GuestExit::shutdown);
    // An interrupt for it: there is no gate for it either, but the window opens first.
    load_code({0xfb, 0x90, 0xeb, 0xfe});
    set_long_mode(state);
    state.wishes = static_cast<u64>(GuestWish::window);
    expect_exit("window", guest, GuestExit::interrupt_window);
    // One instruction more, says the manual (15.20); QEMU opens it at once.
    expect_true("behind sti", state.rip == (kCode << kPageShift) + 1 || state.rip == (kCode << kPageShift) + 2, state.rip);
    state.wishes = 0;

    // A software interrupt whose delivery misses in the tables, though all is bound: it is executed again, and returns behind
    // itself.
    load_code({0xcd, 0x80, 0xf4});
    u8* const handler = memory.bytes() + (kCode << kPageShift) + 0x100;
    handler[0] = 0x0f, handler[1] = 0x01, handler[2] = 0xd9;
    set_long_mode(state);
    constexpr u64 kDescriptors = 5;
    const u64 target = (kCode << kPageShift) + 0x100;
    u64* const descriptors = memory.words() + kDescriptors * 512;
    descriptors[1] = 0x0020'9b00'0000'0000;  // the code segment
    u64* const gate = descriptors + 256;     // the interrupt table begins so that gate 128 is here
    gate[0] = (target & 0xffff) | u64{0x08} << 16 | u64{0x8e00} << 32 | (target >> 16 & 0xffff) << 48;
    gate[1] = target >> 32;
    state.gdtr = {0, 0, 0xff, kDescriptors << kPageShift};
    state.idtr = {0, 0, 0xfff, (kDescriptors << kPageShift) + 256 * 8 - 0x80 * 16};
    for (const u64 page : {kDescriptors, kData})
        expect("forget where it is", answer_to<ClearBits>({PageSpan::make(PageNumber{page}, 1), 3, address(context.grant.context)}), Error::ok);
    expect_exit("int 0x80", guest, GuestExit::vmmcall);
    const u64 pushed = *reinterpret_cast<u64*>(memory.bytes() + state.rsp);
    expect_true("it returns behind itself", pushed == (kCode << kPageShift) + 2, pushed);

    // What it proposes is refused by name, and nothing has changed.
    set_long_mode(state);
    struct Bad {
        const char* what;
        u64 GuestState::*member;
        u64 value;
    };
    for (const Bad& bad : {Bad{"cr0", &GuestState::cr0, u64{1} << 40}, Bad{"cr3", &GuestState::cr3, u64{1} << 52},
                           Bad{"cr4", &GuestState::cr4, u64{1} << 13}, Bad{"efer: svme", &GuestState::efer, 0x1500},
                           Bad{"cpl", &GuestState::cpl, 4}, Bad{"lstar", &GuestState::lstar, u64{1} << 47},
                           Bad{"kernel_gs_base", &GuestState::kernel_gs_base, u64{1} << 63},
                           Bad{"event: reserved type", &GuestState::event, GuestEvent::kValid | 5 << 8},
                           Bad{"event: reserved bits", &GuestState::event, GuestEvent::kValid | 1 << 20},
                           Bad{"event: exception 2", &GuestState::event, GuestEvent::kValid | 3 << 8 | 2},
                           Bad{"event: not valid", &GuestState::event, 1}}) {
        const u64 good = state.*bad.member;
        state.*bad.member = bad.value;
        state.changed = kAllGuestParts;
        const auto answer = run(guest);
        expect(bad.what, answer.error(), Error::bad_argument);
        expect_true("and which", !answer.ok() && *reinterpret_cast<u64*>(reinterpret_cast<u8*>(&state) + answer.failure().detail) == bad.value);
        state.*bad.member = good;
    }
    state.gs.base = u64{1} << 60;
    expect("gs base", run(guest).error(), Error::bad_argument);
    state.gs.base = 0;
    state.cs.attributes = 0xffff;
    expect("attributes", run(guest).error(), Error::bad_argument);
    set_long_mode(state);
    load_code({0xf4});
    expect_exit("good again", guest, GuestExit::hlt);

    expect("destroy", answer_to<GuestDestroy>({guest.number}), Error::ok);
    expect("twice", answer_to<GuestDestroy>({guest.number}), Error::not_found);
    expect("its context", answer_to<ContextDestroy>({address(context.grant.context)}), Error::ok);
}

/// What the CPU does not exchange for a guest: its priority, which the control block keeps, and protection keys, which it does not.
void what_stays() {
    GuestContext context;
    if (make_context(context, ContextKind::nested) == Error::unsupported) return;
    for (u64 page = 0; page < 5; ++page) expect("bind its memory", bind_guest_page(context, page, page), Error::ok);
    write_tables(memory);
    TestGuest one, other;
    for (TestGuest* guest : {&one, &other}) {
        expect("a guest", make_guest(*guest, GuestForm::svm), Error::ok);
        expect("load it", answer_to<GuestLoad>({guest->number, 0, address(context.grant.context)}), Error::ok);
    }
    // mov $5, %eax; mov %rax, %cr8; cpuid; mov %cr8, %rax; hlt
    load_code({0xb8, 5, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc0, 0x0f, 0xa2, 0x44, 0x0f, 0x20, 0xc0, 0xf4});
    set_long_mode(one.state());
    expect_exit("its priority", one, GuestExit::cpuid);
    one.state().rip += 2;
    one.state().wishes = static_cast<u64>(GuestWish::window);
    expect_exit("and no interrupt", one, GuestExit::hlt);
    expect_true("is its own", one.state().rax == 5, one.state().rax);
    one.state().wishes = 0;

    load_code(kLockKeys);
    for (TestGuest* guest : {&one, &other, &one}) {
        if (!has_protection_keys()) break;
        set_long_mode(guest->state());
        guest->state().rbx = 1;
        expect_exit("protection keys", *guest, GuestExit::vmmcall);
        expect_true("are not another guest's", guest->state().rbx == 0, guest->state().rbx);
    }
    for (TestGuest* guest : {&one, &other}) expect("destroy", answer_to<GuestDestroy>({guest->number}), Error::ok);
    expect("its context", answer_to<ContextDestroy>({address(context.grant.context)}), Error::ok);
}

/// Shadow paging: what is bound for reading is not written, whatever the guest believes of its control registers.
void shadow_protection() {
    GuestContext context;
    if (const Error made = make_context(context, ContextKind::shadow); made == Error::unsupported) return;
    TestGuest guest;
    expect("a guest", make_guest(guest, GuestForm::svm), Error::ok);
    expect("load it", answer_to<GuestLoad>({guest.number, 0, address(context.grant.context)}), Error::ok);
    // mov (%rbx), %rax; mov %rax, (%rbx); hlt
    load_code({0x48, 0x8b, 0x03, 0x48, 0x89, 0x03, 0xf4});
    expect("bind its code", bind_guest_page(context, kCode, kCode), Error::ok);
    expect("bind a page for reading", answer_to<Bind>({address(memory.capability), memory.frame + 5, PageSpan::make(PageNumber{5}, 1, Right::read),
                                                       address(context.grant.context), {}}), Error::ok);
    GuestState& state = guest.state();
    set_long_mode(state);
    state.rbx = 0x5000;
    constexpr u64 kWriteProtect = 1 << 16, kNoExecute = 1 << 11;
    state.efer |= kNoExecute;
    state.cr0 &= ~kWriteProtect;
    const auto answer = run(guest);
    expect("without write protection", answer.error(), Error::bad_argument);
    expect_true("because of cr0", !answer.ok() && answer.failure().detail == offsetof(GuestState, cr0));
    state.cr0 |= kWriteProtect;
    state.changed = kAllGuestParts;
    expect_exit("a write", guest, GuestExit::exception, 14);
    expect_true("where it is not allowed", state.info[1] == 0x5000 && state.rip == (kCode << kPageShift) + 3, state.rip);
    expect("destroy", answer_to<GuestDestroy>({guest.number}), Error::ok);
    expect("its context", answer_to<ContextDestroy>({address(context.grant.context)}), Error::ok);
}

/// An exception whose delivery needs more of the context's tables than there are, and an instruction that does: each miss drops
/// what the one before put there. An event goes before any interrupt, and so does what is behind STI: neither may be tried again
/// without end.
void endless_misses() {
    ContextSpec spec{{}, 128, 16, 16, ContextKind::nested};
    Memory frames;
    if (!take(frames, spec.frames_needed())) exit(3);
    spec.frames = address(frames.capability);
    ContextGrant grant;
    if (answer_to<ContextCreate>({address(spec), address(grant)}) == Error::unsupported) return;
    TestGuest guest;
    expect("a guest", make_guest(guest, GuestForm::svm), Error::ok);
    expect("load it", answer_to<GuestLoad>({guest.number, 0, address(grant.context)}), Error::ok);
    // One page at each GiB of the guest's memory: its root, five tables of 1 GiB pages, and what they map.
    enum Part : u64 { kRoot, kFirstTable, kProgram = kFirstTable + 5, kGates, kSegments, kStack, kTask, kParts };
    constexpr u64 kGiB = u64{1} << 30;
    constexpr auto place = [](u64 part) { return (1 + part) * kGiB + part * kPageSize; };  // none displaces another in the S-TLB
    constexpr auto mapped = [](u64 part) { return (part - kProgram) << 39 | ((1 + part) * kGiB + part * kPageSize); };
    Memory parts;
    need(parts, kParts);
    const auto words = [&](u64 part) { return parts.words() + part * 512; };
    for (u64 part = 0; part < kParts; ++part)
        expect("bind", answer_to<Bind>({address(parts.capability), parts.frame + part, PageSpan::make(PageNumber{place(part) >> kPageShift}, 1, kEverything),
                                        address(grant.context), {}}), Error::ok);
    for (u64 i = 0; i < 5; ++i) {
        words(kRoot)[i] = place(kFirstTable + i) | 7;
        words(kFirstTable + i)[1 + kProgram + i] = (1 + kProgram + i) * kGiB | 0x87;
    }
    words(kProgram)[0] = 0x0b0f;  // ud2
    words(kGates)[2 * 6] = (mapped(kProgram) & 0xffff) | u64{0x08} << 16 | u64{0x8e01} << 32 | (mapped(kProgram) >> 16 & 0xffff) << 48;
    words(kGates)[2 * 6 + 1] = mapped(kProgram) >> 32;
    words(kSegments)[1] = 0x0020'9b00'0000'0000;
    const u64 top = mapped(kStack) + kPageSize;
    __builtin_memcpy(reinterpret_cast<u8*>(words(kTask)) + 36, &top, sizeof top);  // IST 1
    GuestState& state = guest.state();
    set_long_mode(state);
    state.cr3 = place(kRoot);
    state.rip = mapped(kProgram);
    state.rsp = top;
    state.gdtr = {0, 0, 0xff, mapped(kSegments)};
    state.idtr = {0, 0, 0xfff, mapped(kGates)};
    state.tr = {0x18, 0x8b, 0x67, mapped(kTask)};
    for (u64 i = 0; i < 3; ++i) {
        const auto exit = run(guest);
        expect_true("it comes back", exit.ok() && exit.value() == static_cast<u64>(GuestExit::interrupted), exit.ok() ? exit.value() : 0);
        expect_true("with what is to be delivered", (state.event & GuestEvent::kValid) && (state.event & 0xff) == 6, state.event);
    }
    words(kProgram)[1] = 0x1bff48;  // lcall *(%rbx): the pointer, the descriptor, the stack
    for (u64 i = 0; i < 3; ++i) {
        set_long_mode(state);
        state.cr3 = place(kRoot);
        state.rip = mapped(kProgram) + 8;
        state.rsp = top;
        state.rbx = mapped(kGates);
        state.gdtr = {0, 0, 0xff, mapped(kSegments)};
        state.wishes = static_cast<u64>(GuestWish::shadow);
        words(kGates)[0] = mapped(kProgram);
        words(kGates)[1] = 0x08;
        const u64 begin = ticks();
        const auto exit = run(guest);
        const u64 lasted = ticks() - begin;
        expect_true("it comes back", exit.ok() && exit.value() == static_cast<u64>(GuestExit::interrupted), exit.ok() ? exit.value() : 0);
        expect_true("where it was", state.rip == mapped(kProgram) + 8, state.rip);
        expect_true("and not because its slice was over", lasted < information().quantum / 4, lasted);
    }
    expect("destroy", answer_to<GuestDestroy>({guest.number}), Error::ok);
    expect("its context", answer_to<ContextDestroy>({address(grant.context)}), Error::ok);
}

/// What says where translations come from is the kernel's: every access to it is an exit, whatever was asked for.
void shadow_form() {
    GuestContext context;
    if (const Error made = make_context(context, ContextKind::shadow); made == Error::unsupported) {
        print("no SVM here\n");
        return;
    } else {
        expect("a shadow context", made, Error::ok);
    }
    TestGuest guest;
    expect("a guest", make_guest(guest, GuestForm::svm), Error::ok);
    expect("load it", answer_to<GuestLoad>({guest.number, 0, address(context.grant.context)}), Error::ok);
    // mov %cr3, %rax; mov %rax, %cr3; mov %rax, %cr4; mov (%rbx), %rax; vmmcall
    load_code({0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0x0f, 0x22, 0xe0, 0x48, 0x8b, 0x03, 0x0f, 0x01, 0xd9});
    GuestState& state = guest.state();
    set_long_mode(state);
    state.rbx = 0xffff'8000'0000'0000;  // where the kernel has all of memory, in its own contexts
    state.intercept_cr = state.intercept_exceptions = 0;
    constexpr u64 kPageFault = 14;
    constexpr u64 kSupervisor = static_cast<u64>(SpanFlag::supervisor);
    expect_exit("no code yet", guest, GuestExit::exception, kPageFault);
    expect("bind its code, for its kernel", bind_guest_page(context, kCode, kCode, kSupervisor), Error::ok);
    expect_exit("read cr3", guest, GuestExit::read_cr, 3);
    state.rip += 3;
    expect_exit("write cr3", guest, GuestExit::write_cr, 3);
    state.rip += 3;
    expect_exit("write cr4", guest, GuestExit::write_cr, 4);
    state.rip += 3;
    expect_exit("the kernel's half is not there", guest, GuestExit::exception, kPageFault);
    expect_true("which", state.info[1] == state.rbx && !(state.info[0] & 1), state.info[0]);
    memory.words()[5 * 512] = 0xfeed'f00d;
    const u64 page = state.rbx >> kPageShift & (kGuestPages - 1);
    expect("it is the guest's to use", bind_guest_page(context, page, 5, kSupervisor), Error::ok);
    expect_exit("vmmcall", guest, GuestExit::vmmcall);
    expect_true("what was there", state.rax == 0xfeed'f00d, state.rax);
    // Its user code may not reach what is its kernel's.
    state.rip = (kCode << kPageShift) + 9;
    state.cpl = 3;
    state.cs = {0x2b, 0xafb, ~u32{0}, 0};
    state.ss = {0x33, 0xcf3, ~u32{0}, 0};
    state.changed = static_cast<u64>(GuestPart::control) | static_cast<u64>(GuestPart::segments);
    expect_exit("its user code, in a page of its kernel's", guest, GuestExit::exception, kPageFault);
    expect_true("which", state.info[1] >> kPageShift == kCode && (state.info[0] & 4), state.info[0]);
    expect("its code, for all", bind_guest_page(context, kCode, kCode), Error::ok);
    expect_exit("its user code, at its kernel's page", guest, GuestExit::exception, kPageFault);
    expect_true("which", state.info[1] == state.rbx, state.info[1]);

    struct Bad {
        const char* what;
        u64 GuestState::*member;
        u64 value;
    };
    for (const Bad& bad : {Bad{"paging off", &GuestState::cr0, 0x0001'0033}, Bad{"no write protection", &GuestState::cr0, 0x8000'0033},
                           Bad{"no PAE", &GuestState::cr4, 0}, Bad{"no long mode", &GuestState::efer, 0}}) {
        set_long_mode(state);
        state.*bad.member = bad.value;
        const auto answer = run(guest);
        expect(bad.what, answer.error(), Error::bad_argument);
        expect_true("and which", !answer.ok() && *reinterpret_cast<u64*>(reinterpret_cast<u8*>(&state) + answer.failure().detail) == bad.value);
    }
    expect("destroy", answer_to<GuestDestroy>({guest.number}), Error::ok);
    expect("its context", answer_to<ContextDestroy>({address(context.grant.context)}), Error::ok);
}

/// Ring 3: code that loads, stores, traps and calls.
void deprivileged_form() {
    GuestContext context;
    expect("a context", make_context(context, ContextKind::deprivileged), Error::ok);
    TestGuest guest;
    expect("a guest", make_guest(guest, GuestForm::deprivileged), Error::ok);
    expect("load it", answer_to<GuestLoad>({guest.number, 0, address(context.grant.context)}), Error::ok);
    // mov $0x7, %eax; syscall; cli; mov 0x5000, %rbx; ud2; int3; jmp .
    load_code({0xb8, 7, 0, 0, 0, 0x0f, 0x05, 0xfa, 0x48, 0x8b, 0x1c, 0x25, 0x00, 0x50, 0x00, 0x00, 0x0f, 0x0b, 0xcc, 0xeb, 0xfe});
    GuestState& state = guest.state();
    state.rip = kCode << kPageShift;
    state.rsp = (kData + 1) << kPageShift;
    state.r12 = 0x1212;
    expect_exit("no code yet", guest, GuestExit::exception, 14);
    expect_true("a fetch, in ring 3", state.info[1] == kCode << kPageShift && (state.info[0] & 4), state.info[0]);
    expect("bind its code", bind_guest_page(context, kCode, kCode), Error::ok);
    expect_exit("syscall", guest, GuestExit::syscall);
    expect_true("rax", state.rax == 7, state.rax);
    expect_true("r12", state.r12 == 0x1212, state.r12);
    expect_true("behind it", state.rip == (kCode << kPageShift) + 7 && state.rcx == state.rip, state.rip);
    expect_exit("cli", guest, GuestExit::exception, 13);
    state.rip += 1;
    expect_exit("an absent page", guest, GuestExit::exception, 14);
    expect_true("which", state.info[1] == 0x5000, state.info[1]);
    memory.words()[5 * 512] = 0xfeed'f00d;
    expect("bind it", bind_guest_page(context, 5, 5), Error::ok);
    expect_exit("ud2", guest, GuestExit::exception, 6);
    expect_true("what was there", state.rbx == 0xfeed'f00d, state.rbx);
    state.rip += 2;
    expect_exit("int3", guest, GuestExit::exception, 3);
    const auto exit = run(guest);
    expect_true("interrupted", exit.ok() && exit.value() == static_cast<u64>(GuestExit::interrupted));
    // The information pages are the environment's, not the guest's; the kernel's half is nobody's.
    for (const u64 address : {kInformation, u64{0xffff'8000'0000'0000}}) {
        load_code({0x48, 0x8b, 0x03});  // mov (%rbx), %rax
        state.rip = kCode << kPageShift;
        state.rbx = address;
        expect_exit("out of its reach", guest, GuestExit::exception, 14);
        expect_true("which", state.info[1] == address, state.info[1]);
    }
    state.rip = u64{1} << 50;
    expect("a rip that is none", run(guest).error(), Error::bad_argument);
    // An FPU that is not to be used, and one that is: fninit; fldpi; ud2.
    load_code({0xdb, 0xe3, 0xd9, 0xeb, 0x0f, 0x0b});
    state.wishes = static_cast<u64>(GuestWish::no_fpu);
    for (u64 i = 0; i < 2; ++i) {
        state.rip = kCode << kPageShift;
        expect_exit("no FPU", guest, GuestExit::exception, 7);
        expect_true("at its first use", state.rip == kCode << kPageShift, state.rip);
        asm volatile("fninit");  // Safety: nobody else here computes; and the monitor itself has one
    }
    state.wishes = 0;
    expect_exit("an FPU", guest, GuestExit::exception, 6);
    state.rip = kCode << kPageShift;
    // Flags that are not a guest's to have do not stick.
    load_code({0x9c, 0x58, 0xcc});  // pushf; pop %rax; int3
    expect("bind a stack", bind_guest_page(context, kData, kData), Error::ok);
    state.rflags = ~u64{0} & ~u64{0x100};
    expect_exit("flags", guest, GuestExit::exception, 3);
    expect_true("IOPL 0, IF on, no NT", (state.rax & 0x7200) == 0x200, state.rax);
    state.rflags |= 0x100;
    load_code({0x90, 0x0f, 0x05});
    state.rip = kCode << kPageShift;
    expect_exit("a step", guest, GuestExit::exception, 1);
    expect_exit("a step over syscall", guest, GuestExit::syscall);
    state.rflags = 2;

    TestGuest other;
    if (make_guest(other, GuestForm::svm) == Error::ok) {
        expect("ring 3's context for svm", answer_to<GuestLoad>({other.number, 0, address(context.grant.context)}), Error::conflict);
        expect("destroy", answer_to<GuestDestroy>({other.number}), Error::ok);
    }
    expect("unload", answer_to<GuestLoad>({guest.number, 0, {}}), Error::ok);
    expect("nothing there", run(guest).error(), Error::not_found);
    expect("its context", answer_to<ContextDestroy>({address(context.grant.context)}), Error::ok);
    // What is left goes back with the environment.
}

/// Arguments that name nothing.
void wrong_names() {
    expect("no such guest", answer_to<GuestRun>({7, 0}), Error::not_found);
    expect("out of the table", answer_to<GuestRun>({kGuestsPerEnvironment, 0}), Error::not_found);
    expect("place", answer_to<GuestRun>({~u64{0}, ~u64{0}}), Error::not_found);
    expect("destroy", answer_to<GuestDestroy>({99}), Error::not_found);
    expect("load", answer_to<GuestLoad>({99, 0, {}}), Error::not_found);
    TestGuest guest;
    const GuestSpec bad_form{address(memory.capability), GuestForm{2}};
    expect("form", answer_to<GuestCreate>({address(bad_form), address(guest.grant)}), Error::bad_argument);
    const GuestSpec wrong_size{address(memory.capability), GuestForm::deprivileged};
    expect("frames", answer_to<GuestCreate>({address(wrong_size), address(guest.grant)}), Error::out_of_range);
    expect("a guest", make_guest(guest, GuestForm::deprivileged), Error::ok);
    expect("place", answer_to<GuestLoad>({guest.number, kContextsPerGuest, {}}), Error::bad_argument);
    expect("our own context", answer_to<GuestLoad>({guest.number, 0, address(boot().context)}), Error::conflict);
    expect("its state page back", answer_to<FrameRelease>({address(guest.grant.state), FrameNumber{guest.grant.state.first}, 1}), Error::denied);
    TestGuest more[kGuestsPerEnvironment];
    for (u64 i = 1; i < kGuestsPerEnvironment; ++i) expect("as many as there may be", make_guest(more[i], GuestForm::deprivileged), Error::ok);
    TestGuest too_many;
    expect("one more", make_guest(too_many, GuestForm::deprivileged), Error::exhausted);
    expect("its frames are still ours", answer_to<FrameRelease>({address(too_many.memory.capability), too_many.memory.frame, kGuestFrames}), Error::ok);
    for (u64 i = 1; i < kGuestsPerEnvironment; ++i) expect("destroy", answer_to<GuestDestroy>({more[i].number}), Error::ok);
    expect("its state page went with it",
           answer_to<Bind>({address(more[1].grant.state), FrameNumber{more[1].grant.state.first},
                            PageSpan::make(more[1].state_page, 1, Right::read), {}, {}}),
           Error::stale_capability);
    expect("destroy", answer_to<GuestDestroy>({guest.number}), Error::ok);
}

}  // namespace

int libos_main() {
    need(memory, kGuestMemory);
    wrong_names();
    deprivileged_form();
    shadow_form();
    what_stays();
    shadow_protection();
    nested_form();
    endless_misses();
    return verdict("guest calls");
}
