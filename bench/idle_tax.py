"""Memory over time of two with equal shares, one of them idle, with and without a tax on idle memory: libOSes, and guests.

Leaves the numbers in build/results/idle_tax.json and guest_tax_curves.json, plots of them in idle_tax.svg and guest_tax.svg. With
--check the shape is tested instead: halves without a tax; with it, the busy one gets clearly more, and the idle one no less
than it uses.
"""

import argparse
import sys

import results
import svg

TAXES = (0, 75)  # Percent.
SETTLED = 0.75  # The last quarter of the run counts.


class LibOses:
    """Two libOSes, which give what they are asked for and take what they get."""
    name, data, scenario = "idle_tax", "idle_tax.json", "scenarios/idle_tax.toml"
    arbiter = "clients=idle:100:64,busy:100:64 tax={} period=10000 patience=4 quiet=1"
    title, y_label, nearly_half, clearly_more, more_than_without = "Two libOSes with equal shares, one idle", "frames", 0.1, 1.5, 1.2

    @staticmethod
    def more_checks(taxed):
        # Both pay the same for a share when nothing moves any more: P_idle - tax * used = (1 - tax) * P_busy.
        expected = 0.25 * taxed["busy"] + 0.75 * taxed["idle_used"]
        yield "and little more: what the published formula says", abs(taxed["idle"] - expected) < 0.15 * expected

    @staticmethod
    def tell(_machine, _runs):
        pass


class Guests:
    """Two monitors with a guest each: what one is asked for its guest's balloon gives, what it may own the guest takes."""
    name, data, scenario = "guest_tax", "guest_tax_curves.json", "scenarios/guest_tax.toml"
    arbiter = "clients=idle:100:64,busy:100:64 tax={} period=10000 patience=60 quiet=1"
    title, y_label, nearly_half, clearly_more, more_than_without = "Two guests of equal shares, one idle", "frames", 0.2, 1.3, 1.1

    @staticmethod
    def more_checks(_):
        return ()

    @staticmethod
    def tell(machine, runs):
        """Fills the marked section of docs/guest-memory.md."""
        def mean(name):
            return lambda run: f"{settled(run[0], name):,.0f}"

        def last(name, field):
            return lambda run: run[1][name][-1][field]

        rows = [(f"the {name} one's monitor holds, frames", mean(name)) for name in ("busy", "idle")]
        for name in ("busy", "idle"):
            rows += [(f"{name}: frames in use, by the samples", mean(f"{name}_used")),
                     (f"{name}: pages in the balloon at the end", last(name, "ballooned")),
                     (f"{name}: pages put out without asking", last(name, "pages_out"))]
        results.fill("docs/guest-memory.md", "tax", [
            f"{machine['version']}, {machine['memory_mib']} MiB; means of the last quarter of one run each.", "",
            *results.comparison(["two guests of equal shares", *(f"tax {tax} %" for tax in runs)], runs.values(), rows)])


def run(scene, tax):
    """One boot: the result, the arbiter's records of the time in which both lived, and what each said of its guest's memory."""
    result = results.run(scene.scenario, f'libos.arbiter.arguments="{scene.arbiter.format(tax)}"', stem=f"{scene.name}.{tax}")
    said = results.records(result)
    periods = [record for _, record in said if "period" in record]
    memory = {name: [one for who, one in said if who == name and one.get("what") == "memory"] for name in ("idle", "busy")}
    return result, [one for one in periods if one["idle"] and one["busy"]], memory


def settled(periods, name):
    """The mean of a field over the last part of a run."""
    last = periods[int(len(periods) * SETTLED):]
    return sum(one[name] for one in last) / len(last)


def checks(scene, runs):
    """What the figure must show: pairs of a sentence and whether it is so."""
    held = {tax: {name: settled(periods, name) for name in ("idle", "busy", "idle_used")} for tax, (periods, _) in runs.items()}
    for tax, values in held.items():
        print(f"  tax {tax:2} %: idle {values['idle']:.0f} frames, of which it uses {values['idle_used']:.0f}; busy {values['busy']:.0f}")
    none, taxed = held[0], held[75]
    both = none["idle"] + none["busy"]
    yield "without a tax both keep about half", abs(none["idle"] - none["busy"]) < scene.nearly_half * both
    yield "with a tax the busy one has clearly more than the idle one", taxed["busy"] > scene.clearly_more * taxed["idle"]
    yield "with a tax the busy one has clearly more than without", taxed["busy"] > scene.more_than_without * none["busy"]
    yield "the idle one keeps what it uses", taxed["idle"] >= taxed["idle_used"]
    yield from scene.more_checks(taxed)


def points(records, field):
    return [(one["microseconds"] / 1e6, one[field]) for one in records]


def plot(scene, runs):
    """A panel a tax: what each holds, and what the idle one is thought to use; for guests one more, of their balloons."""
    lines = (("busy", "busy", ""), ("idle", "idle", ""), ("idle_used", "idle: in use", "4 3"))
    panels = []
    for tax, (periods, memory) in runs.items():
        panels.append((f"tax {tax} %", [(label, dash, points(periods, field)) for field, label, dash in lines]))
        balloons = [(f"{name}: {label}", dash, points(memory[name], field)) for name in ("busy", "idle") if memory[name]
                    for field, label, dash in (("ballooned", "balloon", ""), ("balloon_target", "target", "4 3"))]
        if balloons:
            panels.append((f"tax {tax} %: balloons", balloons))
    return svg.panels(scene.title, "seconds", scene.y_label, panels)


def show(scene, check):
    """Runs a scene under each tax and reports it; how many checks there were, and how many failed."""
    print(f"{scene.title}:")
    runs, machine = {}, None
    for tax in TAXES:
        result, *runs[tax] = run(scene, tax)
        machine = machine or result["machine"]
    verdicts = list(checks(scene, runs))
    for sentence, good in verdicts:
        print(f"  {'ok' if good else 'FAIL':4}  {sentence}")
    if not check:
        results.write(scene.data, {"machine": machine, "runs": [
            {"tax_percent": tax, "periods": periods, **({"guests": memory} if any(memory.values()) else {})}
            for tax, (periods, memory) in runs.items()]})
        (results.RESULTS / f"{scene.name}.svg").write_text(plot(scene, runs), "utf-8")
        scene.tell(machine, runs)
        print(f"  build/results/{scene.data}, build/results/{scene.name}.svg")
    return len(verdicts), sum(not good for _, good in verdicts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", choices=("libos", "guests"))
    given = parser.parse_args()
    scenes = [scene for kind, scene in (("libos", LibOses), ("guests", Guests)) if given.only in (None, kind)]
    counts = [show(scene, given.check) for scene in scenes]
    failed = sum(bad for _, bad in counts)
    if given.check:
        print(f"{sum(all_ for all_, _ in counts) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    results.main(main)
