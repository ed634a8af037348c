// The machine as the kernel sees it. Whatever names a privileged instruction, a device's register or a page table's
// memory is behind this, and nothing else is: guests/trapped answers with the bare machine, guests/paravirt with
// hypercalls, and all other source is shared.
//
// Calls of `machine::` go down; the functions of `small::` at the end are called from below.
#pragma once

#include "guests/small/trap_frame.hpp"
#include "guests/small/types.hpp"

namespace small {

struct BootInformation {
    const char* command_line;           ///< Ends with a zero; stays where it is.
    u64 memory_begin, memory_end;       ///< The run of memory that is the kernel's to use, page-aligned.
};

/// A transfer of one page. The layer sets `ok` and then `done`, from an interrupt.
struct BlockRequest {
    u64 sector;                         ///< Of 512 bytes.
    Frame frame;
    bool write;
    volatile bool done, ok;
};

namespace machine {

// ---- address spaces: four levels of x86 tables, made of the kernel's frames and read by it at any time -----------

using Entry = u64;
inline constexpr Entry kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 32, kDirty = 64, kLarge = 128;
inline constexpr Entry kOwnBit = Entry{1} << 9;           ///< Ignored by the CPU; copy on write, for the kernel.
inline constexpr Entry kNoExecute = Entry{1} << 63;
inline constexpr Entry kFrameMask = 0x000f'ffff'ffff'f000;

/// Make a zeroed frame the root of an address space that has the kernel in it.
void create_root(Frame root);
/// Nothing below `root` is a table any more; the kernel is about to free those frames. It must not be loaded.
void retire_root(Frame root);
/// Write one entry of a table. `page` is the address that it translates, or 0 for an entry that leads to a table.
/// The CPU is sure to see it after `commit`, the kernel to read it back only then.
void write_entry(Entry* entry, Entry value, u64 page);
void commit();
/// The CPU translates by `root`, or by the kernel's own tables if there is none.
void load_root(Frame root);

void zero_frame(Frame frame);
/// Nobody needs what is in these (kMaxHint at most); a monitor may use them meanwhile. Said when there is nothing else to do.
void hint_free(const Frame* frames, u64 count);
inline constexpr u64 kMaxHint = 64;

// ---- going to user mode and being interrupted --------------------------------------------------------------------

/// Where traps out of user mode find their stack.
void set_kernel_stack(u64 top);
/// Leave the kernel by this frame.
[[noreturn]] void enter_user(TrapFrame* frame);

/// Interrupts off; answers whether they were on.
bool mask_interrupts();
void unmask_interrupts();
/// Wait, with interrupts on, until there was one; they are off again afterwards. Called with interrupts off.
void idle();

// ---- time, console, disk, network, the end -----------------------------------------------------------------------

/// `on_tick` so many times a second (19 to 100000), or never for 0.
void set_timer(u32 hertz);
void put(char c);

/// Its size in sectors; 0 if there is no disk.
u64 block_sectors();
/// False if too many are under way. The request must stay where it is until it is done.
bool start_block(BlockRequest& request);

bool has_network();
const u8* network_address();
/// Send an Ethernet frame, copied. False if it cannot be sent now.
bool send_packet(const u8* data, u64 size);
/// The oldest packet that came, copied, cut at `capacity`; 0 if there is none.
u64 receive_packet(u8* data, u64 capacity);

/// One of the layer's own tests: does the machine do what the kernel relies on? False if there is no such test.
bool self_test(u64 index, const char*& name, bool& passed);
/// One of the layer's ways to misbehave. Returns only if it knows none by that name.
void misbehave(const char* command_line);

/// Stop for good. `good` is told to whoever listens.
[[noreturn]] void power_off(bool good);

}  // namespace machine

// ---- called from below -------------------------------------------------------------------------------------------

[[noreturn]] void kernel_main(const BootInformation& boot);
void on_system_call(TrapFrame& frame);                     ///< Interrupts on.
void on_page_fault(TrapFrame& frame, u64 address);         ///< This and all others: interrupts off.
void on_exception(TrapFrame& frame);
void on_tick();
void on_block_done(BlockRequest& request);
void on_packet();
void on_interrupt_end(TrapFrame& frame);                   ///< The interrupt was acknowledged.

}  // namespace small
