"""Debian's kernel from its entry to the first line of its first program: in a guest with nested paging, and bare on QEMU.

Both kernels are the same bytes with the same words, memory and file system, and each tells the time by its own clock, which
begins with the kernel and goes on while a monitor works on its behalf. With -icount that clock counts instructions, the
monitor's too, and what is left until the next tick where a kernel waits with nothing to do: what each kernel says that it was
idle, to a hundredth of a second, is taken off (`busy`). What is left is not the same work on both sides: QEMU's PC has devices
that the guest's small PC has not, and the kernel looks for them and waits for some; so a ratio below 1 says that the monitor
costs less than they do, no more. Leaves build/results/linux_boot.json.
"""

import re
import subprocess
import sys

import results

sys.path.insert(0, str(results.ROOT / "guests/linux"))

from tessera_run import machine  # noqa: E402
from words import command_line  # noqa: E402

IMAGE = results.ROOT / "build/guests/linux"
SCENARIO = "bench/system/linux_boot.toml"
ROUNDS = 5  # Interleaved; the least of each counts, as the host has other work.
SECONDS = 600
USERLAND = re.compile(r"guest: \S+, userland after ([0-9.]+) s, ([0-9.]+) s of them idle")


def time_in(lines):
    """Seconds by the guest's clock until its first program printed, and how many of them it was idle."""
    found = next(filter(None, map(USERLAND.search, lines)), None)
    if not found:
        raise results.Failed("the guest never came to its first program:\n" + "\n".join(lines[-20:]))
    return float(found[1]), float(found[2])


def in_a_guest(icount):
    """((seconds, idle), the runner's result)"""
    result = results.run(SCENARIO, f"machine.icount={str(icount).lower()}", stem=f"linux_boot_{'icount' if icount else 'wall'}")
    return time_in(result["log"]), result


def bare(icount, tsc_hz):
    """(seconds, idle); told the frequency of the time stamp counter as a guest is."""
    words = f"{command_line('kLinuxCommandLine')} tsc_early_khz={tsc_hz // 1000} role=idle duration=0"
    command = [machine.QEMU, "-accel", "tcg", "-M", "pc", "-cpu", "qemu64", "-m", "128", "-display", "none", "-nodefaults",
               "-no-user-config", "-no-reboot", "-serial", "stdio", "-kernel", str(IMAGE / "vmlinux"),
               "-initrd", str(IMAGE / "initrd"), "-append", words, *(["-icount", "shift=0,sleep=off"] if icount else [])]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS,
                              check=False)
    except subprocess.TimeoutExpired:
        raise results.Failed("the guest bare on QEMU never ended") from None
    return time_in(done.stdout.splitlines())


def measure(icount):
    """Both ways, the least of all rounds, and how one is to the other."""
    rows = []
    for _ in range(1 if icount else ROUNDS):
        guest, result = in_a_guest(icount)
        rows.append((guest, bare(icount, result["boot"]["tsc_hz"])))
    guest, alone = (min(seconds for seconds, _ in column) for column in zip(*rows))
    busy, busy_alone = (round(min(seconds - idle for seconds, idle in column), 2) for column in zip(*rows))
    said = next(record for _, record in results.records(result) if "exits" in record)
    return {"unit": "seconds of 1,000,000,000 instructions" if icount else "seconds", "guest": guest, "bare": alone,
            "guest_to_bare": round(guest / alone, 2), "busy": busy, "bare_busy": busy_alone,
            "busy_guest_to_bare": round(busy / busy_alone, 2), "rounds": rows, "exits": said}, result


def main():
    digest = results.kernel_digest()
    wall, result = measure(False)
    instructions, _ = measure(True)
    results.write("linux_boot.json", {"machine": results.machine_of(result, digest), "wall": wall, "instructions": instructions})
    print("\n".join(results.report.table(
        [[name, one["guest"], one["bare"], one["guest_to_bare"], one["busy"], one["bare_busy"], one["busy_guest_to_bare"],
          one["exits"]["exits"]]
         for name, one in (("wall, s", wall), ("instructions, 10^9", instructions))],
        ["Linux to its first program", "in a guest", "bare", "ratio", "busy", "bare busy", "ratio", "exits"])))
    return 0


if __name__ == "__main__":
    results.main(main)
