"""Memory over time of two libOSes with equal shares, one of them idle, with and without a tax on idle memory.

Leaves the numbers in build/results/idle_tax.json and a plot of them in build/results/idle_tax.svg. With --check the shape
is tested instead: halves without a tax; with it, the busy one gets clearly more, and the idle one no less than it uses.
"""

import argparse
import sys

import results
import svg

SCENARIO = "scenarios/idle_tax.toml"
TAXES = (0, 75)  # Percent.
ARBITER = "clients=idle:100:64,busy:100:64 tax={} period=10000 patience=4 quiet=1"
SETTLED = 0.75  # The last quarter of the run counts.


def run(tax):
    """One boot; the arbiter's records of the time in which both libOSes lived."""
    result = results.run(SCENARIO, f'libos.arbiter.arguments="{ARBITER.format(tax)}"', stem=f"idle_tax.{tax}")
    periods = [record for _, record in results.records(result) if "period" in record]
    return result, [one for one in periods if one["idle"] and one["busy"]]


def settled(periods, name):
    """The mean of a field over the last part of a run."""
    last = periods[int(len(periods) * SETTLED):]
    return sum(one[name] for one in last) / len(last)


def checks(runs):
    """What the figure must show: pairs of a sentence and whether it is so."""
    held = {tax: {name: settled(periods, name) for name in ("idle", "busy", "idle_used")} for tax, periods in runs.items()}
    for tax, values in held.items():
        print(f"  tax {tax:2} %: idle {values['idle']:.0f} frames, of which it uses {values['idle_used']:.0f}; busy {values['busy']:.0f}")
    none, taxed = held[0], held[75]
    both = none["idle"] + none["busy"]
    yield "without a tax both keep about half", abs(none["idle"] - none["busy"]) < 0.1 * both
    yield "with a tax the busy one has clearly more than the idle one", taxed["busy"] > 1.5 * taxed["idle"]
    yield "with a tax the busy one has clearly more than without", taxed["busy"] > 1.2 * none["busy"]
    yield "the idle one keeps what it uses", taxed["idle"] >= taxed["idle_used"]
    # Both pay the same for a share when nothing moves any more: P_idle - tax * used = (1 - tax) * P_busy.
    expected = 0.25 * taxed["busy"] + 0.75 * taxed["idle_used"]
    yield "and little more: what the published formula says", abs(taxed["idle"] - expected) < 0.15 * expected


def plot(runs):
    """One panel a tax: what each holds, and what the idle one is thought to use."""
    lines = (("busy", "busy", ""), ("idle", "idle", ""), ("idle_used", "idle: in use", "4 3"))
    panels = [(f"tax {tax} %", [(label, dash, [(one["microseconds"] / 1e6, one[field]) for one in periods])
                                for field, label, dash in lines]) for tax, periods in runs.items()]
    return svg.panels("Two libOSes with equal shares, one idle", "seconds", "frames", panels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    first, runs = None, {}
    for tax in TAXES:
        result, runs[tax] = run(tax)
        first = first or result
    verdicts = list(checks(runs))
    for sentence, good in verdicts:
        print(f"  {'ok' if good else 'FAIL':4}  {sentence}")
    failed = sum(not good for _, good in verdicts)
    if given.check:
        print(f"{len(verdicts) - failed} passed, {failed} failed")
    else:
        results.write("idle_tax.json", {"machine": first["machine"], "runs": [{"tax_percent": tax, "periods": periods}
                                                                             for tax, periods in runs.items()]})
        (results.RESULTS / "idle_tax.svg").write_text(plot(runs), "utf-8")
        print("  build/results/idle_tax.json, build/results/idle_tax.svg")
    return 1 if failed else 0


if __name__ == "__main__":
    results.main(main)
