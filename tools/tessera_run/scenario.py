"""A scenario: one TOML file that says which libOSes run together, on what machine, and what must come of it.

keys.py lists what may stand in it. A file is hostile input: whatever it holds, the answer is a Scenario or
`BadScenario` naming file, line and key.
"""

import copy
import itertools
import pathlib
import re
import tomllib
from types import SimpleNamespace

from .keys import (KEYS, LARGEST_FILE, LISTS, MOST_DATA, MOST_DATA_OF_ONE, MOST_TYPED, MOST_VARIANTS, NAME_LENGTH,
                   REQUIRED)
from .locate import Lines
from .schema import BadScenario, Wrong, shown


def name_from(stem):
    """A file's name made into one that an environment may have."""
    return re.sub("[^a-z0-9_-]", "_", stem.lower())[:NAME_LENGTH]


class Scenario(SimpleNamespace):
    """A checked scenario: .stem, .title, .machine, .kernel, .libos (a list, copies made), .data and
    .typed (lists), .expect, .results."""


class _Reader:
    def __init__(self, name, lines, overridden):
        self.name, self.lines, self.overridden = name, lines, overridden

    def fail(self, path, message):
        words = [part if re.fullmatch("[A-Za-z0-9_.*-]+", part) else shown(part) for part in path if isinstance(part, str)]
        dotted = ".".join(words) or "file"
        if dotted in self.overridden:
            raise BadScenario(f"--set {self.overridden[dotted]}: {message}")
        raise BadScenario(f"{self.name}:{self.lines.of(path)}: {dotted}: {message}")

    def table(self, data, keys, path):
        if not isinstance(data, dict):
            self.fail(path, f"must be a table, not {shown(data)}")
        for key in data:
            if key not in keys:
                self.fail(path + (key,), f"there is no such key; allowed here: {', '.join(keys)}")
        result = SimpleNamespace()
        for key, (check, default) in keys.items():
            if key not in data:
                if default is REQUIRED:
                    self.fail(path, f"needs the key '{key}'")
                setattr(result, key, copy.copy(default))
                continue
            try:
                setattr(result, key, check(data[key]))
            except Wrong as wrong:
                self.fail(path + (key,), str(wrong))
        return result

    def libos_list(self, data, cpus, fold):
        entries = data.get("libos")
        if not isinstance(entries, list) or not entries:
            self.fail(("libos",), "a scenario needs one [[libos]] or more")
        result, first_with = [], {}
        for index, entry in enumerate(entries):
            path = ("libos", index)
            libos = self.table(entry, KEYS["libos"], path)
            libos.name = libos.name or name_from(pathlib.PurePath(libos.image).stem)
            for number in range(1, libos.copies + 1):
                one = copy.copy(libos)
                if libos.copies > 1:
                    one.name = f"{libos.name}-{number}"
                if not one.name or len(one.name) > NAME_LENGTH:
                    self.fail(path + ("name",), f"'{one.name}' is not 1 to {NAME_LENGTH} characters long")
                if one.name in first_with:
                    self.fail(path + ("name",), f"'{one.name}' is taken by the libos of line {first_with[one.name]}")
                if fold:
                    one.cpu %= cpus
                if one.cpu >= cpus:
                    self.fail(path + ("cpu",), f"there is no CPU {one.cpu}; machine.cpus is {cpus}")
                first_with[one.name] = self.lines.of(path)
                result.append(one)
        if len(result) > 63:
            self.fail(("libos",), f"{len(result)} environments; the kernel has room for 63")
        return result

    def tables(self, data, key, most):
        """The tables of a list that may be left out, each with its path."""
        entries = data.get(key, [])
        if not isinstance(entries, list) or len(entries) > most:
            self.fail((key,), f"must be written [[{key}]], at most {most} times")
        return [(self.table(entry, KEYS[key], (key, index)), (key, index)) for index, entry in enumerate(entries)]

    def data_list(self, data, libos_names):
        result, first_with = [], {}
        for one, path in self.tables(data, "data", MOST_DATA):
            one.name = one.name or name_from(pathlib.PurePath(one.file).stem)
            one.readers = list(dict.fromkeys(getattr(one, "for")))
            if ".." in pathlib.PurePath(one.file).parts:
                self.fail(path + ("file",), "must lie in the repository")
            if one.name in first_with:
                self.fail(path + ("name",), f"'{one.name}' is taken by the data of line {first_with[one.name]}")
            if not one.readers:
                self.fail(path + ("for",), "must name one libos or more")
            for name in one.readers:
                self.must_be_libos(name, libos_names, path + ("for",))
                if sum(name in other.readers for other in result) == MOST_DATA_OF_ONE:
                    self.fail(path + ("for",), f"'{name}' has {MOST_DATA_OF_ONE} already, and no room for more")
            first_with[one.name] = self.lines.of(path)
            result.append(one)
        return result

    def check_console(self, scenario):
        owners = [libos.name for libos in scenario.libos if libos.console]
        if len(owners) > 1:
            self.fail(("libos",), f"there is one console, and {' and '.join(owners)} want it")
        if not owners and (scenario.typed or scenario.expect.console):
            self.fail(("typed",) if scenario.typed else ("expect", "console"), "no libos has `console = true`")

    def must_be_libos(self, name, libos_names, path):
        if name not in libos_names:
            self.fail(path, f"there is no libos '{name}'; there are: {', '.join(sorted(libos_names))}")

    def scenario(self, data, stem, changed=()):
        """The scenario in `data`, of which the dotted keys `changed` were set by a variant or from outside."""
        groups = [table for table in KEYS if table]
        top = {key: value for key, value in data.items() if key not in groups and key != "matrix"}
        for key in top:
            if key not in KEYS[""]:
                self.fail((key,), f"there is no such key; allowed here: {', '.join([*KEYS[''], *groups, 'matrix'])}")
        result = Scenario(stem=stem, title=self.table(top, KEYS[""], ()).title)
        for group in groups:
            if group not in LISTS:
                setattr(result, group, self.table(data.get(group, {}), KEYS[group], (group,)))
        # A variant with fewer CPUs has its libOSes on those.
        result.libos = self.libos_list(data, result.machine.cpus, "machine.cpus" in changed)
        if result.machine.icount and result.machine.cpus > 1:
            # Whoever asks for more CPUs than the file has a run without icount; the file itself has to choose.
            if "machine.cpus" not in changed or "machine.icount" in changed:
                self.fail(("machine", "cpus"), "must be 1 with icount")
            result.machine.icount = False
        names = {libos.name for libos in result.libos}
        result.data = self.data_list(data, names)
        result.typed = [one for one, _ in self.tables(data, "typed", MOST_TYPED)]
        self.check_console(result)
        for name in result.expect.ended:
            self.must_be_libos(name, names, ("expect", "ended"))
        return result


def parse_value(written):
    """The value of `--set key=value`: as in TOML, or else a bare text."""
    try:
        return tomllib.loads(f"value = {written}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return written


def _put(data, dotted, value):
    """Sets `kernel.policy` or, by the libOS's name or for all of them, `libos.NAME.frames` and `libos.*.frames`."""
    parts = dotted.split(".")
    entries = data.get("libos") if isinstance(data.get("libos"), list) else []
    if len(parts) == 3 and parts[0] == "libos":
        hits = [entry for entry in entries if isinstance(entry, dict)
                and parts[1] in ("*", entry.get("name", entry.get("image")))]
        if not hits:
            raise BadScenario(f"{dotted}: there is no libos '{parts[1]}'")
        for entry in hits:
            entry[parts[2]] = value
    elif len(parts) == 2 and isinstance(data.setdefault(parts[0], {}), dict):
        data[parts[0]][parts[1]] = value
    else:
        raise BadScenario(f"{dotted}: a key is table.key or libos.NAME.key")


def _variants(reader, data):
    """The combinations that [matrix] asks for, each as (label, {dotted key: value}); one empty one without it."""
    matrix = data.get("matrix", {})
    if not isinstance(matrix, dict):
        reader.fail(("matrix",), f"must be a table, not {shown(matrix)}")
    for key, values in matrix.items():
        if not isinstance(values, list) or not values:
            reader.fail(("matrix", key), f"must be a list of the values to run with, not {shown(values)}")
    count = 1
    for values in matrix.values():
        count *= len(values)
    if count > MOST_VARIANTS:
        reader.fail(("matrix",), f"makes {count} variants; at most {MOST_VARIANTS} are allowed")
    for values in itertools.product(*matrix.values()):
        chosen = dict(zip(matrix, values))
        label = ",".join(f"{key.rsplit('.', 1)[-1]}={value}" for key, value in chosen.items())
        yield re.sub(r"[^A-Za-z0-9_.,=-]", "_", label)[:100], chosen


def read(contents, name, stem, overrides=()):
    """The scenarios (more than one with a [matrix]) in a file's bytes. `overrides`: pairs of dotted key and value."""
    if len(contents) > LARGEST_FILE:
        raise BadScenario(f"{name}:1: file: is larger than {LARGEST_FILE} bytes")
    try:
        decoded = contents.decode("utf-8")
        data = tomllib.loads(decoded)
    except UnicodeDecodeError as error:
        line = contents[:error.start].count(b"\n") + 1
        raise BadScenario(f"{name}:{line}: file: is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        number = line[1] if line else contents.count(b"\n") + 1
        raise BadScenario(f"{name}:{number}: file: is not TOML: {error}") from None
    except (RecursionError, ValueError) as error:
        raise BadScenario(f"{name}:1: file: cannot be read as TOML: {shown(str(error))}") from None
    reader = _Reader(name, Lines(decoded), {re.sub(r"^libos\..*\.", "libos.", key): key for key, _ in overrides})
    scenarios = []
    for label, chosen in _variants(reader, data):
        changed = copy.deepcopy(data)
        for key, value in [*chosen.items(), *overrides]:
            try:
                _put(changed, key, value)
            except BadScenario as error:
                if (key, value) in overrides:
                    raise BadScenario(f"--set {error}") from None
                reader.fail(("matrix",), str(error))
        keys = {*chosen, *(key for key, _ in overrides)}
        scenarios.append(reader.scenario(changed, f"{stem}.{label}" if label else stem, keys))
    return scenarios


def load(path, overrides=()):
    """As `read`, from a file."""
    path = pathlib.Path(path)
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise BadScenario(f"{path}: {error.strerror}") from None
    return read(contents, str(path), path.stem, overrides)
