"""Did the scenario do what its file says? A pure function of the scenario and of what the run left.

Silence is no success: a pass needs QEMU's agreed exit status *and* the kernel's final record *and* exactly one
boot, whatever else the file asks for.
"""

import re

from .keys import EXITS

_NAMES = {status: name for name, status in EXITS.items()}
_NEEDS_FINAL = ("done", "failed")


# In [expect] ended: the environment must never have begun, for instance because its image is refused.
NEVER = "never"


def ending_of(account):
    """How an environment ended, in words: `exit 0`, or the kernel's reason for ending it."""
    reason, code = account.get("reason", "?"), account.get("code")
    return f"{reason} {code}" if reason == "exit" else str(reason)


def _status_text(status):
    if status == 0:
        return "exit status 0: the machine reset itself (a triple fault) or was switched off"
    if status < 0:
        return f"killed by signal {-status}"
    if status == (0x14 << 1 | 1):
        return "GRUB could not load the kernel or a module"
    return f"exit status {status}" + (f" ({_NAMES[status]})" if status in _NAMES else "")


def _machine_reasons(scenario, outcome):
    expected = scenario.expect.exit
    if outcome.stopped:
        yield f"stopped: {outcome.stopped}"
    elif not outcome.bochs and outcome.status != EXITS[expected]:
        yield f"{_status_text(outcome.status)}, expected {EXITS[expected]} ({expected})"
    boots = len(outcome.of_kind("boot"))
    if boots > 1 or (boots == 0 and expected in _NEEDS_FINAL):
        yield f"{boots} boot records, expected exactly 1"
    if outcome.bochs and any(boot.data.get("policy") != "tagged" for boot in outcome.of_kind("boot")):
        yield "the policy `tagged` was not in force"
    finals = outcome.of_kind("final")
    if expected in _NEEDS_FINAL and len(finals) != 1:
        yield f"{len(finals)} final records, expected exactly 1"
    if any(final.data.get("conserved") is not True for final in finals):
        yield "the books do not balance: the final record says that something was not conserved"
    yield from outcome.frame_errors


def _environment_reasons(scenario, outcome):
    endings = {}
    for record in outcome.of_kind("ended"):
        endings.setdefault(record.data.get("name"), []).append(ending_of(record.data))
    wanted = dict(scenario.expect.ended)
    if scenario.expect.exit == "done":
        for libos in scenario.libos:
            wanted.setdefault(libos.name, "exit 0")
    for name, want in wanted.items():
        got = endings.get(name, [])
        try:
            right = not got if want == NEVER else any(ending == want or re.fullmatch(want, ending) for ending in got)
        except re.error:
            right = False
        if not right:
            yield f"{name} ended with {' and '.join(repr(one) for one in got) or 'nothing at all'}, expected '{want}'"
    if scenario.expect.exit == "done":
        bad = {name: got for name, got in endings.items() if name not in wanted and set(got) - {"exit 0"}}
        for name, got in bad.items():
            yield f"{name} ended with {' and '.join(map(repr, got))}, expected 'exit 0'"


def _log_reasons(expect, lines):
    for pattern in expect.log:
        if not any(pattern.search(line) for line in lines):
            yield f"no log line matches '{pattern.pattern}'"
    rest = iter(lines)
    for number, pattern in enumerate(expect.ordered_log):
        if not any(pattern.search(line) for line in rest):
            behind = f" behind the match of '{expect.ordered_log[number - 1].pattern}'" if number else ""
            yield f"no log line{behind} matches '{pattern.pattern}'"
            break
    for pattern in expect.forbidden:
        for line in lines:
            if pattern.search(line):
                yield f"forbidden log line (matches '{pattern.pattern}'): {line}"
                break


def _console_reasons(expect, outcome):
    for pattern in expect.console:
        if not any(pattern.search(line) for line in outcome.console):
            yield f"no line of the console matches '{pattern.pattern}'"
    if outcome.untyped:
        yield f"the console never showed what the line '{outcome.untyped[0]}' waited for"


def judge(scenario, outcome):
    """The reasons why the run failed; none: it passed."""
    reasons = [*_machine_reasons(scenario, outcome), *_environment_reasons(scenario, outcome),
               *_log_reasons(scenario.expect, outcome.log), *_console_reasons(scenario.expect, outcome)]
    if reasons and outcome.console:
        reasons.append("the console shows at last:" + "".join(f"\n    {ascii(line)[1:-1]}" for line in outcome.console[-10:]))
    if reasons and not outcome.log:
        last = [line.strip() for line in outcome.preface if line.strip()][-5:]
        reasons.append("the kernel printed nothing" + "".join(f"\n    before it: {line}" for line in last))
    if reasons and outcome.complaints:
        reasons.append("the emulator says: " + "\n    ".join(outcome.complaints.splitlines()[-5:]))
    return reasons
