#include "exokernel/core/guest.hpp"

#include "exokernel/arch/x86_64/control_block.hpp"
#include "exokernel/arch/x86_64/deprivileged.hpp"
#include "exokernel/arch/x86_64/fpu.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/revocation.hpp"

namespace tessera::kernel {

Result<Context*> find_place(const Guest& guest, u64 place) {
    if (place >= kContextsPerGuest || guest.contexts[place] == nullptr) return Error::not_found;
    return guest.contexts[place];
}

Result<u64> run_guest(Cpu& cpu, const GuestRun::Args& args, TrapFrame& frame) {
    const Environment& env = *cpu.env;
    if (args.guest >= kGuestsPerEnvironment || env.guests[args.guest] == nullptr) return Error::not_found;
    Guest& guest = *env.guests[args.guest];
    Context* const context = TRY(find_place(guest, args.place));
    // As with SVM (svm.cpp), but that the guest may want the trap.
    const bool live = cpu.attention & Cpu::kFpuLive;
    if (read_once(guest.state->wishes) & static_cast<u64>(GuestWish::no_fpu)) [[unlikely]] {
        if (live) fpu_close(cpu);
    } else if (!live) {
        fpu_enter(cpu);
    }
    return enter_deprivileged(cpu, guest, *context, frame);
}

Result<u64> check_guest_slot(const Environment& env) {
    for (u64 i = 0; i < kGuestsPerEnvironment; ++i)
        if (env.guests[i] == nullptr) return i;
    return Error::exhausted;
}

void commit_guest(Environment& env, u64 number, GuestForm form, FrameRange memory) {
    shoot_down(memory);
    on_charged(memory);
    frames.commit_recast(memory, FrameState::charged, 0, 0);
    zero_words(at(address_of(memory.first)), memory.count * kPageSize / 8);
    Guest& guest = *at<Guest>(address_of(memory.first + 2));
    guest.state = at<GuestState>(address_of(memory.first));
    guest.block = at<ControlBlock>(address_of(memory.first + 1));
    guest.form = form;
    guest.memory = memory;
    guest.fresh = true;
    if (form == GuestForm::svm) initialise_control_block(guest);
    for (u64 i = 0; i < kMaxCpus; ++i)
        if (cpu_at(i).left == &guest) cpu_at(i).left = nullptr;  // that was another one, in the same frames
    env.guests[number] = &guest;
}

void commit_load(Environment& env, Guest& guest, u64 place, Context* context) {
    if (context != nullptr) commit_residents(*context, *env.home, 1);
    if (Context* before = guest.contexts[place]) commit_residents(*before, *env.home, -1);
    guest.contexts[place] = context;
    guest.translated = nullptr;
}

namespace {

/// Call `each(guest, place)` for every place of the environment's guests that is loaded.
template <class Each>
void for_each_loaded(const Environment& env, Each&& each) {
    for (Guest* guest : env.guests)
        for (u64 place = 0; guest != nullptr && place < kContextsPerGuest; ++place)
            if (guest->contexts[place] != nullptr) each(*guest, place);
}

}  // namespace

void destroy_guest(Environment& env, u64 number) {
    Guest& guest = *env.guests[number];
    for (u64 place = 0; place < kContextsPerGuest; ++place) commit_load(env, guest, place, nullptr);
    env.guests[number] = nullptr;
    give_back(guest.memory);
}

bool fits(GuestForm form, const Context& context) {
    return form == GuestForm::svm ? is_guests_own(context.kind) : context.kind == ContextKind::deprivileged;
}

bool runs_guest_in(const Environment& env, EnvId owner) {
    bool found = false;
    for_each_loaded(env, [&](const Guest& guest, u64 place) {
        found |= frames.info(guest.contexts[place]->memory.first).owner == owner.value;
    });
    return found;
}

bool is_loaded(const Environment& env, const Guest& guest, const Context& context) {
    bool found = false;
    for_each_loaded(env, [&](const Guest& one, u64 place) { found |= &one == &guest && one.contexts[place] == &context; });
    return found;
}

void unload_everywhere(const Context& context) {
    for (Environment* env : environments)
        if (env != nullptr)
            for_each_loaded(*env, [&](Guest& guest, u64 place) {
                if (guest.contexts[place] == &context) commit_load(*env, guest, place, nullptr);
            });
}

void leave_guests(Environment& env) {
    for_each_loaded(env, [&](Guest& guest, u64 place) { commit_load(env, guest, place, nullptr); });
}

void move_guests(Environment& env, Cpu& from, Cpu& to) {
    for_each_loaded(env, [&](Guest& guest, u64 place) {
        commit_residents(*guest.contexts[place], to, 1);
        commit_residents(*guest.contexts[place], from, -1);
    });
}

}  // namespace tessera::kernel
