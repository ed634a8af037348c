// Answers whoever asks on the wire: `answer count=N` echo requests, then ends. The other side of a second guest's tests.

#include "guests/small/user/peer.hpp"

namespace small {

u64 program_main() {
    static Peer peer;
    if (!peer.open()) panic("no network");
    Word value;
    const u64 count = find_option(command_line(), "count", value) ? number_of(value, 1) : 1;
    print("small: answers\n");
    peer.serve(count);
    print("small: answered ", count, " requests\n");
    return 0;
}

}  // namespace small
