"""From a scenario to a bootable ISO: GRUB's configuration, the kernel, one module a libOS or file of data. BIOS and
UEFI alike.

ISOs are kept in build/iso under a hash of everything that goes in, so that one that is there need not be made.
"""

import contextlib
import hashlib
import os
import pathlib
import subprocess
import tempfile

from .damage import damaged
from .schema import BadScenario

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
KERNELS = {"kernel": BUILD / "kernel/tessera.elf", "checked": BUILD / "checked/tessera.elf",
           "unchecked": BUILD / "unchecked/tessera.elf"}

# What GRUB needs to read the ISO, show its errors on the log, load multiboot2 and end a machine that cannot boot.
_MODULES = "multiboot2 normal iso9660 serial terminal iorw test echo"
_KEPT = 48  # ISOs,
_KEPT_SIZE = 2 << 30  # and bytes: the newest ones up to here.
LOADER_FAILED = 0x14  # Written to isa-debug-exit by GRUB when a file does not load; no ExitCode of the kernel's.


class BootError(Exception):
    """The ISO cannot be made; the text says why."""


def image_path(libos):
    """The ELF file of a libOS: build/libos/NAME.elf, or a path in the repository when it has a slash."""
    if "/" not in libos.image:
        return BUILD / "libos" / f"{libos.image}.elf"
    return ROOT / libos.image


def kernel_options(kernel):
    """The kernel's command line."""
    given = {"policy": kernel.policy, "tlb.entries": kernel.tlb_entries, "quantum": kernel.quantum,
             "grace": kernel.grace, "key": kernel.key, "seed": kernel.seed}
    words = [f"{key}={value}" for key, value in given.items() if value is not None]
    return " ".join(words + ([kernel.options] if kernel.options else []))


def module_options(libos):
    """A libOS's command line: its allowances, then its own arguments behind `--`."""
    keys = ("name", "frames", "stlb", "guaranteed", "tables", "slots", "cpu")
    words = [f"{key}={getattr(libos, key)}" for key in keys] + (["arbiter=1"] if libos.arbiter else [])
    words += ["console=1"] if libos.console else []
    return " ".join(words + ([libos.options] if libos.options else []) + ["--"]
                    + ([libos.arguments] if libos.arguments else []))


def data_options(data):
    """The command line of a module that is data: its name, and which libOSes may read it."""
    return f"data={data.name} for={','.join(data.readers)}"


def _quoted(options):
    """Each word in single quotes, where GRUB leaves all but the quote itself alone; schema.py lets none through."""
    return " ".join(f"'{word}'" for word in options.split())


def grub_configuration(scenario):
    """Loads everything and boots; when a file does not load, GRUB's message is on the log and the machine ends."""
    loads = [f"multiboot2 /boot/tessera.elf {_quoted(kernel_options(scenario.kernel))}"]
    for libos in scenario.libos:
        loads.append(f"module2 /boot/{libos.name}.elf {_quoted(module_options(libos))}")
    for data in scenario.data:
        loads.append(f"module2 /data/{data.name} {_quoted(data_options(data))}")
    nested = "".join(f"if {load}; then\n" for load in loads) + "boot\n" + "fi\n" * len(loads)
    return (f"set timeout=0\nserial --unit=0 --speed=115200\nterminal_output serial\n{nested}"
            f"echo GRUB could not load the kernel or a module.\noutb 0xf4 {LOADER_FAILED:#x}\n")


def _contents(scenario):
    """Path in the ISO -> the bytes of the kernel, of every image and of all data."""
    contents = {"boot/tessera.elf": read(scenario, KERNELS[scenario.kernel.image])}
    for libos in scenario.libos:
        image = read(scenario, image_path(libos))
        try:
            contents[f"boot/{libos.name}.elf"] = damaged(image, libos.damage) if libos.damage else image
        except ValueError as error:
            raise BadScenario(f"{scenario.stem}: {libos.name}: {libos.damage}: {error}") from None
    for data in scenario.data:
        contents[f"data/{data.name}"] = read(scenario, ROOT / data.file, "data")
    return contents


def read(scenario, path, what="image"):
    """The bytes of a file that is to be loaded."""
    where = os.path.relpath(path, ROOT)
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise BadScenario(f"{scenario.stem}: cannot read the {what} {where} (not built?): {error.strerror}") from None
    if not contents:
        raise BadScenario(f"{scenario.stem}: the {what} {where} is empty")
    return contents


def _forget_old():
    kept = []
    for path in (BUILD / "iso").glob("*.iso"):
        with contextlib.suppress(FileNotFoundError):  # Another runner forgets old ones, too.
            found = path.stat()
            kept.append((found.st_mtime, path, found.st_size))
    size = 0
    for number, (_, path, its_size) in enumerate(sorted(kept, reverse=True)):
        size += its_size
        if number >= _KEPT or (number and size > _KEPT_SIZE):
            path.unlink(missing_ok=True)


def make(scenario):
    """The path of the scenario's ISO, which is made when it is not there."""
    contents, configuration = _contents(scenario), grub_configuration(scenario)
    digest = hashlib.sha256(f"{_MODULES}\n{configuration}".encode())
    for name, image in contents.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(image).digest())
    iso = BUILD / "iso" / f"{digest.hexdigest()[:24]}.iso"
    if iso.is_file():
        os.utime(iso)
        return iso
    iso.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="make-", dir=iso.parent) as work:
        tree = pathlib.Path(work) / "tree"
        (tree / "boot/grub").mkdir(parents=True)
        for name, image in contents.items():
            (tree / name).parent.mkdir(exist_ok=True)
            (tree / name).write_bytes(image)
        (tree / "boot/grub/grub.cfg").write_text(configuration)
        command = ["grub-mkrescue", "-o", f"{work}/boot.iso", f"--install-modules={_MODULES}",
                   "--fonts=", "--locales=", "--themes=", str(tree)]
        try:
            made = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        except OSError as error:
            raise BootError(f"cannot run grub-mkrescue: {error.strerror}") from None
        if made.returncode:
            raise BootError("grub-mkrescue failed:\n" + "\n".join((made.stdout + made.stderr).splitlines()[-8:]))
        os.replace(f"{work}/boot.iso", iso)
    _forget_old()
    return iso
