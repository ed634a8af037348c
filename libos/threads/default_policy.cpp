// What schedules threads unless the program says otherwise. In a file of its own: the compiler must not look through
// a weak definition.
#include "libos/threads/policies/round_robin.hpp"
#include "libos/threads/scheduling.hpp"

namespace tessera::libos {

static constinit RoundRobin by_slices;
extern const Scheduling scheduling [[gnu::weak]];
constinit const Scheduling scheduling = schedule_by<by_slices>;

}  // namespace tessera::libos
