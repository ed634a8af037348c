"""Fills the marked sections of docs/measurements.md from build/results/*.json. Nothing in them is typed in by hand.

A section stands between `<!-- begin NAME -->` and `<!-- end NAME -->`. Arguments: the sections to fill; none: all.
"""

import json
import re
import sys

import guests
import locks as lock_tables
import paths as path_table
import results
import stlb_tables
import ways
from results import table

PAGE = results.ROOT / "docs/measurements.md"
HEADINGS = ["path", "Tessera", "mark", "", "Linux 6.1", "seL4", "NOVA", "JOS"]
MOST_FUNCTIONS = 8


def need(name, verb):
    data = results.load(name)
    if data is None:
        raise results.Failed(f"build/results/{name} is not there: `make {verb}` makes it")
    return data


def machine_line(machine):
    return f"{machine['version']}, `-cpu {machine['cpu_model']}`, kernel image SHA-256 {machine['kernel_sha256']}..."


def section_paths():
    data, peers = need("paths.json", "bench-paths"), json.loads(path_table.PEERS.read_text("utf-8"))
    rows = []
    for name, value, noted, mark, verdict, *others in path_table.rows_of(data["paths"], data["spread"], peers["paths"]):
        rows.append([f"`{name}`", value + (f" ({noted})" if noted else ""), mark, verdict, *others])
    what = [[f"`{name}`", peer["what"]] for name, peer in peers["paths"].items() if "what" in peer]
    return [machine_line(data["machine"]) + ", one CPU, `-icount shift=0`.", "", *table(HEADINGS, rows), "",
            *table(["path", "what it is, and what the others' figure is of"], what)]


def section_peers():
    peers = json.loads(path_table.PEERS.read_text("utf-8"))
    return [peers["about"], "", *(f"- {text}." for text in peers["systems"].values()),
            *(f"- Published, other machine, `{name}`: {text}." for name, text in peers["published"].items())]


def section_where():
    data = results.load("where.json") or {}
    paths = need("paths.json", "bench-paths")["paths"]
    peers = json.loads(path_table.PEERS.read_text("utf-8"))["paths"]
    missed = [name for name in peers if peers[name].get("mark") is not None and paths.get(name, 0) > peers[name]["mark"]]
    if not missed:
        return ["Every mark is met."]
    out = []
    for name in missed:
        out.append(f"**`{name}`**: {paths[name]:g}, mark {peers[name]['mark']}." + ("" if name in data else " Not followed."))
        if name in data:
            functions = data[name]["functions"]
            shown = functions[:MOST_FUNCTIONS]
            rest = sum(one["instructions"] for one in functions[MOST_FUNCTIONS:])
            rows = [[f"`{one['function']}` ({one['file']})", one["instructions"]] for one in shown]
            out += ["", *table(["function", "instructions"], rows + ([["all others", rest]] if rest else []))]
        out.append("")
    return out[:-1]


def section_native():
    data = need("host.json", "bench-host")
    rows = [[one["run_name"], f"{one['cpu_time']:.1f}"] for one in data["benchmarks"] if one.get("aggregate_name") == "median"]
    return table(["native, on the machine that made this page", "median CPU time, ns"], rows)


def section_stlb():
    tables = stlb_tables.markdown(need("stlb.json", "bench-stlb"), "##", largest_only=True)
    return [*tables.splitlines()[2:], "", "The other ring sizes: `build/results/stlb.md`."]


def section_locks():
    data = need("locks.json", "bench-locks")
    return [f"{machine_line(data['machine'])}; natively on a host with {data['host']['cpus']} CPUs, medians.", "",
            *table(lock_tables.LOCK_HEADINGS, lock_tables.lock_rows(data)), "",
            *table(lock_tables.BARRIER_HEADINGS, lock_tables.barrier_rows(data))]


def section_scaling():
    data = need("scaling.json", "bench-scaling")
    rows = [[f"`{row['path']}`", row["alone_per_s"], row["together_per_s"], f"{row['ratio']:.2f}", f"{row['ratio_of_best']:.2f}",
             f"{row['rounds']} of {row['rounds_run']}", f"{row['locks_per_operation']:g}", row["stops"]] for row in data["rows"]]
    shots = [[f"`{row['shot']}`", row["others"], row["cpus"], row["least"], row["median"], row["unit"], row["stops"]]
             for row in data["shootdown"]]
    return [machine_line(data["machine"]) + ", one host thread a CPU.", "",
            *table(["path", "one alone, a second", "both together", "ratio", "of the best", "rounds", "locks an operation", "stops"], rows), "",
            *table(["taken away", "other CPUs that have it", "CPUs", "least", "median", "in", "stops each"], shots)]


def section_ways():
    data = need("ways.json", "bench-ways")
    return [machine_line(data["machine"]) + ", one CPU, `-icount shift=0`.", "",
            *table(["way", "instructions", "range", "what it is"],
                   [[f"`{name}`", *rest] for name, *rest in ways.rows_of(data)])]


def section_guests():
    data = need("guests.json", "bench-guests")
    forms, published = data["forms"], data["published"]
    rows = [[f"`{bench}`", *rest] for bench, *rest in guests.rows_of(data)]
    targets = [[one["target"], one["value"], one["most"], one["verdict"]] for one in guests.targets_of(data)]
    return [machine_line(data["machine"]) + f", one CPU; {data['boots']} boots, {data['wall_rounds']} rounds by the clock.",
            *(f"The form `{form}` is missing: {problem}." for form, problem in data["problems"].items()), "",
            *table(["instructions", guests.BARE, *forms, *(f"{form} to bare" for form in forms)], rows), "",
            *table(["wall-clock time to bare", *forms], [[f"`{bench}`", *rest] for bench, *rest in guests.wall_rows(data)]), "",
            *table(["exits for one", "form", "all", "of which"],
                   [[f"`{bench}`", *rest] for bench, *rest in guests.exit_rows(data)]), "",
            guests.host_line(data), guests.FOOTNOTE, "",
            *table(["exits and absent pages", "instructions"], [[f"`{name}`", cost] for name, cost in data["exits"].items()]), "",
            *table(["target", "measured", "at most", ""], targets), "",
            f"Published, another machine: {published['source']}.", "",
            *table(["cycles", *published["columns"], *(f"{column} to native" for column in published["columns"][1:])],
                   guests.published_rows(published))]


SECTIONS = {"paths": section_paths, "peers": section_peers, "where": section_where, "native": section_native,
            "locks": section_locks, "ways": section_ways, "stlb": section_stlb,
            "scaling": section_scaling, "guests": section_guests}


def main():
    text = PAGE.read_text("utf-8")
    for name in sys.argv[1:] or SECTIONS:
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise results.Failed(f"docs/measurements.md has no section {name}")
        filled = "\n".join(SECTIONS[name]())
        text = pattern.sub(lambda match, filled=filled: f"{match[1]}\n{filled}\n\n{match[2]}", text)
    PAGE.write_text(text, "utf-8")
    print("  filled docs/measurements.md")
    return 0


if __name__ == "__main__":
    sys.exit(results.main(main))
