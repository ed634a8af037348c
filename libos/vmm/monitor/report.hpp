// What a guest's end looks like in the log: its state in words.
#pragma once

#include "libos/vmm/monitor/processor.hpp"
#include "libos/vmm/shadow/shadow.hpp"

namespace tessera::vmm {

/// Why the machine ended, what the virtual CPU was doing, its registers, where its memory stands, who called whom as far as
/// frame pointers say, and the last exits. About thirty lines.
void report(Processor& processor);

/// How many exits there were of each kind, and where the time went: a line, and a record named `what`.
void report_exits(const Processor& processor, const char* what);

/// What shadow paging did.
void report_shadow(const ShadowCounts& counts, const char* what);

}  // namespace tessera::vmm
