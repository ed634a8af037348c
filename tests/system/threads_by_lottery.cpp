// The example of threads, linked with another policy: nothing of what threads promise each other may hang on the order
// in which they run, and a lottery's is as good as none.
#include "libos/threads/policies/lottery.hpp"

#include "libos/examples/threads.cpp"

static constinit Lottery by_lottery;
constinit const Scheduling tessera::libos::scheduling = schedule_by<by_lottery>;
