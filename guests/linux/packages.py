"""Debian's kernel and busybox, out of Debian's own packages: downloaded by apt, checked, kept, and unpacked as far as needed.

    packages.py FOLDER      the packages go to FOLDER/packages, what is used of them to FOLDER/unpacked

What was taken is written down in FOLDER/packages.json, with the versions and the SHA-256 of apt's own index. Packages that
stand there are not asked for again, so that with them no network is needed. Nothing has to be installed and nobody has to
be root: where the machine's lists are missing or too old, newer ones are fetched into FOLDER.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

from modules import WANTED

KERNEL = "linux-image-amd64"  # Depends on the current linux-image-6.1.*-amd64: the kernel that Debian installs.
BUSYBOX = "busybox-static"
USED = {re.compile(r"\./boot/(vmlinuz)-[^/]+"), re.compile(r"\./bin/(busybox)"),
        re.compile(rf"\./lib/modules/[^/]+/kernel/.*/((?:{'|'.join(WANTED)})\.ko)")}


class NotThere(Exception):
    """A package that cannot be had; the text says why."""


class Apt:
    """apt, with the machine's lists or with some of our own in `folder`."""

    def __init__(self, folder=None):
        self._options = ["-q", "-o", "Acquire::Retries=2", "-o", "APT::Update::Error-Mode=any"]
        if folder:
            (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
            (folder / "archives/partial").mkdir(parents=True, exist_ok=True)
            self._options += ["-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}"]

    def run(self, *words, cwd=None):
        try:
            made = subprocess.run([words[0], *self._options, *words[1:]], cwd=cwd, stdin=subprocess.DEVNULL, check=False,
                                  capture_output=True, text=True, errors="replace", env={**os.environ, "LC_ALL": "C"})
        except OSError as error:
            raise NotThere(f"cannot run {words[0]}: {error.strerror}") from None
        if made.returncode:
            errors = [line for line in made.stderr.splitlines() if line.startswith("E:")] or ["E: it failed"]
            raise NotThere(f"{' '.join(words)}: {errors[-1].removeprefix('E: ')}")
        return made.stdout

    def entry(self, package):
        """The fields of a package's newest entry in the index."""
        text = self.run("apt-cache", "show", "--no-all-versions", package)
        return dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", text, re.MULTILINE))

    def find(self):
        """The entries of what is wanted."""
        depends = re.search(r"\blinux-image-[0-9][^ ,]*-amd64\b", self.entry(KERNEL).get("Depends", ""))
        if not depends:
            raise NotThere(f"{KERNEL} names no kernel")
        return [self.entry(depends[0]), self.entry(BUSYBOX)]

    def download(self, entry, folder):
        """The package's file, which is as the index says."""
        file = folder / (pathlib.PurePath(entry["Filename"]).name)
        if not is_intact(file, entry["SHA256"]):
            work = folder / "partial"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            print(f"  APT    {entry['Package']} {entry['Version']}", flush=True)
            self.run("apt-get", "download", f"{entry['Package']}={entry['Version']}", cwd=work)
            (found,) = work.glob("*.deb")
            if not is_intact(found, entry["SHA256"]):
                raise NotThere(f"{found.name} is not what apt's index describes")
            found.rename(file)
            work.rmdir()
        return {"package": entry["Package"], "version": entry["Version"], "sha256": entry["SHA256"], "file": file.name}


def is_intact(file, digest):
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest


def kept(folder):
    """What packages.json says, if all of it still stands there."""
    try:
        packages = json.loads((folder / "packages.json").read_text())
        return packages if all(is_intact(folder / "packages" / one["file"], one["sha256"]) for one in packages) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fetch(folder):
    """The packages, kept or downloaded."""
    packages = kept(folder)
    if packages:
        return packages
    (folder / "packages").mkdir(parents=True, exist_ok=True)
    try:
        apt = Apt()
        return [apt.download(entry, folder / "packages") for entry in apt.find()]
    except NotThere:
        print("  APT    update", flush=True)
    apt = Apt(folder / "apt")
    apt.run("apt-get", "update")
    return [apt.download(entry, folder / "packages") for entry in apt.find()]


def unpack(package, folder):
    """Writes what is used of a package's files into `folder`, all into one."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            for member in tar:
                used = next(filter(None, (pattern.fullmatch(member.name) for pattern in USED)), None)
                if used and member.isfile():
                    (folder / used[1]).write_bytes(tar.extractfile(member).read())
                    (folder / used[1]).chmod(member.mode)
    if process.returncode:
        raise NotThere(f"dpkg-deb could not unpack {package.name}")


def main(folder):
    try:
        packages = fetch(folder)
        unpacked = folder / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir()
        for one in packages:
            unpack(folder / "packages" / one["file"], unpacked)
    except NotThere as error:
        print(f"packages: {error}\npackages: the Linux guest is made of Debian's packages, which apt downloads once: it needs the\n"
              "    network, or the packages of an earlier build in build/guests/linux, or its .deb files there in packages/",
              file=sys.stderr)
        return 1
    missing = {"vmlinuz", "busybox", *(f"{name}.ko" for name in WANTED)} - {path.name for path in unpacked.iterdir()}
    if missing:
        print(f"packages: these are not in the packages: {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    (folder / "packages.json").write_text(json.dumps(packages, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
