"""Runs scenarios: boots several libOSes on one kernel in an emulated machine and judges what happened.

exit status: 0 every scenario passed, 1 one failed, 2 a scenario file or an argument is wrong
"""

import argparse
import json
import pathlib
import re
import sys
import time

from . import bills, compare, debug, emulate, iso, machine, report, scenario as scenarios, size, symbols
from .log import printer
from .schema import BadScenario
from .verdict import judge

ALONE = """\
title = {title}
[machine]
memory = 512
[[libos]]
name = "{name}"
image = "{image}"
frames = 65536
stlb = 8192
guaranteed = 1024
tables = 256
slots = 8
"""


def arguments(words):
    parser = argparse.ArgumentParser(prog="tools/tessera", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", help="scenario files (TOML); a bare NAME is scenarios/NAME.toml")
    parser.add_argument("--alone", metavar="ELF", help="boot this libOS image alone, with generous allowances")
    parser.add_argument("--title", metavar="TEXT", help="what the log calls it (with --alone)")
    parser.add_argument("--arguments", metavar="WORDS", help="the libOS's arguments (with --alone)")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[],
                        help="override a key: kernel.policy=none, libos.NAME.frames=64, libos.*.slots=2")
    parser.add_argument("--firmware", choices=("bios", "uefi"), help="short for --set machine.firmware=...")
    parser.add_argument("--variant", metavar="LABEL", help="only this variant of a scenario with a [matrix]")
    parser.add_argument("--list", action="store_true", help="list the variants, run nothing")
    parser.add_argument("--needs", action="store_true", help="list the files of data under build/ that it loads, run nothing")
    parser.add_argument("--quiet", action="store_true", help="no log: only the verdict, and the reasons of a failure")
    parser.add_argument("--bills", action="store_true", help="print what each environment used (bills/ beside the JSON)")
    parser.add_argument("--results", metavar="DIR", default=iso.BUILD / "results", help="where the JSON goes")
    parser.add_argument("--bochs", action="store_true", help="run in Bochs with the policy `tagged`")
    parser.add_argument("--console", action="store_true", help="the terminal is the console of the libOS that has it, "
                        "until that ends or Ctrl-] is typed; the log is in the result only")
    parser.add_argument("--gdb", action="store_true", help="QEMU waits, gdb is attached")
    parser.add_argument("--gdb-script", metavar="FILE", help="with --gdb: gdb runs these commands and leaves")
    parser.add_argument("--size", action="store_true", help="print image sizes, kernel size and boot time")
    parser.add_argument("--qemu", metavar="PROGRAM", default=machine.QEMU, help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if bool(given.alone) == bool(given.scenario):
        parser.error("give scenario files, or --alone ELF")
    return given


def overrides(given):
    """Pairs of key and value out of the options."""
    pairs = []
    for written in given.set:
        key, equals, value = written.partition("=")
        if not equals:
            raise BadScenario(f"--set {written}: must be KEY=VALUE")
        pairs.append((key, scenarios.parse_value(value)))
    if given.firmware:
        pairs.append(("machine.firmware", given.firmware))
    if given.bochs:
        pairs += [("kernel.policy", "tagged"), ("machine.icount", False), ("machine.firmware", "bios")]
    if given.arguments is not None:
        pairs.append(("libos.*.arguments", " ".join(given.arguments.split())))
    return pairs


def file_of(word):
    """The scenario file that is meant: a bare name is one of the tree's."""
    return iso.ROOT / "scenarios" / f"{word}.toml" if re.fullmatch("[A-Za-z0-9_-]+", word) else word


def chosen(given):
    """The scenarios to run."""
    changes = overrides(given)
    if given.alone:
        image = pathlib.Path(given.alone)
        if not image.is_file():
            raise BadScenario(f"{image}: there is no such image")
        if not image.resolve().is_relative_to(iso.ROOT):
            raise BadScenario(f"{image}: an image must lie inside the repository")
        name = scenarios.name_from(image.stem.removeprefix("user-"))
        title = json.dumps("".join(filter(str.isprintable, given.title or f"{name}, alone"))[:200])
        written = ALONE.format(title=title, name=name, image=image.resolve().relative_to(iso.ROOT))
        return scenarios.read(written.encode(), str(image), name, changes)
    found = [one for word in given.scenario for one in scenarios.load(file_of(word), changes)]
    if given.variant:
        found = [one for one in found if one.stem.partition(".")[2] == given.variant]
        if not found:
            raise BadScenario(f"{', '.join(given.scenario)}: there is no variant '{given.variant}'")
    return found


def run_one(one, given, show=None, bochs=False):
    """Runs a scenario and keeps its result; answers (outcome, reasons)."""
    outcome = emulate.run(one, iso.make(one), show, bochs, given.qemu)
    reasons = judge(one, outcome)
    keep(one, given, report.result(one, outcome, reasons), bochs)
    keep(one, given, bills.bill(one, outcome), bochs, "bills")
    return outcome, reasons


def keep(one, given, result, bochs=False, folder=""):
    """Writes a file about the run of a scenario."""
    report.write(pathlib.Path(given.results) / folder / f"{one.stem}{'.bochs' if bochs else ''}.json", result)


def run_and_print(one, given):
    """Runs a scenario, prints as it goes, answers whether it passed."""
    begun = time.monotonic()
    if not given.quiet:
        print(f"== {one.stem}" + (f": {one.title}" if one.title else ""), flush=True)
    show = None if given.quiet else printer(symbols.Namer(one))
    outcome, reasons = run_one(one, given, show, given.bochs)
    lines = [] if given.quiet else report.summary(one, outcome)
    if given.bills:
        lines += bills.lines(bills.bill(one, outcome))
    if not reasons and given.bochs and one.results.same:
        reasons = compare.with_qemu(one, outcome, lambda variant: run_one(variant, given))
    elif not reasons and not given.quiet and one.results.compare:
        if sys.stdout.isatty():
            print(f"... and again under {', '.join(one.results.compare)}", flush=True)
        compared, reasons, rows = compare.under_each_policy(one, outcome, lambda variant: run_one(variant, given))
        lines += compared
        keep(one, given, {**report.result(one, outcome, reasons), "comparison": rows})
    if given.quiet and reasons:
        lines += [f"  | {line}" for line in map(symbols.Namer(one), outcome.log[-20:])]
    lines += [f"  {reason}" for reason in reasons]
    print("\n".join([*lines, *([""] if lines and not given.quiet else []),
                     f"{one.stem}: {'FAILED' if reasons else 'passed'} in {time.monotonic() - begun:.1f} s"]), flush=True)
    return not reasons


def at_console(one, given):
    """Runs a scenario with a person at the console; answers the exit status."""
    if not any(libos.console for libos in one.libos):
        raise BadScenario(f"{one.stem}: no libos has `console = true`")
    one.typed, one.expect.console = [], []
    print(f"== {one.stem}: Ctrl-] leaves", flush=True)
    outcome = emulate.run(one, iso.make(one), qemu=given.qemu, person=True)
    reasons = [] if outcome.left else judge(one, outcome)
    keep(one, given, report.result(one, outcome, reasons))
    print("\n".join(["", *(f"  | {line}" for line in outcome.log[-20:] if reasons), *(f"  {reason}" for reason in reasons)]))
    return 1 if reasons else 0


def run_all(wanted, given):
    """Runs scenarios; answers whether all passed, and the variants of each file agree in what they have in common."""
    passed = [run_and_print(one, given) for one in wanted]
    reasons = [] if given.bochs or not all(passed) else compare.variants_agree(wanted, pathlib.Path(given.results))
    if reasons:
        print("\n".join(f"  {reason}" for reason in reasons))
    return all(passed) and not reasons


def main(words):
    given = arguments(words)
    try:
        wanted = chosen(given)
        if given.list:
            print("\n".join(one.stem for one in wanted))
            return 0
        if given.needs:
            print("\n".join(sorted({data.file for one in wanted for data in one.data if data.file.startswith("build/")})))
            return 0
        if given.console:
            return at_console(wanted[0], given)
        if given.gdb:
            return debug.run(wanted[0], iso.make(wanted[0]), given.gdb_script)
        if given.size:
            return size.run(wanted[0], lambda one: run_one(one, given))
        return 0 if run_all(wanted, given) else 1
    except BadScenario as error:
        print(f"tessera: {error}", file=sys.stderr)
        return 2
    except (iso.BootError, OSError) as error:
        print(f"tessera: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tessera: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
