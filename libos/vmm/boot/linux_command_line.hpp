// What Linux must be told so that it runs on the small platform: a PC of the time before ACPI, which it would otherwise look
// for longer than it takes to boot. Each word was found necessary, or worth its place, by leaving it out; the monitor adds
// `tsc_early_khz=N`, which only it can know, and whoever starts the guest adds what the guest is to do
// (guests/linux/userland/init). Source: Linux Documentation/admin-guide/kernel-parameters.txt.
//
// guests/linux/words.py reads the words from here, for those who boot the same kernel with them on QEMU alone.
#pragma once

#include <string_view>

namespace tessera::vmm {

/// For a guest with one CPU: timer, serial port and disks interrupt through the 8259 pair.
inline constexpr std::string_view kLinuxCommandLine =
    "console=ttyS0 "       // the 16550; nothing is drawn anywhere
    "acpi=off "            // no tables to look for
    "nolapic "             // no local APIC: the 8254 is the timer
    "tsc=reliable "        // the time stamp counter is good: without this a watchdog suspects it whenever the guest was not running
    "reboot=t "            // end by a triple fault: one exit. The keyboard controller's way takes thousands
    "panic=-1 "            // and so does a panic, at once
    "nopti "               // an unknown CPU vendor would mean a second set of page tables against a fault that is not here
    "cryptomgr.notests "   // self-tests of ciphers that nobody uses are half of all instructions of a boot
    "quiet";               // a character is two exits

/// For a guest with several: they interrupt each other, and time themselves, through x2APICs; devices as above.
inline constexpr std::string_view kLinuxCommandLineSmp =
    "console=ttyS0 acpi=off tsc=reliable reboot=t panic=-1 nopti cryptomgr.notests quiet";

}  // namespace tessera::vmm
