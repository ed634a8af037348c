// Tests of code that whoever replaces instructions has to think of: it is reached by addresses that nobody followed, it reads itself, changes
// itself, overlaps itself.
#pragma once

namespace small::trapped {

bool made_return_to_new_page();
bool made_return_to_known_page();
bool roots_have_their_own_code();
bool code_changes_across_pages();
bool code_reads_itself();
bool code_writes_beside_itself();
bool code_changes_the_next_instruction();
bool code_overlaps_itself();
bool code_is_replaced();
bool memory_is_where_tables_say();

}  // namespace small::trapped
