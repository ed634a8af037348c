"""Memory of Linux guests over time: three that share equal pages, four in two monitors, and one that is asked for what it does not use.

Runs scenarios/guest_memory.toml with and without sharing, scenarios/guest_lending.toml with and without a lender, and
scenarios/guest_balloon.toml. Leaves the numbers in build/results/guest_memory_curves.json, plots in build/results/guest_memory_sharing.svg and guest_memory_balloon.svg, and
fills the marked sections of docs/guest-memory.md. With --from-results nothing is run: the last numbers are drawn again. With
--double-paging only that is measured (tests/system/guest_double_paging.toml; build/results/double_paging.json).
"""

import argparse

import results
import svg

SHARING, LENDING, BALLOON = "scenarios/guest_memory.toml", "scenarios/guest_lending.toml", "scenarios/guest_balloon.toml"
MONITORS = ("one", "two")
DATA = "guest_memory_curves.json"
PAGE = "docs/guest-memory.md"
DOUBLE = "tests/system/guest_double_paging.toml"
MIB = 256  # Frames.


def run(scenario, stem, *settings):
    """One boot: the records over time, the last one, and what the guests' exits came to."""
    result = results.run(scenario, *settings, stem=stem)
    said = [record for _, record in results.records(result)]
    exits = [one for one in said if "exits" in one]
    return {"machine": result["machine"], "curve": [one for one in said if one.get("what") == "memory"],
            "end": next(one for one in said if one.get("what") == "memory at the end"),
            "disk": next((one for one in said if one.get("what") == "disk"), None),
            "exits": sum(one["exits"] for one in exits), "nested_faults": sum(one.get("nested_fault", 0) for one in exits),
            "guest_ticks": sum(one["guest_ticks"] for one in exits), "monitor_ticks": sum(one["monitor_ticks"] for one in exits)}


def run_monitors(stem, *settings):
    """One boot of several monitors: each one's last record while all were there, and what it came to in the end."""
    result = results.run(LENDING, *settings, stem=stem)
    said = results.records(result)
    curves = {name: [one for who, one in said if who == name and one.get("what") == "memory"] for name in MONITORS}
    until = min(curve[-1]["microseconds"] for curve in curves.values())

    def of(what):
        return [one for _, one in said if one.get("what") == what]

    exits = [one for _, one in said if "exits" in one]
    return {"together": [[one for one in curve if one["microseconds"] <= until][-1] for curve in curves.values()], "ends": of("memory at the end"),
            "borrowers": of("borrower"), "lender": of("lender")[0], "keeper": of("keeper")[0],
            "ticks": {one["name"]: one["ticks"] for one in result["environments"]}, "tsc_hz": result["boot"]["tsc_hz"],
            "exits": sum(one["exits"] for one in exits), "nested_faults": sum(one.get("nested_fault", 0) for one in exits)}


def run_lending():
    lines = [line for line in (results.ROOT / LENDING).read_text("utf-8").splitlines() if line.startswith("arguments") and "vmlinux" in line]
    words = [line.split('"')[1].replace(" lender=lender loans=8192", "") for line in lines]
    settings = [f'libos.{name}.arguments="{one}"' for name, one in zip(MONITORS, words, strict=True)]
    return {"with": run_monitors("guest_lending.with"), "without": run_monitors("guest_lending.without", *settings)}


def run_all():
    both = {}
    for name in ("with", "without"):
        settings = []
        if name == "without":
            arguments = next(line for line in (results.ROOT / SHARING).read_text("utf-8").splitlines() if line.startswith("arguments"))
            words = arguments.split('"')[1].replace(" cmdline=", " share=0 show=0 cmdline=")
            settings = [f'libos.monitor.arguments="{words}"']
        both[name] = run(SHARING, f"guest_memory.{name}", *settings)
    return {**both, "balloon": run(BALLOON, "guest_balloon"), "lending": run_lending()}


def needed(one):
    """What would be in use if every guest frame that has bytes had a frame of its own."""
    return one["own"] + one["shared"]


def in_use(one):
    """The same of all monitors."""
    return sum(needed(each) for each in one["together"])


def total(records, field):
    return sum(one[field] for one in records)


def kept(one):
    """Frames that lending itself takes."""
    return total(one["borrowers"], "frames") + one["lender"]["held"] + one["keeper"]["held"] if one["borrowers"] else 0


def taken(one):
    """Frames taken for the guests of all monitors, lending included."""
    return total(one["together"], "taken") + (one["lender"]["most_loans"] + kept(one) if one["borrowers"] else 0)


def checks(data):
    sharing, without, balloon = data["with"]["curve"], data["without"]["curve"], data["balloon"]
    at_end = sharing[-1]
    yield "three identical guests: at least half of their memory is reclaimed", 2 * at_end["taken"] <= needed(at_end)
    yield "nothing is, where nobody looks for it", without[-1]["shared"] == 0
    yield "what the kernel asked for came out of the balloon", balloon["end"]["frames_asked"] <= balloon["end"]["balloon_given"]
    yield "and no page was put out for it", balloon["end"]["pages_out"] == 0
    lending = data["lending"]
    yield "guests of two monitors take less with a lender, what it takes itself included", taken(lending["with"]) < taken(lending["without"])
    yield "and nothing is lent without one", lending["without"]["lender"]["most_loans"] == 0


def line(label, dash, curve, field):
    value = field if callable(field) else lambda one: one[field]
    return label, dash, [(one["microseconds"] / 1e6, value(one) / MIB) for one in curve]


def plots(data):
    yield "guest_memory_sharing.svg", svg.panels("Three identical Linux guests in one monitor", "seconds", "MiB", [
        ("sharing", [line("pages in use", "4 3", data["with"]["curve"], needed), line("frames taken", "", data["with"]["curve"], "taken"),
                     line("shared pages", "", data["with"]["curve"], "shared"), line("of zeros, ever", "2 2", data["with"]["curve"], "zeros")]),
        ("without", [line("pages in use", "4 3", data["without"]["curve"], needed), line("frames taken", "", data["without"]["curve"], "taken")])])
    curve = data["balloon"]["curve"]
    yield "guest_memory_balloon.svg", svg.panels("A Linux guest is asked for memory", "seconds", "MiB", [
        ("one guest", [line("frames taken", "", curve, "taken"), line("balloon", "", curve, "ballooned"), line("target", "4 3", curve, "balloon_target")])])


# What is told of a boot: words, and what of it they stand for.
SHARING_ROWS = [
    ("pages in use at the end, MiB", lambda each: f"{needed(each['curve'][-1]) / MIB:.1f}"),
    ("frames taken for them, MiB", lambda each: f"{each['curve'][-1]['taken'] / MIB:.1f}"),
    ("reclaimed", lambda each: f"{100 - 100 * each['curve'][-1]['taken'] / needed(each['curve'][-1]):.0f} %"),
    ("of all shared, once on zeros", lambda each: f"{each['end']['zeros']} of {each['end']['came_to_share']}"),
    ("pages hashed", lambda each: each["end"]["looked"]),
    ("pairs compared, of which different", lambda each: f"{each['end']['compared']:,}, {each['end']['different']:,}"),
    ("copies on write", lambda each: each["end"]["copies"]),
    ("looking, ms", lambda each: f"{each['end']['scan_microseconds'] / 1000:.0f}"),
    ("the whole run, ms", lambda each: f"{each['curve'][-1]['microseconds'] / 1000:.0f}"),
    ("exits, all guests", lambda each: each["exits"]),
    ("of these for memory", lambda each: each["nested_faults"]),
    ("blocks of the disk shown; KiB copied", lambda each: f"{each['disk']['shown']}; {each['disk']['copied_bytes'] >> 10}")]
LENDING_ROWS = [
    ("pages in use, MiB", lambda each: f"{in_use(each) / MIB:.1f}"),
    ("frames that the monitors took for them, MiB", lambda each: f"{total(each['together'], 'taken') / MIB:.1f}"),
    ("frames lent, at most, MiB", lambda each: f"{each['lender']['most_loans'] / MIB:.1f}"),
    ("frames that lending takes itself, MiB", lambda each: f"{kept(each) / MIB:.1f}"),
    ("reclaimed, all that considered", lambda each: f"{100 - 100 * taken(each) / in_use(each):.1f} %"),
    ("hashes told of", lambda each: each["lender"]["told"]),
    ("pages shown, of which were lent, refused", lambda each: f"{each['lender']['shown']:,}: {each['lender']['lent']:,}, {each['lender']['refused']:,}"),
    ("lent, but not equal any more", lambda each: total(each["borrowers"], "unequal")),
    ("copies on write", lambda each: total(each["ends"], "copies")),
    ("looking, both monitors, ms", lambda each: f"{total(each['ends'], 'scan_microseconds') / 1000:.0f}"),
    ("the lender and the keeper, ms", lambda each: f"{1000 * (each['ticks']['lender'] + each['ticks']['keeper']) / each['tsc_hz']:.0f}"),
    ("all CPU time, ms", lambda each: f"{1000 * sum(each['ticks'].values()) / each['tsc_hz']:.0f}"),
    ("exits, all guests", lambda each: each["exits"]),
    ("of these for memory", lambda each: each["nested_faults"])]


def section(data):
    def table(headings, both, rows):
        return [*results.comparison(headings, (both["with"], both["without"]), rows), ""]

    end = data["balloon"]["end"]
    machine = data["with"]["machine"]
    return [f"{machine['version']}, `-cpu {machine['cpu_model']}`; one run each.", "",
            *table(["three guests", "sharing", "without"], data, SHARING_ROWS),
            *table(["two monitors with two guests each", "with a lender", "without"], data["lending"], LENDING_ROWS),
            f"Balloon: the kernel asked for {end['frames_asked']} frames; the guest's balloon gave {end['balloon_given']} of its own, "
            f"{end['pages_out']} pages were put out."]


def double_paging():
    """The same guest in a monitor that has frames for it, and in one that has not: what comes in only to go out again."""
    result = results.run(DOUBLE, stem="double_paging")
    said = results.records(result)

    def of(name, what):
        return next(record for who, record in said if who == name and record.get("what") == what)

    bills = {one["name"]: one for one in result["environments"]}
    data = {name: {"memory": of(name, "memory at the end"), "guest": of(name, "guest-1"), "bill": bills[name]}
            for name in ("enough", "short", "vaulted")}
    results.write("double_paging.json", {"machine": result["machine"], **data})

    results.fill(PAGE, "double paging", [
        "Instructions, as `-icount shift=0` counts them.", "",
        *results.comparison(["the same guest", "frames for all", "for fewer, squeezed", "for fewer, lent"], data.values(), [
            ("pages put out by the monitor", lambda one: one["memory"]["pages_out"]),
            ("brought back", lambda one: one["memory"]["pages_in"]),
            ("of those, for the guest's own disk only", lambda one: one["memory"]["pages_in_for_others"]),
            ("exits", lambda one: one["guest"]["exits"]),
            ("guest, monitor and kernel in all", lambda one: one["bill"]["ticks"])])])
    print(f"  build/results/double_paging.json, {PAGE}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from-results", action="store_true")
    parser.add_argument("--double-paging", action="store_true")
    given = parser.parse_args()
    if not given.from_results:
        double_paging()
    if given.double_paging:
        return 0
    data = results.load(DATA) if given.from_results else run_all()
    if data is None:
        raise results.Failed(f"build/results/{DATA} is not there")
    verdicts = list(checks(data))
    for sentence, good in verdicts:
        print(f"  {'ok' if good else 'FAIL':4}  {sentence}")
    results.write(DATA, data)
    for name, text in plots(data):
        (results.RESULTS / name).write_text(text, "utf-8")
    results.fill(PAGE, "curves", section(data))
    print(f"  build/results/{DATA}, guest_memory_sharing.svg, guest_memory_balloon.svg, docs/guest-memory.md")
    return 1 if not all(good for _, good in verdicts) else 0


if __name__ == "__main__":
    results.main(main)
