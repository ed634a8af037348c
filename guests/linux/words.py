"""The words that Linux is told on the small platform, for whoever boots the guest's kernel without a monitor: read from the
header that the monitor has them from.
"""

import pathlib
import re

HEADER = pathlib.Path(__file__).resolve().parents[2] / "libos/vmm/boot/linux_command_line.hpp"


def command_line(name):
    """A constant of the header: its string literals, one behind the other."""
    value = re.search(rf"\b{name} =\n(.*?;)(?: *//.*)?$", HEADER.read_text(), re.DOTALL | re.MULTILINE)[1]
    return "".join(re.findall(r'^ *"([^"]*)"', value, re.MULTILINE))
