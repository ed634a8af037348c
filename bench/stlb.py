"""What a context switch costs under the five switch policies: the sweep, its tables, its short form, its checks.

  (no option)  everything; writes build/results/stlb.json and build/results/stlb.md
  --quick      a subset, in under a minute
  --short      the policies at one working set, five lines, nothing written
  --check      a tiny sweep whose counters must come out as the policies promise; ends with `N passed, N failed`
"""

import argparse
import sys
import time

import results
import stlb_checks
import stlb_tables
import sweep

SHORT_PAGES, SHORT_RING = 64, 4


def say(text):
    print(f"  {text}", flush=True)


def short():
    """Five lines for the end of another run."""
    shape = sweep.Shape(3, SHORT_PAGES, SHORT_RING)
    _, rows = sweep.exact(shape, bounds=("unbounded",))
    chosen = [row for row in rows if row["pages"] == SHORT_PAGES and row["environments"] == SHORT_RING]
    print(f"a switch between {SHORT_RING} environments that each touch {SHORT_PAGES} pages behind it, per switch "
          "(instructions do not see TLB misses)")
    print("\n".join(stlb_tables.short_lines(chosen)))
    return 0


def full(quick):
    begun, digest = time.monotonic(), results.kernel_digest()
    bounds = (64, "unbounded") if quick else sweep.BOUNDS
    exact_shape = sweep.Shape(3, 128, 4) if quick else sweep.Shape(5)
    wall_shape = sweep.Shape(20, 128, 4) if quick else sweep.Shape(20)
    say(f"instructions, {len(bounds) * len(sweep.POLICIES)} boots")
    first, rows = sweep.exact(exact_shape, bounds=bounds)
    least, ticks_per_us = sweep.wall(wall_shape, 1 if quick else 3, bounds=bounds, say=say)
    sweep.add_wall(rows, least, ticks_per_us)
    machine = {**results.machine_of(first, digest), "kernel": "set for each run", "icount": "as each figure says",
               "wall_rounds": 1 if quick else 3}
    data = {"machine": machine, "left_out": results.LEFT_OUT, "rows": rows}
    results.write("stlb.json", data)
    (results.RESULTS / "stlb.md").write_text(stlb_tables.markdown(data), "utf-8")
    print("\n".join(stlb_tables.readable(rows)))
    say(f"{len(rows)} rows in {time.monotonic() - begun:.0f} s; everything is in build/results/stlb.md and stlb.json")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_mutually_exclusive_group()
    for mode in ("quick", "short", "check"):
        modes.add_argument(f"--{mode}", action="store_true")
    given = parser.parse_args()
    if given.short:
        return short()
    if given.check:
        return stlb_checks.main()
    return full(given.quick)


if __name__ == "__main__":
    sys.exit(results.main(main))
