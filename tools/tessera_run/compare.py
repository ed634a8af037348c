"""The same scenario again: under other switch policies, for a table of what each costs, and for Bochs under QEMU.

What the libOSes work out must be the same everywhere; the scenario names the fields that hold it (`results.same`).
"""

import copy
import json

from . import report
from .records import said_by_libos


def answers(scenario, said):
    """What must not depend on policy or machine: (field, value) of all that each libOS said, in its order."""
    found = {}
    for name, data in said:
        fields = data if isinstance(data, dict) else {}
        found.setdefault(name, []).extend((key, fields[key]) for key in scenario.results.same if key in fields)
    return {name: answered for name, answered in found.items() if answered}


def differences(scenario, one, other, where):
    """Reasons why a run fails: its libOSes worked out something else than in another run (two Outcomes)."""
    return _differences(scenario, answers(scenario, said_by_libos(one.records)),
                        answers(scenario, said_by_libos(other.records)), where)


def variants_agree(wanted, folder):
    """Reasons why variants of a scenario with a [matrix] do not agree, by the results in `folder`; all have been run."""
    first, reasons = {}, []
    for one in wanted:
        if not one.results.same:
            continue
        records = json.loads((folder / f"{one.stem}.json").read_text("utf-8"))["records"]
        answered = answers(one, [(name, data) for name, said in records.items() for data in said])
        stem, expected = first.setdefault(one.stem.partition(".")[0], (one.stem, answered))
        if stem != one.stem:
            reasons += [f"{one.stem}, compared with {stem}: {reason}"
                        for reason in _differences(one, expected, answered, "here")]
    return reasons


def _differences(scenario, expected, got, where):
    if scenario.results.same and not expected:
        yield "nothing was reported of what results.same names"
    for name in sorted(expected.keys() | got.keys()):
        if expected.get(name) != got.get(name):
            yield f"{name} answered {got.get(name)} {where}, and {expected.get(name)} before"


def _with_policy(scenario, policy):
    variant = copy.deepcopy(scenario)
    variant.kernel.policy, variant.stem = policy, f"{scenario.stem}.policy={policy}"
    return variant


def under_each_policy(scenario, first, run_one):
    """Runs the scenario under each policy that it wants compared; answers (lines to print, reasons, rows).
    `run_one(scenario)` answers (outcome, reasons); `first` is the outcome to which the others must be equal."""
    outcomes, failures = {}, []
    for policy in scenario.results.compare:
        outcomes[policy], reasons = run_one(_with_policy(scenario, policy))
        reasons += differences(scenario, first, outcomes[policy], f"under policy {policy}")
        failures += [f"under policy {policy}: {reason}" for reason in reasons]
    rows = report.comparison(scenario, outcomes)
    return report.comparison_lines(scenario, rows, outcomes), failures, rows


def with_qemu(scenario, first, run_one):
    """Runs under QEMU, policy `keep`, what Bochs has run under `tagged`; answers the reasons why they do not agree."""
    variant = _with_policy(scenario, "keep")
    variant.machine.icount = True
    outcome, reasons = run_one(variant)
    return [f"under QEMU: {reason}" for reason in reasons] + list(differences(scenario, first, outcome, "under QEMU"))
