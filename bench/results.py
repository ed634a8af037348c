"""What the benchmark drivers share: running scenarios, and writing results down."""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from tessera_run import report  # noqa: E402

RESULTS = ROOT / "build/results"
RUNS = ROOT / "build/bench"  # The runner's own results, one file a run.

LEFT_OUT = ("Instructions, one each, as `-icount shift=0` counts them. Left out: what an instruction costs in time, "
            "TLB misses and page walks, the writes to CR3 and the refills behind them, caches. A repetition of a "
            "string instruction counts 1; an access that faults counts 1, when it is made again.")


class Failed(Exception):
    """A run that did not pass: there is nothing to report."""


def run(scenario, *settings, stem=None, runs=RUNS):
    """Runs a scenario of bench/system quietly; answers the runner's result. `settings`: KEY=VALUE."""
    path = ROOT / scenario
    folder = runs / (stem or path.stem)
    command = [str(ROOT / "tools/tessera"), str(path), "--quiet", "--results", str(folder)]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{scenario} {' '.join(settings)}\n{done.stdout}{done.stderr}".rstrip())
    return json.loads((folder / f"{path.stem}.json").read_text("utf-8"))


def records(result):
    """All that the libOSes said, as pairs of name and record."""
    return [(name, record) for name, said in result["records"].items() for record in said]


def write(name, data):
    """Leaves `data` in build/results."""
    report.write(RESULTS / name, data)


def fill(page, name, lines):
    """Puts `lines` between the marks `begin NAME` and `end NAME` of a document."""
    path, filled = ROOT / page, "\n".join(lines)
    path.write_text(re.sub(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", lambda match: f"{match[1]}\n{filled}\n\n{match[2]}",
                           path.read_text("utf-8"), flags=re.DOTALL), "utf-8")


def table(headings, rows):
    """The lines of a table in a document: the first column is words, the others are numbers, or texts as they are to stand there."""
    def text(cell):
        return "" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell)

    return ["| " + " | ".join(headings) + " |", "| --- |" + " ---: |" * (len(headings) - 1),
            *("| " + " | ".join(map(text, row)) + " |" for row in rows)]


def comparison(headings, runs, rows):
    """The lines of a table with a column a run. `rows`: pairs of words, and a function that answers a run's number."""
    return table(headings, [[words, *map(number_of, runs)] for words, number_of in rows])


def kernel_digest():
    """Which kernel is measured: the first digits of its image's SHA-256."""
    return hashlib.sha256((ROOT / "build/kernel/tessera.elf").read_bytes()).hexdigest()[:16]


def machine_of(result, digest):
    """The machine that a result was measured on, and its kernel, which must still be the one with `digest`."""
    if kernel_digest() != digest:
        raise Failed("the kernel was built anew in the middle of the measurement")
    return {**result["machine"], "kernel": result["command_lines"]["kernel"], "kernel_sha256": digest}


def load(name):
    """A result that is there already, or None."""
    try:
        return json.loads((RESULTS / name).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def main(function):
    """Runs a driver's main function; a failed run is said, not thrown."""
    try:
        sys.exit(function())
    except Failed as failure:
        print(f"failed: {failure}", file=sys.stderr)
        sys.exit(1)
