"""The bill: what each environment of a run has used, as the kernel counted it. build/results/bills/SCENARIO.json.

It is made of the kernel's `ended` records alone, whatever numbers they have: what a libOS says of itself is no part of
it. Environments of one name, one after the other or side by side, are one line of it, added up.
"""

from . import machine
from .report import table
from .verdict import ending_of

# What does not count something: how it is called, with the unit that a tick is.
_UNITS = {**dict.fromkeys(("ticks", "excess", "debt", "stolen", "paid_back"), "{tick}"), "frame_ticks": "frames x {tick}"}
_NOT_BILLED = ("env", "code")
# For people: the columns of `--bills`, as far as the kernel has them.
_SHORT = ("environments", "ticks", "slices", "stolen", "paid_back", "frame_ticks", "bindings", "syscalls", "upcalls", "transfers")


def _numbers(account):
    return {key: value for key, value in account.items()
            if isinstance(value, int) and not isinstance(value, bool) and key not in _NOT_BILLED}


def bill(scenario, outcome):
    """The bill of a run, for machines."""
    entries = {}
    for record in outcome.of_kind("ended"):
        name = str(record.data.get("name"))
        entry = entries.setdefault(name, {"name": name, "environments": 0, "ended": {}})
        entry["environments"] += 1
        ending = ending_of(record.data)
        entry["ended"][ending] = entry["ended"].get(ending, 0) + 1
        for key, value in _numbers(record.data).items():
            entry[key] = entry.get(key, 0) + value
    billed = {key for entry in entries.values() for key in _numbers(entry)}
    tick = "instructions" if scenario.machine.icount else "TSC ticks"
    boot = next((record.data for record in outcome.of_kind("boot")), {})
    return {
        "scenario": scenario.stem,
        "title": scenario.title,
        "machine": machine.description(scenario.machine, outcome.bochs, outcome.command[0]),
        "tsc_hz": boot.get("tsc_hz"),
        "complete": bool(outcome.of_kind("final")),
        "units": {key: _UNITS.get(key, "times" if key not in ("environments", "frames", "slots") else key).format(tick=tick)
                  for key in sorted(billed)},
        "environments": list(entries.values()),
    }


def lines(bill_):
    """The bill as a short table."""
    columns = [key for key in _SHORT if any(key in entry for entry in bill_["environments"])]
    rows = [[entry["name"], *(entry.get(key) for key in columns)] for entry in bill_["environments"]]
    notes = "; ".join(f"{key} in {bill_['units'][key]}" for key in columns
                      if bill_["units"][key] not in (key, "times"))
    return ["", f"bill ({notes})" if notes else "bill", *table(rows, ["environment", *columns])]
