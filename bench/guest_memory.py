"""Memory of Linux guests over time: three that share equal pages, and one that is asked for what it does not use.

Runs scenarios/guest_memory.toml with and without sharing and scenarios/guest_balloon.toml. Leaves the numbers in
build/results/guest_memory_curves.json, plots in build/results/guest_memory_sharing.svg and guest_memory_balloon.svg, and
fills the marked sections of docs/guest-memory.md. With --from-results nothing is run: the last numbers are drawn again. With
--double-paging only that is measured (tests/system/guest_double_paging.toml; build/results/double_paging.json).
"""

import argparse

import results
import svg

SHARING, BALLOON = "scenarios/guest_memory.toml", "scenarios/guest_balloon.toml"
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


def run_all():
    both = {}
    for name in ("with", "without"):
        settings = []
        if name == "without":
            arguments = next(line for line in (results.ROOT / SHARING).read_text("utf-8").splitlines() if line.startswith("arguments"))
            words = arguments.split('"')[1].replace(" cmdline=", " share=0 show=0 cmdline=")
            settings = [f'libos.monitor.arguments="{words}"']
        both[name] = run(SHARING, f"guest_memory.{name}", *settings)
    return {**both, "balloon": run(BALLOON, "guest_balloon")}


def needed(one):
    """What would be in use if every guest frame that has bytes had a frame of its own."""
    return one["own"] + one["shared"]


def checks(data):
    sharing, without, balloon = data["with"]["curve"], data["without"]["curve"], data["balloon"]
    at_end = sharing[-1]
    yield "three identical guests: at least half of their memory is reclaimed", 2 * at_end["taken"] <= needed(at_end)
    yield "nothing is, where nobody looks for it", without[-1]["shared"] == 0
    yield "what the kernel asked for came out of the balloon", balloon["end"]["frames_asked"] <= balloon["end"]["balloon_given"]
    yield "and no page was put out for it", balloon["end"]["pages_out"] == 0


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


def section(data):
    def row(name, value):
        return [name, *(value(data[each]) for each in ("with", "without"))]

    rows = [row("pages in use at the end, MiB", lambda each: f"{needed(each['curve'][-1]) / MIB:.1f}"),
            row("frames taken for them, MiB", lambda each: f"{each['curve'][-1]['taken'] / MIB:.1f}"),
            row("reclaimed", lambda each: f"{100 - 100 * each['curve'][-1]['taken'] / needed(each['curve'][-1]):.0f} %"),
            row("of all shared, once on zeros", lambda each: f"{each['end']['zeros']} of {each['end']['came_to_share']}"),
            row("pages hashed", lambda each: f"{each['end']['looked']:,}"),
            row("pairs compared, of which different", lambda each: f"{each['end']['compared']:,}, {each['end']['different']:,}"),
            row("copies on write", lambda each: f"{each['end']['copies']:,}"),
            row("looking, ms", lambda each: f"{each['end']['scan_microseconds'] / 1000:.0f}"),
            row("the whole run, ms", lambda each: f"{each['curve'][-1]['microseconds'] / 1000:.0f}"),
            row("exits, all guests", lambda each: f"{each['exits']:,}"),
            row("of these for memory", lambda each: f"{each['nested_faults']:,}"),
            row("blocks of the disk shown; KiB copied", lambda each: f"{each['disk']['shown']}; {each['disk']['copied_bytes'] >> 10}")]
    end = data["balloon"]["end"]
    machine = data["with"]["machine"]
    return [f"{machine['version']}, `-cpu {machine['cpu_model']}`; one run each.", "", *results.table(["three guests", "sharing", "without"], rows), "",
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

    def row(words, part, *fields):
        return [words, *(", ".join(f"{data[name][part][field]:,}" for field in fields) for name in data)]

    results.fill(PAGE, "double paging", [
        "Instructions, as `-icount shift=0` counts them.", "",
        *results.table(["the same guest", "frames for all", "for fewer, squeezed", "for fewer, lent"], [
            row("pages put out by the monitor", "memory", "pages_out"),
            row("brought back", "memory", "pages_in"),
            row("of those, for the guest's own disk only", "memory", "pages_in_for_others"),
            row("exits", "guest", "exits"),
            row("guest, monitor and kernel in all", "bill", "ticks")])])
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
