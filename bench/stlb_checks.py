"""Do the five policies do what they promise? A tiny sweep under icount, and what its counters must be.

That all policies computed the same results is checked by every sweep (sweep.run); here it is one of the tests.
"""

import results
import sweep

BOUND = 64
IMAGE_GUARANTEED = 16  # Guaranteed pages that a turn touches, at most: the upcall path, and what libos pinned.
IMAGE_PAGES = 6        # The image's other pages that a turn touches, at most: text, constants, data, stack.


def _unbounded(row):
    """What a row without a bound must show: (what it says, whether it is so). The working set fits the S-TLB."""
    policy, pages = row["policy_that_ran"], row["pages"]
    if policy == "none":
        yield "every miss goes up", row["misses"] == row["upcalls"]
        yield "only the image's guaranteed mappings are filled", row["hits"] <= IMAGE_GUARANTEED
        yield "each page is missed once a switch", row["misses"] >= pages
    if policy == "refill":
        yield "nothing goes up", row["upcalls"] == 0 and row["misses"] == 0
        yield "each page is refilled once a switch", row["hits"] >= pages
    if policy == "preload":
        yield "nothing goes up", row["upcalls"] == 0
        yield "the working set is preloaded, not refilled", row["preloads"] >= pages and row["hits"] <= IMAGE_PAGES
    if policy == "keep":
        yield "nothing is missed", row["misses"] == 0 and row["hits"] == 0 and row["upcalls"] == 0
        yield "nothing is wiped", row["wipes"] == 0
    if policy in ("none", "refill", "preload"):
        yield "each switch wipes", row["wipes"] == 1


def _bounded(row):
    policy, pages = row["policy_that_ran"], row["pages"]
    if policy == "keep" and pages > BOUND:
        yield "what does not fit the bound is refilled", row["hits"] >= pages and row["upcalls"] == 0
    if policy == "keep" and pages == 0:
        yield "what fits the bound stays", row["hits"] == 0
    if policy == "none":
        yield "every miss goes up", row["misses"] == row["upcalls"] >= pages


def _dearer(rows):
    """At the largest working set, in instructions: keep < preload < refill < none."""
    pages = max(row["pages"] for row in rows)
    cost = {row["policy"]: row["instructions_per_switch"] for row in rows
            if row["pages"] == pages and row["tlb_entries"] == "unbounded"}
    yield "keep < preload < refill < none", cost["keep"] < cost["preload"] < cost["refill"] < cost["none"]
    yield "tagged = keep without PCID", cost["tagged"] == cost["keep"]


def main():
    passed, failed = 0, 0

    def judge(where, checks):
        nonlocal passed, failed
        for what, good in checks:
            passed, failed = passed + bool(good), failed + (not good)
            if not good:
                print(f"FAIL {where}: {what}")

    bounds = (BOUND, "unbounded")
    try:
        _, rows = sweep.exact(sweep.Shape(3, 128, 2), bounds=bounds)
    except results.Failed as failure:
        print(f"FAIL all policies give the same results: {failure}")
        print("0 passed, 1 failed")
        return 1
    passed += len(sweep.POLICIES) * len(bounds)  # sweep.run compared what each boot added up
    for row in rows:
        where = f"{row['policy']}, tlb.entries={row['tlb_entries']}, {row['environments']} environments, {row['pages']} pages"
        if row["tlb_entries"] == "unbounded":
            judge(where, _unbounded(row))
        else:
            judge(where, _bounded(row))
    judge("policies", _dearer(rows))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
