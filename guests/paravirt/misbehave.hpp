// Ways to misbehave that have a file of their own.
#pragma once

#include "guests/small/ways.hpp"

namespace small {

/// Lies about lent pages, between honest pings to whoever answers at 10.0.2.2; at last it touches all that it was ever lent.
void lie_about_lent_pages(Random& random, u64 rounds);

}  // namespace small
