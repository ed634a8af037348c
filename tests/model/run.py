"""`make model-tests`: the models of revocation, checked by spin; each mistake that they can be told to make must be found.

A check is a model, what it is told by -D, and what must come of it: no error in all states that there are, or the
named kind of error. States and seconds are those of the run. Ends with the line `N passed, N failed`.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build/model"
TIME_LIMIT = 1200  # Seconds, for one program; a check that reaches it fails.
ASSERTION, DEADLOCK, CYCLE = "assertion violated", "invalid end state", "acceptance cycle"
OWN, SHARED, MOVED, BYTES = "", "CONTEXTS=1", "MOVE FRAMES=1", "BYTES FRAMES=1"
PROGRESS = "CONTEXTS=1 FRAMES=1 PROGRESS"

# Model, definitions, LTL formula (or none), the error that is expected (or none).
CHECKS = [
    ("taking", OWN, None, None),
    ("taking", SHARED, None, None),
    ("taking", MOVED, None, None),
    ("taking", BYTES, None, None),
    ("taking", PROGRESS + " FAIR", "bystander", None),
    ("taking", PROGRESS, "served", None),
    ("requests", "", "answered", None),
    ("taking", OWN + " BUG_NO_STOP", None, ASSERTION),
    ("taking", OWN + " BUG_NO_RECHECK", None, ASSERTION),
    ("taking", OWN + " BUG_NO_RECHECK_RELEASE", None, ASSERTION),
    ("taking", OWN + " BUG_ASSUMED_ACROSS", None, ASSERTION),
    ("taking", OWN + " BUG_CLAIM_BEFORE_WAITING", None, ASSERTION),
    ("taking", OWN + " BUG_FLUSH_FIRST", None, ASSERTION),
    ("taking", OWN + " BUG_LATE_FLUSH", None, ASSERTION),
    ("taking", OWN + " BUG_STICKY_ACK", None, ASSERTION),
    ("taking", OWN + " BUG_NO_POLLING", None, DEADLOCK),
    ("taking", OWN + " BUG_ENTRY_LOCK", None, ASSERTION),
    ("taking", SHARED + " BUG_ENTRY_LOCK", None, ASSERTION),
    ("taking", SHARED + " BUG_DEAD_SKIPPED", None, ASSERTION),
    ("taking", MOVED + " BUG_MOVED_UNFLUSHED", None, ASSERTION),
    ("taking", BYTES + " BUG_CLEAN_UNLOCKED", None, ASSERTION),
    ("taking", PROGRESS + " FAIR BUG_FREE_STOPS", "bystander", CYCLE),
    ("taking", PROGRESS + " FAIR BUG_UNFAIR_LEAF", "bystander", CYCLE),
    ("taking", PROGRESS + " BUG_UNFAIR_LOCK", "served", CYCLE),
    ("requests", "BUG_ENDS_FORGETTING", "answered", CYCLE),
    ("requests", "BUG_OWN_TIME_ALWAYS", "answered", CYCLE),
    ("requests", "BUG_OWED_BEFORE_STOPPING", "answered", ASSERTION),
    ("requests", "BUG_UNSTOPPED_REQUEST", "answered", ASSERTION),
]


class Broken(Exception):
    """A step failed that has nothing to do with what is checked."""


def run(command, where):
    made = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=TIME_LIMIT, check=False)
    if made.returncode:
        raise Broken(f"{command[0]}: status {made.returncode}: {made.stdout[-800:]}")
    return made.stdout


def verdict(output, expected):
    """None, or what is wrong with this output of a verifier."""
    found = re.search(r"^pan:\d+: (.*?) \(at depth \d+\)", output, re.MULTILINE)
    if expected is not None:
        return None if found and expected in found[1] else f"expected {expected}, found {found[1] if found else 'nothing'}"
    if found:
        return found[1]
    complete = "errors: 0" in output and "Search not completed" not in output and "max search depth too small" not in output
    return None if complete else "not all states were seen: " + output[-800:]


def check(number, model, definitions, formula, expected):
    """(what is wrong or None, states, seconds)"""
    where = BUILD / str(number)
    where.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    defined = ["-D" + word for word in definitions.split()]
    states = "0"
    try:
        run(["spin", *defined, "-a", str(HERE / f"{model}.pml")], where)
        kind = "-DNFAIR=4" if formula else "-DSAFETY"
        run(["gcc", "-w", "-O0" if expected else "-O2", "-DCOLLAPSE", "-DMEMLIM=2000", kind, "-o", "pan", "pan.c"], where)
        output = run(["./pan", "-m2000000", *(["-a", "-f", "-N", formula] if formula else [])], where)
        states = re.search(r"^ *([\d.e+]+) states, stored", output, re.MULTILINE)[1]
        wrong = verdict(output, expected)
    except (Broken, subprocess.TimeoutExpired) as error:
        wrong = str(error)
    return wrong, int(float(states)), time.monotonic() - begin


def main():
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = [pool.submit(check, number, *one) for number, one in enumerate(CHECKS)]
        for (model, definitions, formula, expected), result in zip(CHECKS, results):
            wrong, states, seconds = result.result()
            failed += wrong is not None
            print(f"  {'FAIL' if wrong else 'ok':<5} {model:<9} {definitions.strip():<52} {formula or 'safety':<10}"
                  f"{expected or 'holds':<20}{states:>10} states {seconds:6.1f} s", flush=True)
            if wrong:
                print("        " + wrong)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
