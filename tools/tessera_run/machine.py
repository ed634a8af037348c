"""The emulated machine, stated in one place: how QEMU and Bochs are called.

TCG always, and one CPU model unless a scenario is about others: the model changes results, so every result says which
it was.
"""

import pathlib
import shutil
import subprocess

CPU_MODEL = "qemu64,+smep,+smap,+umip,+rdrand,+fsgsbase,+rdtscp,+pdpe1gb,+svm,+npt"
BOCHS_MODEL = "corei7_haswell_4770"
UEFI = "/usr/share/ovmf/OVMF.fd"
QEMU = "qemu-system-x86_64"


def version_of(program):
    """The first line of `program --version`, or a note that there is none."""
    try:
        out = subprocess.run([program, "--version"], capture_output=True, text=True, errors="replace",
                             stdin=subprocess.DEVNULL, check=False, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "not found"
    return next((line.strip() for line in out.splitlines() if line.strip()), "unknown")


def cpu_model(machine):
    """QEMU's CPU, as the scenario wants it or the one for everything that is measured. One that does not say that it is emulated is taken for a real one by the kernel, which then uses what it
    otherwise leaves alone (exokernel/arch/x86_64/features.cpp)."""
    model = machine.cpu or CPU_MODEL
    return model if machine.admits_emulation else model + ",-hypervisor"


def qemu_command(machine, iso, com1, com2, gdb_port=None, qemu=QEMU, com3=None):
    """QEMU's command line. `com1`, `com2`: paths that it opens for writing; `com3`: a socket that it inherits."""
    # One host thread a CPU, where there is more than one: named, as QEMU's own choice depends on the host.
    threads = ",thread=single" if machine.icount else ",thread=multi" if machine.cpus > 1 else ""
    command = [qemu, "-accel", f"tcg{threads}",
               "-M", "q35", "-cpu", cpu_model(machine), "-m", f"{machine.memory}M", "-smp", str(machine.cpus),
               "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot", "-boot", "d", "-cdrom", str(iso),
               "-chardev", f"file,id=com1,path={com1}", "-serial", "chardev:com1",
               "-chardev", f"file,id=com2,path={com2}", "-serial", "chardev:com2",
               "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
    if com3 is not None:
        command += ["-chardev", f"socket,id=com3,fd={com3}", "-serial", "chardev:com3"]
    if machine.icount:
        # -seed: RDRAND gives the same numbers in every run, too.
        command += ["-icount", "shift=0,sleep=off", "-rtc", "base=2000-01-01,clock=vm", "-seed", "1"]
    if machine.firmware == "uefi":
        command += ["-bios", UEFI]
    if gdb_port:
        command += ["-S", "-gdb", f"tcp:127.0.0.1:{gdb_port}"]
    return command


def bochs_command(machine, iso, com1, com2, folder):
    """Bochs's command line; writes its two files into `folder`."""
    folder = pathlib.Path(folder)
    (folder / "bochsrc").write_text(f"""\
cpu: model={BOCHS_MODEL}, count={machine.cpus}, ips=50000000, reset_on_triple_fault=0
memory: guest={machine.memory}, host={machine.memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
display_library: rfb, options="timeout=0"
com1: enabled=1, mode=file, dev={com1}
com2: enabled=1, mode=file, dev={com2}
clock: sync=none
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
panic: action=fatal
error: action=ignore
info: action=ignore
log: {folder}/bochs.log
""")
    (folder / "commands").write_text("c\n")
    return [shutil.which("bochs") or "bochs", "-q", "-rc", str(folder / "commands"), "-f", str(folder / "bochsrc")]


def description(machine, bochs, qemu=QEMU):
    """What a result must say about where it was measured."""
    if bochs:
        return {"emulator": "Bochs", "version": version_of("bochs"), "cpu_model": BOCHS_MODEL, "firmware": "bios",
                "icount": False, "cpus": machine.cpus, "memory_mib": machine.memory}
    return {"emulator": "QEMU", "version": version_of(qemu), "cpu_model": cpu_model(machine), "firmware": machine.firmware,
            "icount": machine.icount, "cpus": machine.cpus, "memory_mib": machine.memory}
