"""Debian's kernel from its entry to its first program, in a guest with nested paging, and bare on QEMU.

Both kernels are the same bytes with the same words, memory, file system and CPU, and do the same: QEMU's PC has what the small
PC has, and little besides. Time is the time stamp counter's, from the kernel's first instruction to the first program's: with
-icount it counts instructions, those of monitor and exokernel too. (The kernel's own clock is no measure: before it knows the
counter it counts timer interrupts, and those that come late are lost.) Of the guest's instructions the monitor's are measured
by the monitor, the exokernel's are what an exit costs it, measured by itself, times the exits. Leaves
build/results/linux_boot.json.
"""

import re
import struct
import subprocess
import sys
import tempfile

import results
import stepper

sys.path.insert(0, str(results.ROOT / "guests/linux"))

from tessera_run import machine  # noqa: E402
from words import command_line  # noqa: E402

IMAGE = results.ROOT / "build/guests/linux"
SCENARIO = "bench/system/linux_boot.toml"
PATHS = "bench/system/guest_paths.toml"
ROUNDS = 5  # Interleaved; the least of each counts, as the host has other work.
USERLAND = re.compile(r"guest: \S+, userland after [0-9.]+ s, ([0-9.]+) s of them idle, at tick ([0-9]+)")
# A word that the small PC makes unnecessary: QEMU's firmware speaks of a second CPU.
WORDS = "possible_cpus=1 role=idle duration=0"
# What the small PC has not, as far as QEMU's can be without: left are two functions on PCI (ISA bridge, IDE), DMA controllers,
# an I/O APIC that nobody uses, and the tables that its firmware leaves.
PC = "pc,acpi=off,hpet=off,i8042=off,smm=off,vmport=off,sata=off,usb=off"
# The CPU of libos/vmm/devices/cpuid.cpp.
CPU = ("qemu64,vendor=TesseraGuest,family=6,model=15,stepping=1,model-id=Tessera virtual CPU,level=1,xlevel=0x80000008,phys-bits=40,"
       "tcg-cpuid=off,-de,-mce,-mca,-apic,-sep,-mtrr,-pse36,-svm")


def userland_in(lines):
    """The counter when the guest's first program ran, and for how many seconds the kernel says that it was idle."""
    found = next(filter(None, map(USERLAND.search, lines)), None)
    if not found:
        raise results.Failed("the guest never came to its first program:\n" + "\n".join(lines[-20:]))
    return int(found[2]), float(found[1])


def in_a_guest(icount):
    """(ticks, idle seconds, the monitor's record, the runner's result)"""
    result = results.run(SCENARIO, f"machine.icount={str(icount).lower()}", stem=f"linux_boot_{'icount' if icount else 'wall'}")
    said = next(record for _, record in results.records(result) if "exits" in record)
    ticks, idle = userland_in(result["log"])
    return ticks - said["began"], idle, said, result


def entry_of(image):
    """Where QEMU enters a kernel: the address in the note that says so (PVH: owner "Xen", type 18)."""
    with image.open("rb") as file:
        header = file.read(64)
        table, size, count = struct.unpack_from("<Q", header, 32)[0], *struct.unpack_from("<HH", header, 54)
        file.seek(table)
        for kind, _, offset, _, _, length, *_ in struct.iter_unpack("<IIQQQQQQ", file.read(size * count)):
            if kind == 4:
                file.seek(offset)
                notes = file.read(length)
                at = 0
                while at < len(notes):
                    owner, payload, type_ = struct.unpack_from("<III", notes, at)
                    value = at + 12 + (owner + 3 & ~3)
                    if type_ == 18 and notes[at + 12:at + 15] == b"Xen":
                        return int.from_bytes(notes[value:value + payload], "little")
                    at = value + (payload + 3 & ~3)
    raise results.Failed(f"{image} does not say where it is entered")


def bare(icount, tsc_hz):
    """(ticks, idle seconds); told the frequency of the time stamp counter as a guest is."""
    words = f"{command_line('kLinuxCommandLine')} tsc_early_khz={tsc_hz // 1000} {WORDS}"
    command = [machine.QEMU, "-accel", "tcg", "-M", PC, "-cpu", CPU, "-m", "128", "-display", "none", "-nodefaults",
               "-no-user-config", "-no-reboot", "-serial", "stdio", "-kernel", str(IMAGE / "vmlinux"),
               "-initrd", str(IMAGE / "initrd"), "-append", words, *(["-icount", "shift=0,sleep=off"] if icount else [])]
    entry = entry_of(IMAGE / "vmlinux")
    with tempfile.TemporaryFile() as output:
        try:
            with stepper.started(command, output) as stepped:
                stepped.break_at(entry)
                stepped.go_on()
                stepped.do_not_break_at(entry)
                begin = stepped.tsc()
                stepped.go_on()  # to its end, which QEMU tells, or does not come to tell
        except ConnectionError:
            pass
        output.seek(0)
        ticks, idle = userland_in(output.read().decode("utf-8", "replace").splitlines())
    return ticks - begin, idle


def kernel_per_exit():
    """Instructions of the exokernel for an exit and the way back, the guest's own two included."""
    result = results.run(PATHS)
    return next(record["instructions"] for _, record in results.records(result) if record.get("path") == "guest_exit_svm")


def measure(icount):
    """Both ways, the least of all rounds, and how one is to the other."""
    rows, said = [], None
    for _ in range(1 if icount else ROUNDS):
        ticks, idle, said, result = in_a_guest(icount)
        alone, idle_alone = bare(icount, result["boot"]["tsc_hz"])
        hz = result["boot"]["tsc_hz"]
        rows.append({"guest": round(ticks / hz, 3), "bare": round(alone / hz, 3), "idle": idle, "bare_idle": idle_alone})
    guest, alone = (min(row[side] for row in rows) for side in ("guest", "bare"))
    return {"unit": "seconds of 1,000,000,000 instructions" if icount else "seconds", "guest": guest, "bare": alone,
            "guest_to_bare": round(guest / alone, 3), "rounds": rows, "exits": said}, result


def shares(measured):
    """Where the instructions of a guest's whole run went, in 10^9, and what is its own is to those of the boot, bare."""
    said, per_exit = measured["exits"], kernel_per_exit()
    kernel = said["exits"] * per_exit
    return {"monitor": round(said["monitor_ticks"] / 1e9, 3), "kernel": round(kernel / 1e9, 3), "kernel_per_exit": per_exit,
            "own": round((said["guest_ticks"] - kernel) / 1e9, 3)}


def main():
    digest = results.kernel_digest()
    wall, result = measure(False)
    instructions, _ = measure(True)
    instructions["shares"] = shares(instructions)
    results.write("linux_boot.json", {"machine": results.machine_of(result, digest), "wall": wall, "instructions": instructions})
    print("\n".join(results.report.table(
        [[name, one["guest"], one["bare"], one["guest_to_bare"], one["exits"]["exits"]]
         for name, one in (("wall, s", wall), ("instructions, 10^9", instructions))],
        ["Linux, entry to first program", "in a guest", "bare", "ratio", "exits"])))
    print("  of the guest's whole run, in 10^9 instructions: its own {own}, the monitor's {monitor}, the exokernel's {kernel} "
          "({kernel_per_exit} an exit)".format(**instructions["shares"]))
    return 0


if __name__ == "__main__":
    results.main(main)
