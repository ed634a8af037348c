// The least that a program can do.

#include "guests/small/user/user.hpp"

namespace small {

u64 program_main() { return 7; }

}  // namespace small
