"""Which modules of Debian's kernel a guest gets, and the two tables by which its `modprobe` finds them.

Debian makes those tables when a kernel is installed (depmod); here they are made of what every module says about itself, for
the modules that are taken. Source: the .modinfo section, Linux include/linux/module.h.
"""

import re

# The devices of the small platform are virtio ones on PCI; ext4 is also Debian's driver for the ext2 that busybox can make.
WANTED = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
          "virtio_blk", "failover", "net_failover", "virtio_net", "virtio_console", "virtio_balloon",
          "crc16", "crc32c_generic", "mbcache", "jbd2", "ext4")


class Incomplete(Exception):
    """A module needs one that is not taken."""


def said(contents, key):
    """The values of a key in a module's .modinfo."""
    return [value.decode("ascii", "replace") for value in re.findall(rb"(?:^|\0)" + key.encode() + rb"=([^\0]*)", contents)]


def needs(name, files):
    """The modules that a module needs, in the order in which they must be loaded. `files`: name -> contents."""
    result = []
    for direct in [one.replace("-", "_") for value in said(files[name], "depends") for one in value.split(",") if one]:
        if direct not in files:
            raise Incomplete(f"{name} needs {direct}, which guests/linux/modules.py does not list")
        result += [one for one in (*needs(direct, files), direct) if one not in result]
    return result


def tables(files):
    """modules.dep, where what must be loaded first stands last, and modules.alias."""
    dep = "".join(f"{name}.ko:{''.join(f' {one}.ko' for one in reversed(needs(name, files)))}\n" for name in files)
    alias = "".join(f"alias {value} {name}\n" for name in files for value in said(files[name], "alias"))
    return {"modules.dep": dep.encode(), "modules.alias": alias.encode()}
