// System calls on guests. `guest_run` is in core/guest.cpp, as it comes with all registers.
#include "exokernel/arch/x86_64/svm.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/guest.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/syscalls.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

Result<Guest*> check_guest(const Environment& env, u64 number) {
    if (number >= kGuestsPerEnvironment || env.guests[number] == nullptr) return Error::not_found;
    return env.guests[number];
}

GuestGrant commit_grant(const Guest& guest) {
    const FrameNumber state = guest.memory.first, block = guest.memory.first + 1;
    return GuestGrant{mint_capability(ResourceKind::frames, Right::read | Right::write, state.value, 1, frames.info(state).grant),
                      mint_capability(ResourceKind::frames, Right::read, block.value, 1, frames.info(block).grant)};
}

}  // namespace

Result<u64> on_call(const GuestCreate::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    GuestSpec spec;
    TRY(copy_in(*env.context, spec, args.spec));
    if (spec.form > GuestForm::svm) return Error::bad_argument;
    if (spec.form == GuestForm::svm && !has_svm()) return Error::unsupported;
    const UserBytes out = TRY(check_out<GuestGrant>(*env.context, args.grant));
    const FrameRange memory = TRY(check_kernel_memory(env, spec.frames, kGuestFrames));
    for (u64 i = 0; i < memory.count; ++i)
        if (frames.info(memory.first + i).owner != env.id.value) return Error::denied;
    const u64 number = TRY(check_guest_slot(env));

    commit_guest(env, number, spec.form, memory);
    // The answer's page may have been one of the frames: then it is the kernel's now, and nobody can be told.
    if (const auto still = check_out<GuestGrant>(*env.context, args.grant); still.ok())
        commit_copy_out(out, commit_grant(*env.guests[number]));
    return number;
}

Outcome on_call(const GuestDestroy::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    TRY(check_guest(env, args.guest));

    destroy_guest(env, args.guest);
    return Done{};
}

Outcome on_call(const GuestLoad::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    Guest* guest = TRY(check_guest(env, args.guest));
    if (args.place >= kContextsPerGuest) return Error::bad_argument;
    Context* context = nullptr;
    if (args.context.value != 0) {
        context = TRY(check_named_context(env, args.context));
        if (!fits(guest->form, *context)) return Error::conflict;
    }

    commit_load(env, *guest, args.place, context);
    return Done{};
}

}  // namespace tessera::kernel
