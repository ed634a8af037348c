"""The golden trace: one page fault, followed hop by hop from its vector to where the program goes on.

Runs the scenarios beside this file on the checked kernel, which records every hop of the hot paths, and compares
the last hops before the end with what they must be: no fewer, and above all no more.
"""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
RESULTS = ROOT / "build/tests/trace"
PAGE = 0x10101000  # The page that one_fault.cpp touches between its two null calls.

MARK = ["syscall", "syscall_exit"]
END = ["syscall", "env_ended", "context_destroyed"]
GOLDEN = {
    # Vector, delivery; the handler binds by one call and resumes by itself: no hop for that.
    "trace_upcall": [*MARK, "page_fault", "upcall", "syscall", "syscall_exit", *MARK, *END],
    # The kernel stores one word and nobody else hears of it.
    "trace_refill": [*MARK, "page_fault", "refill", *MARK, *END],
}


def events_of(scenario):
    """Every traced event: (name, first word, second word). Raises RuntimeError when the scenario did not pass."""
    done = subprocess.run([ROOT / "tools/tessera", HERE / f"{scenario}.toml", "--quiet", "--results", RESULTS],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    result = json.loads((RESULTS / f"{scenario}.json").read_text())
    return [tuple(event[1:]) for part in result["trace"] for event in part["events"]]


def differences(events, golden):
    """What is wrong with the last events, in words."""
    last = events[-len(golden):]
    names = [name for name, *_ in last]
    if names != golden:
        yield f"hops {' '.join(names)}\n  expected {' '.join(golden)}"
        return
    environment = last[-2][1]
    if environment == 0:
        yield "the environment that ended is nobody"
    for name, first, second in last[:-2]:
        if second != environment:
            yield f"{name} in environment {second:#x}, expected {environment:#x}"
        if name == "page_fault" and first != PAGE:
            yield f"page fault at {first:#x}, expected {PAGE:#x}"


def main():
    failed = 0
    for scenario, golden in GOLDEN.items():
        try:
            problems = list(differences(events_of(scenario), golden))
        except (RuntimeError, OSError, KeyError, ValueError) as error:
            problems = [str(error)]
        failed += bool(problems)
        for problem in problems:
            print(f"{scenario}: {problem}")
    print(f"{len(GOLDEN) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
