"""Runs every test layer and every scenario, a few at a time, and sums up.

A layer is a make target that ends with a line `N passed, N failed`. A scenario is a TOML file, one test a variant.
One line is printed as each finishes; the last line of all is `N passed, N failed`, alone.
exit status: 0 all passed, 1 some failed or none ran
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from tessera_run import compare, scenario as scenarios
from tessera_run.schema import BadScenario

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOGS = ROOT / "build/tests"
# The makes below are on their own: the job server of the make above is not theirs.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
TIME_LIMIT = 1800  # Seconds, for one layer or scenario, unless told otherwise.
SLOWEST = 6  # That are named at the end.
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$")


def make(*words):
    """The command line of a make that knows that the packages are there."""
    return ["make", "READY=1", "V=" + os.environ.get("V", ""), *words]


def build(jobs):
    """Builds all that the tests need, as far as it goes; a part that does not build is one failed test."""
    status = subprocess.run(make("--keep-going", f"-j{jobs}", "test-files"), cwd=ROOT, env=ENVIRONMENT,
                            stdin=subprocess.DEVNULL, check=False).returncode
    print(f"  {'FAIL' if status else 'ok':<5} build", flush=True)
    return int(status == 0), int(status != 0)


def run(command, log, limit=TIME_LIMIT):
    """Runs a command with its output in a file; answers (status, output). Ends its whole family on a time-out."""
    with open(log, "wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                   start_new_session=True, env=ENVIRONMENT)
        try:
            status = process.wait(timeout=limit)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            out.write(f"\nstopped: time limit of {limit} s\n".encode())
            status = -1
    return status, log.read_text("utf-8", "replace")


def judge_layer(status, output):
    """(passed, failed) of a layer: its last line must be a summary, and its exit status must agree."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    summaries = [match for match in map(SUMMARY.match, lines) if match]
    passed, failed = (int(summaries[-1][1]), int(summaries[-1][2])) if summaries else (0, 0)
    if failed == 0 and (status != 0 or passed == 0):
        failed = 1
    return passed, failed


def run_layer(target):
    status, output = run(make(target), LOGS / f"{target}.log")
    passed, failed = judge_layer(status, output)
    return passed, failed, output


def run_scenario(path, stem, bochs, limit):
    label = stem.partition(".")[2]
    command = ["tools/tessera", str(path), "--quiet", "--results", str(LOGS / "results")] + (["--variant", label] if label else [])
    status, output = run(command + (["--bochs"] if bochs else []), LOGS / f"{stem}{'.bochs' if bochs else ''}.log", limit)
    return int(status == 0), int(status != 0), output


def jobs_of(given):
    """(title, function) of everything to run; a scenario file that cannot be read is a failed test."""
    for target in given.layer:
        yield target, lambda target=target: run_layer(target)
    for path in given.scenarios:
        try:
            stems = [one.stem for one in scenarios.load(path)]
        except BadScenario as error:
            yield path, lambda error=error: (0, 1, str(error))
            continue
        for stem in stems:
            yield stem, lambda path=path, stem=stem: run_scenario(path, stem, given.bochs, given.time_limit)


def compared(given, failed):
    """(title, reasons) of every file whose variants must agree in something: the last test of each, if they passed."""
    for path in [] if given.bochs else given.scenarios:
        try:
            variants = scenarios.load(path)
        except BadScenario:
            continue
        if len(variants) > 1 and variants[0].results.same and not failed.intersection(one.stem for one in variants):
            yield f"{variants[0].stem.partition('.')[0]}: variants agree", compare.variants_agree(variants, LOGS / "results")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--layer", action="append", default=[], help="a make target")
    parser.add_argument("--build", action="store_true", help="first `make test-files`, which counts as one test")
    parser.add_argument("--bochs", action="store_true", help="run the scenarios under Bochs")
    parser.add_argument("--time-limit", type=int, default=TIME_LIMIT, help="seconds, for one scenario")
    parser.add_argument("scenarios", nargs="*")
    given = parser.parse_args()

    LOGS.mkdir(parents=True, exist_ok=True)
    passed = failed = 0
    begun = time.monotonic()
    if given.build:
        passed, failed = build(given.jobs)
    with concurrent.futures.ThreadPoolExecutor(max(1, given.jobs)) as pool:
        started, took, unsound = {}, {}, set()

        def timed(title, function):
            started[title] = time.monotonic()
            return function()

        running = {pool.submit(timed, title, function): title for title, function in jobs_of(given)}
        for future in concurrent.futures.as_completed(running):
            title = running[future]
            good, bad, output = future.result()
            passed, failed = passed + good, failed + bad
            took[title] = time.monotonic() - started[title]
            mark = "FAIL" if bad else "ok"
            counts = f"{good} passed, {bad} failed".rjust(24) if good + bad > 1 else ""
            print(f"  {mark:<5} {title:<44} {took[title]:6.1f} s{counts}", flush=True)
            if bad:
                unsound.add(title)
                print("\n".join(f"        {line}" for line in output.splitlines()[-40:]), flush=True)
    for title, reasons in compared(given, unsound):
        passed, failed = passed + (not reasons), failed + bool(reasons)
        print("\n".join([f"  {'FAIL' if reasons else 'ok':<5} {title}", *(f"        {reason}" for reason in reasons)]), flush=True)
    slowest = sorted(((seconds, title) for title, seconds in took.items()), reverse=True)[:SLOWEST]
    print("  slowest: " + ", ".join(f"{title} {seconds:.0f} s" for seconds, title in slowest))
    print(f"  in {time.monotonic() - begun:.0f} s; logs are in build/tests")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
