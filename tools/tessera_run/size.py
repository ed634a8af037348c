"""`make size`: how large the images are, and how long a boot takes, measured in this very run."""

import pathlib
import subprocess

from . import iso, report


def _sections(path):
    """(text, data, bss) of an ELF file."""
    made = subprocess.run(["size", str(path)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise iso.BootError(f"size: {made.stderr.strip()}")
    return tuple(int(word) for word in made.stdout.splitlines()[1].split()[:3])


def boot_time(outcome):
    """(TSC ticks, ticks a second) from the kernel's first instruction to the first libOS's, or None."""
    found = {}
    for record in outcome.of_kind("boot") + outcome.of_kind("final"):
        found.update({key: record.data[key] for key in ("boot_ticks", "tsc_hz") if record.data.get(key)})
    return (found["boot_ticks"], found["tsc_hz"]) if len(found) == 2 else None


def run(scenario, run_one):
    """Prints the sizes of all images and boots `scenario` twice: in real time, and counting instructions."""
    images = [path for path in iso.KERNELS.values() if path.is_file()] + sorted((iso.BUILD / "libos").glob("*.elf"))
    rows = [[pathlib.PurePath(path).relative_to(iso.BUILD), path.stat().st_size, *_sections(path)] for path in images]
    print("\n".join(["image and kernel sizes, bytes", *report.table(rows, ["image", "file", "text", "data", "bss"])]))
    print(f"\nISO of {scenario.stem}: {iso.make(scenario).stat().st_size:,} bytes")
    failed = False
    for icount, unit in ((True, "instructions"), (False, "wall time")):
        scenario.machine.icount = icount
        outcome, reasons = run_one(scenario)
        measured = boot_time(outcome)
        if reasons or measured is None:
            failed = True
            print("\n".join(["boot failed:", *(reasons or ["no boot_ticks and tsc_hz in the records"])]))
            continue
        ticks, hz = measured
        what = f"{ticks:,} instructions" if icount else f"{1e6 * ticks / hz:,.0f} us ({ticks:,} TSC ticks)"
        print(f"from GRUB's hand-over to the first libOS instruction, {unit}: {what}")
    return 1 if failed else 0
