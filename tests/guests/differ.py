"""`make differ-tests`: generated sequences of instructions, run on QEMU alone and in each kind of guest; what is left of the machine must be equal.

The image is guests/differ; docs/equivalence.md says what is compared, and what is left out and why.

    tools/python tests/guests/differ.py [--seed N] [--seeds N] [--first N] [--count N] [--form NAME]... [--keep-going]

`--seeds` takes so many seeds from `--seed` on; `--keep-going` explains every batch that differs, not only the first.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from tessera_run.machine import CPU_MODEL  # noqa: E402

IMAGE = "build/guests/differ.elf"
TIME_LIMIT = 1200  # Seconds, for a host that is busy.
BATCH = 64
GOOD = 0x20 << 1 | 1
CLASSES = ("arithmetic memory branch flags faults control write-protect debug tables segments descriptors model-registers transfers ports paging "
           "identity undefined virtualization fpu made-return").split()

# A form of guest: the monitor, what it is told, and the classes that it does not reach in ring 0 and in ring 3, with the reason.
Form = collections.namedtuple("Form", "image arguments kernel_without user_without")
ENABLED = "EFER.SVME is set in the real CPU: #GP instead of #UD"
SHOWN = "runs, and shows or loads what is the machine's: nothing is replaced in a guest's user mode"
TRUSTED = "the rewriter trusts returns: what is behind one that no call has prepared has not been looked at"
IN_USER_MODE = {each: SHOWN for each in ("flags", "segments", "descriptors", "identity", "transfers")}
FORMS = {
    "nested": Form("linux_guest", "vmlinux=differ paging=nested", {"virtualization": ENABLED}, {"virtualization": ENABLED}),
    "shadow": Form("linux_guest", "vmlinux=differ paging=shadow", {"virtualization": ENABLED}, {"virtualization": ENABLED}),
    "rewritten": Form("trapped_guest", "kernel=differ code=rewrite", {"made-return": TRUSTED}, IN_USER_MODE),
    "translated": Form("trapped_guest", "kernel=differ code=translate", {}, IN_USER_MODE),
    "inlined": Form("trapped_guest", "kernel=differ code=translate inline=0", {}, IN_USER_MODE),
}

SCENARIO = """title = "generated sequences"
[machine]
memory = 256
time_limit = {limit}
[kernel]
quantum = 2000
[[libos]]
image = "{image}"
name = "monitor"
arguments = "{arguments} memory=32 cmdline={words}"
frames = 32768
stlb = 16384
[[data]]
file = "{file}"
name = "differ"
for = ["monitor"]
"""


def mask(without):
    return sum(1 << number for number, name in enumerate(CLASSES) if name not in without)


def words_of(form, **options):
    masks = {"kernel": mask(form.kernel_without), "user": mask(form.user_without)}
    return " ".join(f"{name}={value}" for name, value in (options | masks).items())


class Failed(Exception):
    """A run that did not come to its end."""


def lines_of(output, status, good):
    lines = [line[1] for line in re.finditer(r"(?:^|\| |: )(differ: .*| {2,4}[a-z][a-z0-9 ]* 0x[0-9a-f]+)\r?$", output, re.MULTILINE)]
    if status != good or not any(line.startswith("differ: done") for line in lines):
        raise Failed(output[-6000:])
    return lines


def run_bare(words):
    made = subprocess.run(["qemu-system-x86_64", "-accel", "tcg", "-cpu", CPU_MODEL, "-m", "64", "-nodefaults", "-no-reboot", "-display", "none",
                           "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", str(ROOT / IMAGE), "-append",
                           f"{words} exit=f4"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=TIME_LIMIT,
                          check=False)
    return lines_of(made.stdout + made.stderr, made.returncode, GOOD)


def run_guest(form, words):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"differ-{form.image}.toml"
        path.write_text(SCENARIO.format(limit=TIME_LIMIT, image=form.image, arguments=form.arguments, words=words, file=IMAGE))
        made = subprocess.run([str(ROOT / "tools/tessera"), str(path)], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=TIME_LIMIT + 120, check=False, cwd=ROOT)
    return lines_of(made.stdout + made.stderr, made.returncode, 0)


def digests(lines):
    return {int(m[1]): m[2] for line in lines if (m := re.match(r"differ: through (\d+) (0x[0-9a-f]+)", line))}


def sequences(lines):
    """By number: (title, code, words)."""
    found = {}
    for line in lines:
        if m := re.match(r"differ: sequence (\d+) (.*)", line):
            current = found[int(m[1])] = (m[2], [], [])
        elif line.startswith("differ: code"):
            current[1].append(bytes(int(word, 16) for word in line.split()[2:]))
        elif line.startswith("  "):
            name, value = line.rsplit(" ", 1)
            current[2].append((name[2:], value))
    return found


def disassemble(code, address):
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(code))
        file.flush()
        text = subprocess.run(["objdump", "-D", "-b", "binary", "-m", "i386:x86-64", f"--adjust-vma={address}", file.name], capture_output=True,
                              text=True, check=True).stdout
    return [line for line in text.splitlines() if "\t" in line]


def exceptions(words):
    """(vector, error, offset, what else) of each, and the rest of the words."""
    events, rest = [], []
    for name, value in words:
        if name == "exception":
            events.append([value])
        elif name.startswith("  "):
            events[-1].append(f"{name.strip()} {value}")
        else:
            rest.append((name, value))
    return [" ".join(event) for event in events], rest


def differences(here, there):
    events, rest = exceptions(here)
    other_events, other_rest = exceptions(there)
    shared = next((i for i, (a, b) in enumerate(zip(events, other_events)) if a != b), min(len(events), len(other_events)))
    lines = [f"  {who}: exception {event}" for who, some in (("bare", events), ("guest", other_events)) for event in some[shared:shared + 2]]
    return lines + [f"  {a[0]}: bare {a[1]}, guest {b[1]}" for a, b in zip(rest, other_rest) if a != b][:16]


def explain(form, seed, first, begin, last):
    """What differs from `begin` to `last`, in words: by themselves or, if it takes that, behind those from `first` on."""
    words = words_of(form, seed=seed, first=begin, count=last - begin + 1, show=1)
    text = explain_run(form, words)
    if text or begin == first:
        return text
    words = words_of(form, seed=seed, first=first, count=last - first + 1, show=begin + 1)
    return ["  alone they are not:"] + explain_run(form, words)


def explain_run(form, words):
    bare, guest = sequences(run_bare(words)), sequences(run_guest(form, words))
    text = []
    for number, (title, code, here) in bare.items():
        there = guest[number][2]
        if here == there:
            continue
        text += [f"sequence {number} {title}"] + disassemble(code, title.split()[-1])
        text += differences(here, there)
    return text


def compare(name, seed, first, count, keep_going):
    """The lines to print, and whether all is equal."""
    form = FORMS[name]
    words = words_of(form, seed=seed, first=first, count=count, batch=BATCH)
    bare, guest = run_bare(words), run_guest(form, words)
    here, there = digests(bare), digests(guest)
    pieces = {m[1]: int(m[2]) for line in bare if (m := re.match(r"differ: class (\S+) (\d+)", line))}
    lines = [f"{name}: {count} sequences of seed {seed}, {sum(pieces.values())} pieces: " + ", ".join(f"{k} {v}" for k, v in pieces.items())]
    for where, without in (("ring 0", form.kernel_without), ("ring 3", form.user_without)):
        lines += [f"  out of reach in {where}: {each}: {why}" for each, why in without.items()]
    wrong = [last for last in here if here[last] != there.get(last)]
    for last in wrong if keep_going else wrong[:1]:
        begin = max(first, last - BATCH + 1)
        lines.append(f"  different: sequences {begin} to {last}, {here[last]} and {there.get(last, 'nothing')}")
        lines += explain(form, seed, first, begin, last)
    return lines, not wrong and list(here) == list(there) and tuple(pieces) == tuple(CLASSES)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1024)
    parser.add_argument("--form", choices=FORMS, action="append")
    parser.add_argument("--keep-going", action="store_true")
    options = parser.parse_args()
    failed = 0
    forms = options.form or list(FORMS)
    runs = [(name, seed) for seed in range(options.seed, options.seed + options.seeds) for name in forms]
    for name, seed in runs:
        try:
            lines, good = compare(name, seed, options.first, options.count, options.keep_going)
        except Failed as failure:
            lines, good = [f"{name}: did not come to its end:", str(failure)], False
        failed += not good
        print("\n".join(lines))
        print(f"{name}: {'equal' if good else 'DIFFERENT'}", flush=True)
    print(f"{len(runs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
