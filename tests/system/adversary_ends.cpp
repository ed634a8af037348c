// Programs that must be ended, or that end badly, or hold everything when they do. `how=` says which: one environment
// each, side by side. The scenario knows the reason that the kernel must give, and that nothing is lost.
#include "libos/transfer/board.hpp"
#include "tests/system/children.hpp"

using namespace tessera;
using namespace tessera::attack;

// Upcall entries that do not handle anything.
extern "C" {
void entry_that_faults();
void entry_that_breaks();
void entry_that_looks();
void entry_that_goes_on();
}
asm(R"(
    .section .guaranteed.text.entries, "ax"
    .globl entry_that_faults, entry_that_breaks, entry_that_looks, entry_that_goes_on
entry_that_faults:                          # never resumes: faults again
    mov 0x7ead0000, %rax
entry_that_breaks:
    int3
entry_that_looks:                           # touches its save record
    mov (%rax), %rcx
    jmp entry_that_looks
entry_that_goes_on:                         # for slice_end: resumes at once, without yielding
    lea entry_stack + 4096, %rcx
    xchg %rcx, %rsp
    push $0x1b
    push %rcx
    push 8(%rax)
    push $0x23
    push (%rax)
    mov 64(%rax), %rdx
    mov 56(%rax), %rcx
    mov 48(%rax), %rax
    decl libos_save_area
    iretq
    .section .guaranteed.bss.entries, "aw", @nobits
    .balign 16
entry_stack:
    .skip 4096
    .text
)");

namespace {

constexpr u64 kLinks = 48;
alignas(4096) Child children[kLinks + 2];
volatile u64* const nowhere = reinterpret_cast<u64*>(0x7ead'0000);

[[gnu::section(".guaranteed.data.table")]] UpcallTable table;

/// All upcalls to one entry, or none.
void entries(void (*entry)(), bool with_slices = false) {
    table.save_area = address(libos_save_area);
    for (VirtAddr& one : table.entry) one = VirtAddr{reinterpret_cast<u64>(entry)};
    if (!with_slices) table.entry[2] = table.entry[3] = VirtAddr{};
    expect("set upcalls", answer_to<UpcallSet>({address(table)}), Error::ok);
}

int touch_nowhere() {
    *nowhere = 1;
    return 4;
}

int recursion() { return entries(entry_that_faults), touch_nowhere(); }
int breakpoints() {
    entries(entry_that_breaks);
    asm volatile("int3");
    return 4;
}
int records() {
    libos_save_area.depth = 0xffff'ffff;
    asm volatile("int3");
    return 4;
}
int save_unbound() {
    entries(entry_that_looks);
    const PageSpan span = PageSpan::make(page_of(address(libos_save_area)), 1);
    if (answer_to<Unbind>({span, {}}) != Error::ok) return 5;
    return touch_nowhere();
}
int no_entry() {
    entries(nullptr);
    asm volatile("ud2");
    return 4;
}
int no_fault_entry() { return entries(nullptr), touch_nowhere(); }
int wild_entry() {
    entries(reinterpret_cast<void (*)()>(0x7ead'1000));
    asm volatile("int3");
    return 4;
}
int no_code() {  // everything of the image unbound, handlers and this very page too
    raw_call(Unbind::number, {PageSpan::make(boot().image_page, boot().image_pages).bits, 0});
    return 4;
}
int no_frames() {  // everything of the image given back but the save area, which is refused
    const FrameNumber save = boot().image_frame + (page_of(address(libos_save_area)) - boot().image_page);
    const u64 capability = address(boot().image).value;
    if (raw_call(FrameRelease::number, {capability, save.value, 1}).error != Error::in_use) return 5;
    const FrameNumber behind = save + 1;
    raw_call(FrameRelease::number, {capability, behind.value, boot().image_frame + boot().image_pages - behind});
    return touch_nowhere();
}

int itself() {
    answer_to<EnvDestroy>({address(boot().environment)});
    return 4;
}
int stranded() {
    for (u64 i = 0; i < 8 && boot().slots[i].kind == ResourceKind::slots; ++i)
        expect("give the slot back", answer_to<SlotRelease>({address(boot().slots[i]), SlotNumber{boot().slots[i].first}, 1}), Error::ok);
    if (wrong != 0) return 5;
    spin();
}

/// Never yields, and tells the kernel that it would: overstays until it has paid for it.
int hog() {
    table.save_area = address(libos_save_area);
    if (!set_entry(UpcallKind::slice_end, entry_that_goes_on).ok()) return 5;
    const u64 begin = ticks(), limit = 400 * information().quantum;
    while (accounts().forced < 8 && ticks() - begin < limit) {
    }
    expect_true("was switched by force", accounts().forced >= 8, accounts().forced);
    expect_true("overstayed by the grace each time", accounts().excess >= 8 * information().grace, accounts().excess);
    while (accounts().debt != 0 && ticks() - begin < limit) {
    }
    expect_true("owes what it overstayed, or has paid", accounts().debt <= accounts().excess, accounts().debt);
    return verdict("hog");
}

void idle(Child& child) {
    for (;;) enter_yield(EnvId{child.argument});
}
void leave(Child&) { exit(0); }

/// Takes whatever there is, asks for more, and exits with all of it. Not before `behind=NAME` has ended, who makes environments too.
int greedy() {
    for (const EnvId other = find_environment(argument("behind")); other && is_alive(other);) yield();
    static ContextGrant grants[kMaxContexts];
    Capability frames;
    u64 contexts = 0, environments = 0, slots = 0;
    const ContextSpec shape{{}, 128, 16, 16};
    Error last = Error::ok;
    for (; last == Error::ok && contexts < kMaxContexts; ++contexts) {
        if ((last = answer_to<FrameAlloc>({FrameNumber{kAny}, shape.frames_needed(), 1, address(frames)})) != Error::ok) break;
        ContextSpec spec = shape;
        spec.frames = address(frames);
        last = answer_to<ContextCreate>({address(spec), address(grants[contexts])});
    }
    expect_true("contexts run out", last == Error::exhausted || last == Error::quota, static_cast<u64>(last));
    expect("half of them back", answer_to<ContextDestroy>({address(grants[0].context)}), Error::ok);
    for (last = Error::ok; last == Error::ok && environments < kMaxEnvironments; ++environments) {
        children[0].frames = {};
        last = make_child(children[0], "swarm", idle);
    }
    expect_true("environments run out", last == Error::exhausted || last == Error::quota, static_cast<u64>(last));
    while ((last = answer_to<SlotTake>({0, SlotNumber{kAny}, 1, address(frames)})) == Error::ok) ++slots;
    expect("slots run out", last, Error::exhausted);
    u64 count = 0;
    while ((last = answer_to<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(frames)})) == Error::ok) ++count;
    expect_true("frames run out", last == Error::quota || last == Error::exhausted, static_cast<u64>(last));
    expect_true("not one more than the quota", last == Error::exhausted || accounts().frames == accounts().frame_quota, accounts().frames);
    print(contexts, " contexts, ", environments, " environments, ", slots, " slots, ", count, " frames more\n");
    return verdict("greedy");
}

/// A child that lives in the memory of a parent that exits.
int orphan() {
    if (make_child(children[0], "orphan-child", idle, boot().self.value) != Error::ok) return 5;
    yield(children[0].id);
    return 0;
}

void kill_parent(Child&) {
    answer_to<EnvDestroy>({address(boot().environment)});
    exit(5);
}
int parricide() {
    if (make_child(children[0], "heir", kill_parent) != Error::ok) return 5;
    yield(children[0].id);
    return 4;
}

/// Each makes the next out of memory of its own: ending the first ends all, one inside the other.
void link(Child& child) {
    const u64 number = child.argument;
    if (number < kLinks) {
        const u64 left = accounts().frame_quota;  // the root's; what matters is that each passes on enough
        const u64 quota = (kLinks - number) * kEnvFrames;
        if (left == 0 || make_child(children[number + 1], "link", link, number + 1, quota) != Error::ok) exit(6);
        enter_yield(children[number + 1].id);
    }
    for (;;) enter_yield(boot().self);
}
int chain() {
    if (make_child(children[1], "link", link, 1, kLinks * kEnvFrames) != Error::ok) return 5;
    yield(children[1].id);
    u64 links = 0;
    for (u64 i = 1; i < kMaxEnvironments; ++i) {
        const EnvironmentInfo& info = environment_info(EnvId::make(i, 0));
        links += info.id != 0 && info.name[0] == 'l' && info.name[1] == 'i' && info.name[2] == 'n' && info.name[3] == 'k';
    }
    print("a chain of ", links, " links\n");
    return links == kLinks ? 0 : 7;
}

/// Parents, children and contexts, ended in every order.
void make_grandchild(Child& child) {
    const Error made = make_child(children[2], "grandchild", idle, boot().self.value, 30);
    child.argument = static_cast<u64>(made);
    enter_yield(boot().self);
    exit(0);
}
int family() {
    const u64 quota = accounts().frame_quota, frames = accounts().frames;
    expect("a child", make_child(children[0], "child", leave), Error::ok);
    expect("yield to it", answer_to<Yield>({children[0].id}), Error::ok);
    yield();
    while (environment_info(children[0].id).id == children[0].id.value) yield(children[0].id);
    expect("yield to the dead", answer_to<Yield>({children[0].id}), Error::not_found);
    expect("end the dead", answer_to<EnvDestroy>({address(children[0].environment)}), Error::stale_capability);
    expect_true("its frames came back", accounts().frames == frames, accounts().frames);
    children[0].frames = {};
    expect("a child with the bystander's name", make_child(children[0], "bystander", leave), Error::conflict);
    expect("a child with my name", make_child(children[0], boot().name, leave), Error::conflict);
    expect("a child too costly", make_child(children[0], "child", leave, 0, quota), Error::quota);
    expect("its frames back", answer_to<FrameRelease>({address(children[0].frames), FrameNumber{children[0].frames.first}, kEnvFrames}), Error::ok);
    children[0].frames = {};
    expect("a child", make_child(children[0], "child", idle, boot().self.value, 10), Error::ok);
    expect_true("gave quota away", accounts().frame_quota == quota - 10, accounts().frame_quota);
    expect("frames that a child stands in", answer_to<CapabilityCheck>({address(children[0].frames)}), Error::stale_capability);
    expect("end it", answer_to<EnvDestroy>({address(children[0].environment)}), Error::ok);
    expect("end it twice", answer_to<EnvDestroy>({address(children[0].environment)}), Error::stale_capability);
    expect_true("the quota came back", accounts().frame_quota == quota, accounts().frame_quota);

    // The grandchild's memory is mine: it survives my child, and what it was given comes back to me.
    Capability mine;
    expect("frames", answer_to<FrameAlloc>({FrameNumber{kAny}, kEnvFrames, 1, address(mine)}), Error::ok);
    children[2].frames = mine;
    children[0].frames = {};
    expect("a child", make_child(children[0], "child", make_grandchild, 99, 50), Error::ok);
    while (environment_info(children[0].id).yields == 0) yield(children[0].id);
    expect_true("a grandchild", children[0].argument == 0, children[0].argument);
    expect("end the child", answer_to<EnvDestroy>({address(children[0].environment)}), Error::ok);
    expect("the grandchild lives", answer_to<CapabilityCheck>({address(children[2].environment)}), Error::ok);
    expect("end the grandchild", answer_to<EnvDestroy>({address(children[2].environment)}), Error::ok);
    expect_true("all quota came back", accounts().frame_quota == quota, quota - accounts().frame_quota);

    // A context that somebody lives in.
    Memory pool;
    const ContextSpec shape{{}, 128, 16, 16};
    if (!take(pool, shape.frames_needed())) return 5;
    ContextSpec spec = shape;
    spec.frames = address(pool.capability);
    ContextGrant grant;
    expect("a context", answer_to<ContextCreate>({address(spec), address(grant)}), Error::ok);
    children[3].frames = {};
    expect("a child in it", make_child(children[3], "lodger", leave, 0, 0, address(grant.context)), Error::ok);
    expect("its context", answer_to<ContextDestroy>({address(grant.context)}), Error::in_use);
    expect("let it run where nothing is bound", answer_to<Yield>({children[3].id}), Error::ok);
    while (environment_info(children[3].id).id == children[3].id.value) yield(children[3].id);
    expect("its context, empty", answer_to<ContextDestroy>({address(grant.context)}), Error::ok);
    expect_true("all frames came back", accounts().frames == frames, accounts().frames);
    return verdict("family");
}

struct Way {
    std::string_view name;
    int (*function)();
};
constexpr Way kWays[] = {
    {"recursion", recursion}, {"breakpoints", breakpoints}, {"records", records}, {"save_unbound", save_unbound},
    {"no_entry", no_entry}, {"no_fault_entry", no_fault_entry}, {"wild_entry", wild_entry}, {"no_code", no_code},
    {"no_frames", no_frames}, {"itself", itself}, {"stranded", stranded}, {"hog", hog}, {"greedy", greedy},
    {"orphan", orphan}, {"parricide", parricide}, {"chain", chain}, {"family", family},
};

}  // namespace

int libos_main() {
    for (const Way& way : kWays)
        if (way.name == argument("how")) return way.function();
    print("how=? is none that I know\n");
    return 2;
}
