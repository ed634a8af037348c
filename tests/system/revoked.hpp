// What programs share that are asked for units, or ask: the published table of requests, and a table of upcalls with a
// repossession vector.
#pragma once

#include "exokernel/abi/revocation.hpp"
#include "tests/system/attack.hpp"

namespace tessera::attack {

/// Row `index` of the published table.
inline const RevocationRequest& request_at(u64 index) {
    return reinterpret_cast<const RevocationRequest*>(kInformation + kRequestTableOffset)[index];
}
/// The row of the request with that number at an environment; nullptr: it has been used for another.
inline const RevocationRequest* find_request(EnvId target, u64 number) {
    for (u64 i = 0; i < kRequests; ++i)
        if (const auto& row = request_at(target.index() * kRequests + i); row.number == number) return &row;
    return nullptr;
}
inline bool is_done(const RevocationRequest& row) {
    return *static_cast<const volatile RequestState*>(&row.state) > RequestState::told;
}

/// The library's upcall entries, as far as they are `wanted` (bit: UpcallKind), with a repossession vector at its page.
/// The handlers are set first: libos_handlers.
inline Error set_upcalls(UpcallTable& table, VirtAddr vector, u64 wanted = ~u64{0}) {
    constexpr void (*kEntries[kUpcallKinds])() = {libos_upcall_page_fault, libos_upcall_exception, libos_upcall_slice_begin,
                                                  libos_upcall_slice_end,  libos_upcall_unknown_syscall, libos_upcall_revoke,
                                                  libos_upcall_repossessed};
    table.save_area = address(libos_save_area);
    table.vector = vector;
    for (u64 i = 0; i < kUpcallKinds; ++i)
        table.entry[i] = VirtAddr{libos_handlers[i] != nullptr && (wanted >> i & 1) ? reinterpret_cast<u64>(kEntries[i]) : 0};
    return answer_to<UpcallSet>({address(table)});
}

/// A handler that may be any function, in the library's table.
template <UpcallKind kind, Handler handler>
void handle() {
    libos_handlers[static_cast<u64>(kind)] = keep_everything<handler>;
}

}  // namespace tessera::attack
