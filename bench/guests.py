"""One small guest kernel bare on QEMU and in each form that a guest may have: instructions, exits, and wall-clock time.

Leaves build/results/guests.json and guests.svg, and prints tables. Every target is printed as met or missed; exit status 1
only when the run itself failed. `--check` (`make bench-guests QUICK=1`): no wall-clock time; instead every form has to answer, and
what is counted has to come out the same twice.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import guests_chart
import results
from tessera_run import machine

SCENARIO, PATHS, EXITS = (f"bench/system/{name}.toml" for name in ("guest_forms", "guest_paths", "guest_exit_costs"))
PUBLISHED = results.ROOT / "bench/guests_published.json"
IMAGE = results.ROOT / "build/guests/trapped.elf"
BARE, FORMS = "bare", ("paravirt", "rewritten", "translated", "shadow", "nested")
BENCHES = ("null_syscall", "page_fault", "page_table_update", "unmap", "process_switch", "fork_exit_wait", "spawn_exit_wait",
           "timer_interrupt", "block_read", "packet_and_answer", "compute")
LEAST = "compute_least"  # Of all pieces of the loop in all rounds the one that other work on the host disturbed least.
# Where the ticks of clocks fall depends on when the boot loader was done; in these it decides nothing but who pays for them.
STEADY = ("null_syscall", "page_fault", "page_table_update", "unmap", "process_switch", "compute")
TOLERANCE = 0.02
COUNTS, ROUNDS, SECONDS = 3, 5, 300
GOOD = 0x20 << 1 | 1  # guests/trapped/devices.cpp, and how QEMU tells it.
LINE = re.compile(r"(?:\[\S+\] )?(?:(\w+)\| )?(\{\"bench\".*\})$")

FOOTNOTE = (
    "Instructions: of guest, monitor and kernel together, as `-icount shift=0` counts them, without the time in which the guest "
    "waits. Bare, the devices are QEMU's own and take none. Medians of several boots: where the ticks of clocks fall differs between "
    "boots, and with them what is scheduled when. Wall-clock ratios: without icount, by the guest's own time stamp counter, "
    "medians of rounds that take turns, least and most in brackets. Under TCG every VMRUN and every #VMEXIT empties the emulator's "
    "TLB, which no CPU with ASIDs does: whatever exits looks dearer by the clock here than it would there.")


def measured(lines):
    """{form: {bench: (n, ticks that were not idle)}} out of the lines of a run; bare ones have no form in front. Where the guest
    tells the least of several pieces, that is `BENCH_least`."""
    found = {}
    for form, text in filter(None, map(lambda line: (hit := LINE.search(line)) and hit.groups(), lines)):
        one = json.loads(text)
        of_form = found.setdefault(form or BARE, {})
        of_form[one["bench"]] = (one["n"], one["total"] - one.get("idle", 0))
        if "least" in one:
            of_form[one["bench"] + "_least"] = (one["n"], one["least"])
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
    """What one boot of each kind gives: ({bench: {form: {...}}}, forms that did not work, the runner's result)."""
    alone = bare(True)
    found, exits, problems, result = in_forms(True)
    table = {}
    for form, benches in {BARE: alone, **{form: found.get(form, {}) for form in FORMS}}.items():
        for bench in BENCHES:
            if bench not in benches:
                continue
            n, total = benches[bench]
            one = {"n": n, "instructions": round(total / n, 2)}
            if form != BARE:
                one["exits"] = {kind: round(count / n, 3) for kind, count in exits[form][bench].items()}
            table.setdefault(bench, {})[form] = one
    missing = [f"{form} {bench}" for form in (BARE, *FORMS) for bench in BENCHES
               if form not in problems and form not in table.get(bench, {})]
    if missing:
        raise results.Failed(f"not measured: {', '.join(missing)}")
    return table, problems, result


def median_of(boots):
    """Of several tables: for each bench and form the one with the median, with the least and the most of all."""
    table = {}
    for bench, of_forms in boots[0].items():
        for form in of_forms:
            all_ = sorted((boot[bench][form] for boot in boots), key=lambda one: one["instructions"])
            least, median, most = all_[0], all_[len(all_) // 2], all_[-1]
            table.setdefault(bench, {})[form] = {**median, "least": least["instructions"], "most": most["instructions"]}
    return table


def wall_ratios(rounds):
    """{bench: {form: ...}}: the median of the rounds' ratios to bare, their spread, and how the least of all is to the least of all."""
    samples = []
    for _ in range(rounds):
        alone, (found, *_) = bare(False), in_forms(False)
        samples.append({form: {bench: total / n for bench, (n, total) in benches.items()}
                        for form, benches in {BARE: alone, **found}.items()})
    table = {}
    for bench in (*BENCHES, LEAST):
        for form in set(samples[0]) - {BARE}:
            pairs = [(one[form][bench], one[BARE][bench]) for one in samples]
            ratios = [guest / alone for guest, alone in pairs]
            least = min(guest for guest, _ in pairs) / min(alone for _, alone in pairs)
            table.setdefault(bench, {})[form] = {"ratio": round(statistics.median(ratios), 3), "least": round(min(ratios), 3),
                                                 "most": round(max(ratios), 3), "of_least": round(least, 3)}
    return table


def check():
    """Every form answers everything, and is drawn; exits cost the same to the last digit twice, and what no clock decides nearly so."""
    (first, problems, _), (second, *_) = by_instructions(), by_instructions()
    once, again = exit_costs(), exit_costs()
    verdicts = [(f"{form}: {problems.get(form, 'works')}", form not in problems) for form in FORMS]
    for bench in STEADY:
        for form, one in first[bench].items():
            values = one["instructions"], second[bench][form]["instructions"]
            verdicts.append((f"{bench}, {form}: {values[0]} and {values[1]} instructions", max(values) <= min(values) * (1 + TOLERANCE)))
    verdicts += [(f"{name}: {once[name]} and {again.get(name)} instructions", once[name] == again.get(name)) for name in once]
    picture = guests_chart.draw({"instructions": first}, BENCHES, FORMS, BARE)
    verdicts += [(f"{form} is in the picture", f">{form}</text>" in picture) for form in FORMS]
    failed = [what for what, good in verdicts if not good]
    print("\n".join([*(f"  FAILED {what}" for what in failed), f"{len(verdicts) - len(failed)} passed, {len(failed)} failed"]))
    return 1 if failed else 0


def exit_costs():
    """Instructions of exits and absent pages, through the bare calls and through the library."""
    return {**{name: cost for name, cost in costs(PATHS, "path").items() if name != "empty"}, **costs(EXITS, "exit")}


def linux_boot(machine_now):
    """What bench-linux-boot left, if that was this kernel; else None."""
    found = results.load("linux_boot.json")
    return found if found and found["machine"]["kernel_sha256"] == machine_now["kernel_sha256"] else None


def target(what, value, most, unit=""):
    """One target: a value that is None was not measured."""
    verdict = "not measured" if value is None else "met" if value <= most else "missed"
    return {"target": what, "value": value, "most": most, "unit": unit, "verdict": verdict}


def targets_of(data):
    table, wall, linux = data["instructions"], data["wall"], data["linux"]
    for form in FORMS:
        compute = table.get("compute", {})
        ratio = round(compute[form]["instructions"] / compute[BARE]["instructions"], 4) if form in compute else None
        yield target(f"compute, {form}, instructions to bare", ratio, 1.02)
        yield target(f"compute, {form}, wall clock to bare",
                     wall.get(LEAST, {}).get(form, {}).get("of_least"), 1.02)
    for name, cost in data["exits"].items():
        if name in ("cpuid", "write_port", "read_msr", "guest_exit_svm", "guest_exit_ring_3"):
            yield target(f"exit and back, {name}", cost, 500, "instructions")
    # From its entry to its first program, on machines and CPUs that are alike: bench/linux_boot.py.
    yield target("Linux, nested, wall clock to bare", linux and linux["wall"]["guest_to_bare"], 2)
    yield target("Linux, nested, instructions to bare",
                 linux and linux["instructions"]["guest_to_bare"], 1.3)


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


def host_line(data):
    return f"The host had {data['host']['cpus']} CPUs and a load of {data['host']['load']} while it was measured by the clock."


def published_rows(published):
    for name, cycles in published["rows"].items():
        native, *others = cycles
        yield [name, *cycles, *(f"{value / native:.2f}" for value in others)]


def main():
    if "--check" in sys.argv[1:]:
        return check()
    digest = results.kernel_digest()
    exits = exit_costs()
    boots = [by_instructions() for _ in range(COUNTS)]
    _, problems, result = boots[0]
    measured_on = results.machine_of(result, digest)
    data = {"machine": measured_on, "forms": list(FORMS), "problems": problems, "boots": COUNTS,
            "instructions": median_of([table for table, *_ in boots]), "wall_rounds": ROUNDS, "wall": wall_ratios(ROUNDS),
            "host": {"cpus": os.cpu_count(), "load": round(os.getloadavg()[1], 1)},
            "exits": exits, "linux": linux_boot(measured_on), "published": json.loads(PUBLISHED.read_text("utf-8"))}
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
    print(f"\n  {host_line(data)}\n  {FOOTNOTE}\n  Exits of each kind, and the published figures: build/results/guests.json.")
    return 0


if __name__ == "__main__":
    results.main(main)
