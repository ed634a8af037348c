"""Where the instructions of a path go: follows one sample of it step by step, and counts by function.

  where.py [PATH ...]   paths of bench/system/paths.cpp; without any: those that miss their mark

A function is the innermost one at that address, inlined ones included. Writes build/results/where.json.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys

import results
import stepper
from tessera_run import scenario as scenarios

KERNEL, PROGRAM = "build/kernel/tessera.elf", "build/libos/paths.elf"
ENTERS = (b"\x0f\x05", b"\x0f\x0b", b"\xcc")  # syscall, ud2, int3: into the kernel on purpose
LONGEST = 50_000  # Steps of one sample.
KERNEL_HALF = 1 << 63


def marker_address():
    names = subprocess.run(["nm", PROGRAM], cwd=results.ROOT, capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[0], 16) for line in names.splitlines() if line.endswith(" bench_marker"))


def follow_sample(machine):
    """Addresses of the instructions between the two readings of the counter."""
    at = machine.register(stepper.RIP)
    for _ in range(LONGEST):
        if machine.memory(at, 2) == stepper.RDTSC:
            break
        at = machine.step()
    at = machine.step()
    addresses = []
    while len(addresses) < LONGEST:
        if at < KERNEL_HALF and machine.memory(at, 2) == stepper.RDTSC:
            return addresses[1:]  # without the `mov` that puts the first reading away
        before, at = at, machine.step()
        faulted = before < KERNEL_HALF <= at and not machine.memory(before, 2).startswith(ENTERS)
        if not faulted:  # an access that faults counts when it is made again
            addresses.append(before)
    raise results.Failed("a sample did not come to its end")


def collect(wanted):
    """Path -> the addresses of the instructions of one sample of it."""
    found = {}
    marker = marker_address()
    with stepper.booted(scenarios.load(results.ROOT / "bench/system/path_costs.toml")[0]) as machine:
        machine.break_at(marker)
        while set(wanted) - set(found):
            try:
                machine.go_on()
            except ConnectionError:
                raise results.Failed(f"no such path: {', '.join(sorted(set(wanted) - set(found)))}") from None
            # The boot loader may run code of its own at that address: then rdi points nowhere, or at no path's name.
            name = machine.memory(machine.register(stepper.RDI), 48).partition(b"\0")[0].decode("latin-1")
            machine.do_not_break_at(marker)
            machine.step()
            if name in wanted:
                found[name] = follow_sample(machine)
            machine.break_at(marker)
    return found


def short_name(function):
    """A demangled name without namespaces that say nothing, return type, parameters and template arguments."""
    plain = function.replace("tessera::", "").replace("(anonymous namespace)::", "")
    outer, lambda_, _ = plain.partition("::{lambda")
    name = re.split(r"[<(]", outer)[0] if not outer.startswith("operator") else outer
    return name.split(" ")[-1] + (" (lambda)" if lambda_ else "")


def functions_at(addresses):
    """Address -> (function, file) for all of them."""
    named = {}
    for image, mine in ((KERNEL, [a for a in addresses if a >= KERNEL_HALF]), (PROGRAM, [a for a in addresses if a < KERNEL_HALF])):
        if not mine:
            continue
        out = subprocess.run(["addr2line", "-f", "-C", "-a", "-i", "-e", image], cwd=results.ROOT, text=True,
                             input="\n".join(f"{a:#x}" for a in mine), capture_output=True, check=True).stdout.splitlines()
        starts = [i for i, line in enumerate(out) if line.startswith("0x")]
        for i in starts:
            file = os.path.normpath(out[i + 2].split(":")[0])
            named[int(out[i], 16)] = (short_name(out[i + 1]), file)
    return named


def breakdown(addresses, named):
    """[(where, function, count)], the largest first. Assembly has no functions: its file stands for it."""
    counts = collections.Counter(named[a] for a in addresses)
    return [{"function": function, "file": file, "instructions": count} for (function, file), count in counts.most_common()]


def missed():
    """Paths that miss their mark, by paths.json."""
    marks = {name: peer.get("mark") for name, peer in json.loads((results.ROOT / "bench/peers.json").read_text())["paths"].items()}
    paths = (results.load("paths.json") or {}).get("paths", {})
    return [name for name, mark in marks.items() if mark is not None and paths.get(name, 0) > mark and not name.endswith("_ns")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", metavar="PATH")
    wanted = parser.parse_args().paths or missed()
    if not wanted:
        print("  every mark is met (or `make bench-paths` has not run)")
    found = collect(wanted) if wanted else {}
    named = functions_at(sorted({a for addresses in found.values() for a in addresses}))
    data = {}
    for name in wanted:
        data[name] = {"instructions": len(found[name]), "functions": breakdown(found[name], named)}
        print(f"\n  {name}: {len(found[name])}")
        print("\n".join(results.report.table([[one["function"], one["instructions"], one["file"]] for one in data[name]["functions"]],
                                             ["function", "instructions", "file"])))
    results.write("where.json", data)
    return 0


if __name__ == "__main__":
    sys.exit(results.main(main))
