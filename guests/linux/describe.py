"""Says what a Linux guest is made of, and writes it down with everything that identifies it.

    describe.py FOLDER RESULT
"""

import hashlib
import json
import pathlib
import sys


def main(folder, result):
    packages = json.loads((folder / "packages.json").read_text())
    files = {name: (folder / name).read_bytes() for name in ("unpacked/vmlinuz", "vmlinux", "initrd", "disk")}
    described = {pathlib.PurePath(name).name: {"bytes": len(contents), "sha256": hashlib.sha256(contents).hexdigest()}
                 for name, contents in files.items()}
    described["vmlinux"]["bytes_without_zeros_at_the_end"] = len(files["vmlinux"].rstrip(b"\0"))
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps({"packages": packages, "files": described}, indent=1) + "\n")
    for one in packages:
        print(f"  {one['package']} {one['version']}  sha256 {one['sha256'][:16]}...")
    for name, one in described.items():
        print(f"  {name:<8} {one['bytes']:>11,} bytes  sha256 {one['sha256'][:16]}...")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(pathlib.Path, sys.argv[1:3])))
