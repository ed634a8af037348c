"""One small guest kernel bare on QEMU and in each form that a guest may have: instructions, exits, and wall-clock time.

Leaves build/results/guests.json and guests.svg, and prints tables. Every target is printed as met or missed; exit status 1
only when the run itself failed. `--check` (`make bench-guests QUICK=1`): no wall-clock time; instead everything that is counted
in instructions is run twice, and must come out the same.
"""

import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import guests_chart
import results
from tessera_run import machine

SCENARIO, PATHS, EXITS = "bench/system/guests.toml", "bench/system/guest_paths.toml", "tests/system/guest_exits.toml"
PUBLISHED = results.ROOT / "bench/guests_published.json"
IMAGE = results.ROOT / "build/guests/trapped.elf"
BARE, FORMS = "bare", ("paravirt", "trapped", "shadow", "nested")
BENCHES = ("null_syscall", "page_fault", "page_table_update", "unmap", "process_switch", "fork_exit_wait", "spawn_exit_wait",
           "timer_interrupt", "block_read", "packet_and_answer", "compute")
# On QEMU alone disk and wire answer when the host does, so that a tick more or less may fall into these.
COUNTED_BARE = ("null_syscall", "page_fault", "page_table_update", "unmap", "process_switch")
ROUNDS, SECONDS = 5, 300
GOOD = 0x20 << 1 | 1  # guests/trapped/devices.cpp, and how QEMU tells it.
LINE = re.compile(r"(?:\[\S+\] )?(?:(\w+)\| )?(\{\"bench\".*\})$")

FOOTNOTE = ("Instructions: of guest, kernel and monitor together, as `-icount shift=0` counts them; time in which the guest waits is left "
            "out. Bare, the devices are QEMU's own and take no instructions. Wall-clock ratios: without icount, the guest's own "
            "time stamp counter, medians of rounds that take turns. Under TCG every VMRUN and every #VMEXIT empties the emulator's TLB, "
            "which no CPU with ASIDs does: ratios of what exits are higher here than on hardware.")


def measured(lines):
    """{form: {bench: (n, ticks that were not idle)}} out of the lines of a run; bare ones have no form in front."""
    found = {}
    for form, text in filter(None, map(lambda line: (hit := LINE.search(line)) and hit.groups(), lines)):
        one = json.loads(text)
        found.setdefault(form or BARE, {})[one["bench"]] = (one["n"], one["total"] - one.get("idle", 0))
    return found


def bare(icount):
    """The guest on QEMU alone."""
    with tempfile.TemporaryDirectory() as folder:
        disk = pathlib.Path(folder) / "disk"
        disk.write_bytes(bytes(1 << 20))
        # Not `sleep=off`: idle time would race past the answers of disk and wire, which come from the host.
        command = [machine.QEMU, "-accel", "tcg", "-M", "pc", "-cpu", machine.CPU_MODEL, "-m", "64", "-nodefaults", "-no-user-config",
                   "-no-reboot", "-display", "none", "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                   "-kernel", str(IMAGE), "-append", "bench exit=f4", *(["-icount", "shift=0"] if icount else []),
                   "-drive", f"file={disk},if=none,id=disk,format=raw",
                   "-device", "virtio-blk-pci,drive=disk,disable-modern=on,disable-legacy=off", "-netdev", "user,id=wire,restrict=on",
                   "-device", "virtio-net-pci,netdev=wire,romfile=,disable-modern=on,disable-legacy=off"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS,
                                  check=False)
        except subprocess.TimeoutExpired:
            raise results.Failed("the guest bare on QEMU never ended") from None
    if done.returncode != GOOD:
        raise results.Failed(f"the guest bare on QEMU ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return measured(done.stdout.splitlines())[BARE]


def in_forms(icount):
    """(what was measured by form, exits by form and bench, forms that did not work with the reason, the runner's result)"""
    result = results.run(SCENARIO, f"machine.icount={str(icount).lower()}", stem=f"guests_{'icount' if icount else 'wall'}")
    exits, problems = {}, {}
    for _, record in results.records(result):
        record = dict(record)
        form = record.pop("form", None)
        if "bench" in record:
            exits.setdefault(form, {})[record.pop("bench")] = record
        elif "problem" in record:
            problems[form] = record["problem"]
    problems = {form: problems.get(form, "the monitor has no such form") for form in FORMS}
    problems = {form: problem for form, problem in problems.items() if problem}
    return measured(result["log"]), exits, problems, result


def costs(scenario, key):
    """{name: instructions} from a scenario whose records say so under `key`."""
    return {record[key]: record["instructions"] for _, record in results.records(results.run(scenario)) if key in record}


def by_instructions():
    """What one run with icount gives, all of it."""
    alone = bare(True)
    found, exits, problems, result = in_forms(True)
    rows = {BARE: alone, **{form: found.get(form, {}) for form in FORMS}}
    table = {}
    for form, benches in rows.items():
        for bench, (n, total) in benches.items():
            one = {"n": n, "instructions": round(total / n, 2)}
            if form != BARE:
                one["exits"] = {kind: round(count / n, 3) for kind, count in exits[form][bench].items()}
            table.setdefault(bench, {})[form] = one
    return table, problems, result


def wall_ratios(rounds):
    """{bench: {form: {"ratio", "least", "most"}}}: the median of the rounds' ratios to bare, and their spread."""
    samples = {}
    for _ in range(rounds):
        alone, (found, *_) = bare(False), in_forms(False)
        for form in FORMS:
            for bench, (n, total) in found.get(form, {}).items():
                bare_n, bare_total = alone[bench]
                samples.setdefault(bench, {}).setdefault(form, []).append((total / n) / (bare_total / bare_n))
    return {bench: {form: {"ratio": round(statistics.median(all_), 3), "least": round(min(all_), 3), "most": round(max(all_), 3)}
                    for form, all_ in of_forms.items()} for bench, of_forms in samples.items()}


def check():
    """Twice the same: every form that works has answered everything, and what is counted is the same to the last digit."""
    first, second = by_instructions(), by_instructions()
    table, problems, _ = first
    for form in (BARE, *(form for form in FORMS if form not in problems)):
        missing = [bench for bench in BENCHES if form not in table.get(bench, {})]
        if missing:
            raise results.Failed(f"{form} did not measure {', '.join(missing)}")
    for bench, of_forms in table.items():
        for form, one in of_forms.items():
            if (form != BARE or bench in COUNTED_BARE) and one != second[0][bench][form]:
                raise results.Failed(f"{bench}, {form}: {one}, and the second time {second[0][bench][form]}")
    print(f"  {len(FORMS) - len(problems)} forms of guests, {len(table)} benchmarks each, twice the same")
    for form, problem in problems.items():
        print(f"  {form}: {problem}")
    return 0


def target(what, value, most, unit=""):
    """One target: a value that is None was not measured."""
    verdict = "not measured" if value is None else "met" if value <= most else "missed"
    return {"target": what, "value": value, "most": most, "unit": unit, "verdict": verdict}


def targets_of(data):
    table, wall, linux = data["instructions"], data["wall"], data["linux"]
    for form in FORMS:
        compute = table.get("compute", {})
        ratio = round(compute[form]["instructions"] / compute[BARE]["instructions"], 4) if form in compute else None
        yield target(f"compute loop, {form}: instructions to bare", ratio, 1.02)
        yield target(f"compute loop, {form}: wall-clock time to bare", wall.get("compute", {}).get(form, {}).get("ratio"), 1.02)
    for name, cost in data["exits"].items():
        if name in ("cpuid", "write_port", "guest_exit_svm", "guest_exit_ring_3"):
            yield target(f"exit and back, {name}", cost, 500, "instructions")
    yield target("Linux to its first program, nested: wall-clock time to bare", linux and linux["wall"]["guest_to_bare"], 2)
    yield target("Linux to its first program, nested: instructions to bare, without idle time", linux and linux["instructions"]["busy_guest_to_bare"], 1.3)


def rows_of(data):
    """A row a bench: instructions of each form, and then how they are to bare."""
    for bench in BENCHES:
        of_forms = data["instructions"].get(bench, {})
        alone = of_forms[BARE]["instructions"]
        values = [of_forms.get(form, {}).get("instructions") for form in FORMS]
        ratios = [None if value is None else f"{value / alone:.2f}" for value in values]
        yield [bench, f"{alone:,.1f}", *(None if value is None else f"{value:,.1f}" for value in values), *ratios]


def exit_rows(data):
    """A row a bench and form: exits of each kind for one operation, the most frequent first."""
    for bench in BENCHES:
        for form in FORMS:
            exits = dict(data["instructions"].get(bench, {}).get(form, {}).get("exits", {}))
            if not exits:
                continue
            total = exits.pop("exits")
            kinds = sorted(exits.items(), key=lambda one: -one[1])
            yield [bench, form, f"{total:.2f}", ", ".join(f"{kind} {count:.2f}" for kind, count in kinds if count >= 0.005)]


def wall_rows(data):
    for bench in BENCHES:
        of_forms = data["wall"].get(bench, {})
        yield [bench, *(f"{of_forms[form]['ratio']:.2f} ({of_forms[form]['least']:.2f}-{of_forms[form]['most']:.2f})"
                        if form in of_forms else None for form in FORMS)]


def published_rows(published):
    for name, cycles in published["rows"].items():
        native, *others = cycles
        yield [name, *cycles, *(f"{value / native:.2f}" for value in others)]


def main():
    if "--check" in sys.argv[1:]:
        return check()
    digest = results.kernel_digest()
    table, problems, result = by_instructions()
    data = {"machine": results.machine_of(result, digest), "forms": list(FORMS), "problems": problems, "instructions": table,
            "wall": wall_ratios(ROUNDS), "wall_rounds": ROUNDS,
            "exits": {**costs(PATHS, "path"), **costs(EXITS, "exit")},
            "linux": results.load("linux_boot.json"), "published": json.loads(PUBLISHED.read_text("utf-8"))}
    data["exits"].pop("empty", None)
    data["targets"] = list(targets_of(data))
    results.write("guests.json", data)
    (results.RESULTS / "guests.svg").write_text(guests_chart.draw(data, BENCHES, FORMS, BARE), "utf-8")
    tables = results.report.table
    print("\n".join(tables(rows_of(data), ["instructions", BARE, *FORMS, *(f"{form}/bare" for form in FORMS)])), "\n")
    print("\n".join(tables(wall_rows(data), ["wall-clock time to bare", *FORMS])), "\n")
    print("\n".join(tables(list(data["exits"].items()), ["exits and absent pages", "instructions"])), "\n")
    print("\n".join(tables([[one["target"], one["value"], one["most"], one["verdict"]] for one in data["targets"]],
                           ["target", "value", "at most", ""])))
    for form, problem in problems.items():
        print(f"  {form}: {problem}")
    print(f"\n  {FOOTNOTE}\n  Exits of each kind, and the published figures: build/results/guests.json.")
    return 0


if __name__ == "__main__":
    results.main(main)
