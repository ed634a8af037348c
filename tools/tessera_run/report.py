"""What a run leaves behind: build/results/SCENARIO.json, and tables for people."""

import json
import os
import pathlib
import tempfile

from . import iso, machine, symbols
from .records import said_by_libos
from .verdict import ending_of


def result(scenario, outcome, reasons):
    """Everything about a run, for machines."""
    libos_records = {}
    for name, data in said_by_libos(outcome.records):
        libos_records.setdefault(name, []).append(data)
    namer = symbols.Namer(scenario)
    return {
        "scenario": scenario.stem,
        "title": scenario.title,
        "verdict": "failed" if reasons else "passed",
        "reasons": reasons,
        "machine": machine.description(scenario.machine, outcome.bochs, outcome.command[0]),
        "command_lines": {"emulator": outcome.command, "kernel": iso.kernel_options(scenario.kernel),
                          "modules": {libos.name: iso.module_options(libos) for libos in scenario.libos},
                          "data": {data.name: iso.data_options(data) for data in scenario.data}},
        "exit_status": outcome.status,
        "duration_seconds": round(outcome.duration, 3),
        "boot": next((record.data for record in outcome.of_kind("boot")), None),
        "final": next((record.data for record in outcome.of_kind("final")), None),
        "environments": [_ending(record.data, namer) for record in outcome.of_kind("ended")],
        "records": libos_records,
        "trace": [record.data for record in outcome.of_kind("trace")],
        "log": [namer(line) for line in outcome.log],
        "console": outcome.console,
        "firmware_log": outcome.preface,
    }


def _ending(account, namer):
    """An environment's account, with the function and line where it was ended when its reason has an address."""
    where = namer.where(account.get("name"), str(account.get("reason")))
    return {**account, "where": where} if where else account


def write(path, data):
    """Writes JSON so that a reader finds the old file or the new one, never half of one."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.",
                                     delete=False) as file:
        json.dump(data, file, indent=1, ensure_ascii=True)
        file.write("\n")
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def table(rows, headings):
    """Lines of a plain table: the first column to the left, the others to the right."""
    cells = [[_cell(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    lines = []
    for row in cells:
        first, *others = (cell.ljust(width) if not column else cell.rjust(width)
                          for column, (cell, width) in enumerate(zip(row, widths)))
        lines.append("  " + "  ".join([first, *others]).rstrip())
    return lines


def _cell(value):
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return text if len(text) <= 40 else text[:37] + "..."


def summary(scenario, outcome):
    """The accounts of each environment and what the libOSes reported, as lines."""
    columns = scenario.results.accounts
    lines = []
    ended = [record.data for record in outcome.of_kind("ended")]
    if ended:
        lines += ["", "accounts"]
        lines += table([[one.get("name"), ending_of(one), *(one.get(column) for column in columns)] for one in ended],
                       ["environment", "ended", *columns])
    said = list(said_by_libos(outcome.records)) if scenario.results.records else []
    if said:
        lines += ["", "reported"]
    for name, data in said:
        data = data if isinstance(data, dict) else {"value": data}
        lines.append(f"  {name}: " + "  ".join(f"{_cell(str(key))}={_cell(value)}" for key, value in data.items()))
    return lines


def comparison(scenario, outcomes):
    """One row a policy: what the same scenario cost, summed over its environments."""
    rows = []
    for policy, outcome in outcomes.items():
        ended = [record.data for record in outcome.of_kind("ended")]
        rows.append({"policy": policy, **{
            column: sum(one[column] for one in ended if isinstance(one.get(column), int))
            for column in scenario.results.accounts}})
    return rows


def comparison_lines(scenario, rows, outcomes):
    """The rows of `comparison` as a table, what its figures are, and what they leave out."""
    if scenario.machine.icount:
        notes = ["ticks are executed instructions: the same to the last digit in every run. They leave out what the",
                 "hardware takes over and above them: its own TLB misses, its caches, what a write to CR3 costs."]
    else:
        notes = ["ticks are TSC ticks of this host: compare them within this table only."]
    for policy, outcome in outcomes.items():
        for boot in outcome.of_kind("boot"):
            if boot.data.get("policy") not in (None, policy):
                notes.append(f"{policy}: this CPU cannot do it, and {boot.data['policy']} stood in for it.")
    columns = ["policy", *scenario.results.accounts]
    return ["", "the same under each switch policy, all environments together",
            *table([[row[column] for column in columns] for row in rows], columns), *(f"  {note}" for note in notes)]
