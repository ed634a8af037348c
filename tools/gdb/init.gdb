# What `make debug` makes gdb read: settings, the commands below, and the pretty-printers.
#
#   libos NAME    take the symbols of build/libos/NAME.elf instead: all libOSes are linked at the same address
#   tessera ...   the kernel's tables: environments, frames, stlb, capability, cpu, trace (help tessera)
#   boot          run to the kernel's first C++ function

set confirm off
set pagination off
set print pretty on
set disassembly-flavor intel
set history save off

python
import glob
import os

import gdb


class UseLibos(gdb.Command):
    """libos NAME: take the symbols of one libOS instead of another's."""

    loaded = None

    def __init__(self):
        super().__init__("libos", gdb.COMMAND_FILES)

    def complete(self, text, word):
        names = (os.path.basename(path)[:-4] for path in glob.glob("build/libos/*.elf"))
        return [name for name in names if name.startswith(word or "")]

    def invoke(self, argument, from_tty):
        path = f"build/libos/{argument.strip()}.elf"
        if not os.path.isfile(path):
            raise gdb.GdbError(f"there is no {path}")
        for old in gdb.objfiles():
            if "/build/libos/" in (old.filename or ""):
                gdb.execute(f"remove-symbol-file {old.filename}", to_string=True)
        gdb.execute(f"add-symbol-file {path}", to_string=True)
        print(f"symbols of {path}")


UseLibos()
if os.path.isfile("tools/gdb/tessera.py"):
    gdb.execute("source tools/gdb/tessera.py")
end

define boot
  hbreak kernel_main
  continue
end
