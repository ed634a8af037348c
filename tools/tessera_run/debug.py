"""`make debug`: QEMU stands before its first instruction, gdb is attached, kernel and libOS symbols are loaded.

The terminal belongs to gdb: the log goes to build/debug/log (`tail -f` it from another one).
"""

import os
import signal
import socket
import subprocess

from . import iso, machine


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def gdb_command(scenario, port, script=None):
    """gdb's command line: kernel symbols, the hooks of tools/gdb, the first libOS's symbols, attached to `port`. It waits for QEMU to
    open that, and to answer, as long as a busy host may take."""
    hooks = iso.ROOT / "tools/gdb/init.gdb"
    first = iso.image_path(scenario.libos[0])
    return ["gdb", "-q", "-iex", f"add-auto-load-safe-path {iso.ROOT}", "-iex", "set tcp connect-timeout 120",
            "-iex", "set remotetimeout 120", str(iso.KERNELS[scenario.kernel.image]),
            "-x", str(hooks), "-ex", f"add-symbol-file {first}", "-ex", f"target remote 127.0.0.1:{port}",
            *(["-batch", "-x", str(script)] if script else [])]


def run(scenario, image, script=None):
    """Runs gdb until the user leaves it, or to the end of a script, then ends QEMU. Answers gdb's status."""
    folder = iso.BUILD / "debug"
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    command = machine.qemu_command(scenario.machine, image, folder / "log", folder / "records", gdb_port=port)
    if any(libos.console for libos in scenario.libos):
        command += ["-serial", "null"]  # The port is there, and nobody types.
    print(f"the log is in {folder / 'log'}; `continue` starts the machine", flush=True)
    qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is gdb's.
        gdb = subprocess.Popen(gdb_command(scenario, port, script), cwd=iso.ROOT,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        return gdb.wait()
    except OSError as error:
        raise iso.BootError(f"cannot run gdb: {os.strerror(error.errno or 0)}") from None
    finally:
        signal.signal(signal.SIGINT, previous)
        qemu.kill()
        qemu.wait()
