#include "libos/core/companion.hpp"

#include "libos/core/pages.hpp"
#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/core/upcalls.hpp"

extern "C" {
void libos_companion_start();
void libos_companion_fault();
[[noreturn]] void libos_companion_main(tessera::libos::Companion* self);
void libos_companion_resolve(const tessera::SaveRecord* record);
}

namespace tessera::libos {
namespace {

constexpr u64 kUpcallPages = 4;

u64 seen(const u64& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
void tell(u64& word, u64 value) { __atomic_store_n(&word, value, __ATOMIC_RELEASE); }

VirtAddr entry(void (*function)()) { return VirtAddr{reinterpret_cast<u64>(function)}; }

}  // namespace

// The save area has to be a frame of the companion's own, so it makes it itself. Until then a page fault ends it: its stack is
// guaranteed, and so is the library.
Outcome Companion::open_upcalls() {
    TRY(call<FrameAlloc>({FrameNumber{kAny}, kUpcallPages, 1, address(upcall_frames_)}));
    const PageSpan span = PageSpan::make(upcall_pages_, kUpcallPages, Right::read | Right::write).with(SpanFlag::guaranteed);
    TRY(call<Bind>({address(upcall_frames_), FrameNumber{upcall_frames_.first}, span, {}, {}}));
    UpcallTable table{};
    table.save_area = address_of(upcall_pages_);
    table.entry[static_cast<u64>(UpcallKind::page_fault)] = entry(libos_companion_fault);
    TRY(call<UpcallSet>({address(table)}));
    return Done{};
}

void companion_main(Companion& self) {
    const bool good = self.open_upcalls().ok();
    tell(self.ready_, 1);
    if (good) self.function_(self.argument_);
    exit(good ? 0 : kFatalExit);
}

Outcome Companion::start(const char* name, u64 cpu, u64 slots, u64 frames, void (*function)(void*), void* argument) {
    if (slots > kMostSlots) return Error::bad_argument;
    const PageNumber stack = TRY(map_guaranteed(kStackPages, stack_));
    stack_top_ = address_of(stack + kStackPages).value;
    upcall_pages_ = reserve_pages(kUpcallPages);
    function_ = function;
    argument_ = argument;
    TRY(call<FrameAlloc>({FrameNumber{kAny}, kEnvFrames, 1, address(frames_)}));
    EnvSpec spec{address(boot().context), address(frames_), entry(libos_companion_start), address(*this).value, frames + kOwnFrames, {}};
    for (u64 i = 0; i + 1 < sizeof spec.name && name[i] != 0; ++i) spec.name[i] = name[i];
    id_ = TRY(call<EnvCreate>({address(spec), address(environment_)}));
    TRY(call<EnvPlace>({address(environment_), cpu}));
    for (slot_count_ = 0; slot_count_ < slots; ++slot_count_) {
        Capability& slot = slots_[slot_count_];
        const SlotNumber number = TRY(call<SlotTake>({cpu, SlotNumber{kAny}, 1, address(slot)}));
        TRY(call<SlotRun>({address(slot), number, 1, id_}));
    }
    for (const u64 begin = ticks(); seen(ready_) == 0;) {
        if (ticks() - begin > information().tsc_hz) return Error::asleep;
        static_cast<void>(call<Yield>());
    }
    return Done{};
}

bool Companion::is_running() const { return __atomic_load_n(&environment_info(id_).id, __ATOMIC_ACQUIRE) == id_.value; }

void Companion::join() {
    const WakeTerm gone{address(environment_info(id_)), ~u32{0}, id_.value, Comparison::not_equal, 1};
    while (is_running()) static_cast<void>(call<Wait>({address(gone), 1, ticks() + information().tsc_hz, 0}));
    for (u64 i = 0; i < slot_count_; ++i) static_cast<void>(call<SlotRelease>({address(slots_[i]), SlotNumber{slots_[i].first}, 1}));
    slot_count_ = 0;
}

}  // namespace tessera::libos

void libos_companion_main(tessera::libos::Companion* self) {
    companion_main(*self);
    __builtin_unreachable();
}

void libos_companion_resolve(const tessera::SaveRecord* record) {
    using namespace tessera::libos;
    if (!resolve_once(tessera::VirtAddr{record->address}, record->error)) die_of(*record);
}
