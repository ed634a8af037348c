"""Makes the first file system of a Linux guest: busybox, a program of ours, the modules of modules.py, and userland/.

    initramfs.py UNPACKED PROGRAM INITRD

It is not compressed: loading it takes less time than unpacking it would, in every guest anew.
"""

import pathlib
import subprocess
import sys

from cpio import Archive
from modules import Incomplete, WANTED, tables

USERLAND = pathlib.Path(__file__).parent / "userland"
FOLDERS = ("bin", "sbin", "dev", "proc", "sys", "tmp", "run", "mnt", "lib", "lib/modules", "roles", "www", "www/cgi-bin")


def applets(busybox):
    """What this busybox can be called."""
    made = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    return sorted(set(made.stdout.split()) - {"busybox"})


def release(modules):
    """The kernel release that the modules are for, by which modprobe finds them."""
    releases = {contents.partition(b"\0vermagic=")[2].partition(b" ")[0].decode() for contents in modules.values()}
    if len(releases) != 1 or "" in releases:
        raise Incomplete(f"the modules are for {len(releases)} kernels: {', '.join(sorted(releases))}")
    return releases.pop()


def make(unpacked, program):
    """The file system's bytes, as an archive."""
    archive = Archive()
    for folder in FOLDERS:
        archive.folder(folder)
    archive.character_device("dev/console", 5, 1)  # Where the kernel opens the first program's output, before /dev is there.
    archive.file("bin/busybox", (unpacked / "busybox").read_bytes(), executable=True)
    archive.file(f"bin/{program.name}", program.read_bytes(), executable=True)
    for applet in applets(unpacked / "busybox"):
        archive.link(f"bin/{applet}", "busybox")
    archive.link("sbin/modprobe", "../bin/busybox")  # Where the kernel looks for it.
    modules = {name: (unpacked / f"{name}.ko").read_bytes() for name in WANTED}
    folder = f"lib/modules/{release(modules)}"
    archive.folder(folder)
    for name, contents in [*((f"{name}.ko", contents) for name, contents in modules.items()), *tables(modules).items()]:
        archive.file(f"{folder}/{name}", contents)
    for path in sorted(path for path in USERLAND.rglob("*") if path.is_file()):
        archive.file(str(path.relative_to(USERLAND)), path.read_bytes(), executable=True)
    return archive.finished()


def main(unpacked, program, target):
    try:
        target.write_bytes(make(unpacked, program))
    except (Incomplete, OSError, subprocess.CalledProcessError) as error:
        print(f"initramfs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(pathlib.Path, sys.argv[1:4])))
