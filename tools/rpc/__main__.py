"""Compiles one interface file. exit status: 0 done; 1 the file is wrong, which is said with its line."""

import pathlib
import sys

from . import cpp, language


def main(arguments):
    if len(arguments) != 2:
        print("usage: tools/python -m rpc FILE.rpc OUT.hpp", file=sys.stderr)
        return 2
    source, target = arguments
    try:
        interface = language.read(pathlib.Path(source).read_text("utf-8"), source)
    except (OSError, UnicodeDecodeError, language.BadInterface) as error:
        print(error, file=sys.stderr)
        return 1
    target = pathlib.Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(cpp.generate(interface, source), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
