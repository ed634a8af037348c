"""`make debug-tests`: the debugger's commands and printers, in a real gdb on a real kernel that stopped in a libOS,
and the names in a real panic.

One session runs to the first line of hello's `libos_main` and asks everything; each test looks at one answer.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import test_layer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOT_INFO = "((tessera::BootInfo*)0x200000)"  # kBootInfoAddress
COMMANDS = ["tessera environments", "tessera frames", "tessera frames 1", "tessera stlb", "tessera stlb 1",
            "tessera cpu", "tessera trace", "tessera trace 1", f"tessera capability {BOOT_INFO}->image",
            f"tessera capability &{BOOT_INFO}->context", f"print {BOOT_INFO}->image", f"print {BOOT_INFO}->self",
            f"print {BOOT_INFO}->image_page", "print tessera::kernel::frames.table_[0]", "info symbol $pc", "list hello.cpp:7",
            "list kernel_main", "list syscall_entry"]


def session():
    """What gdb answered to each command."""
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "script.gdb"
        lines = ["hbreak libos_main", "continue"]
        for number, command in enumerate(COMMANDS):
            lines += [f"echo @@{number}\\n", command]
        script.write_text("\n".join([*lines, "echo @@end\\n", ""]))
        made = subprocess.run(["tools/tessera", "scenarios/hello.toml", "--gdb", "--gdb-script", str(script)], cwd=ROOT,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=600,
                              check=False)
    found = re.findall(r"^@@(\d+)\n(.*?)(?=^@@)", made.stdout, re.DOTALL | re.MULTILINE)
    return {COMMANDS[int(number)]: answer for number, answer in found}, made.stdout + made.stderr


class Gdb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.answers, cls.everything = session()

    def answer(self, command):
        self.assertIn(command, self.answers, self.everything)
        return self.answers[command]

    def test_symbols_of_the_libos(self):
        self.assertIn("libos_main", self.answer("info symbol $pc"))

    def test_sources(self):
        self.assertRegex(self.answer("list hello.cpp:7"), r"(?m)^7\tint libos_main\(\) \{$")
        self.assertIn("void kernel_main(u32 magic", self.answer("list kernel_main"))
        self.assertRegex(self.answer("list syscall_entry"), r"(?m)^\d+\tsyscall_entry:$")

    def test_images_name_no_place_on_this_machine(self):
        """Names and sources are found in a tree that was moved after it was built."""
        for image in ("kernel/tessera.elf", "checked/tessera.elf", "libos/hello.elf"):
            names_it = str(ROOT).encode() in (ROOT / "build" / image).read_bytes()
            self.assertFalse(names_it, f"build/{image} names {ROOT}: was some of it built with other flags? `make clean` and build anew")

    def test_environments(self):
        rows = self.answer("tessera environments").splitlines()
        self.assertEqual(len(rows), 2)
        self.assertRegex(rows[1], r"^\* +1 +257 hello +runnable +1 +\d+ +4  runs$")

    def test_frames(self):
        text = self.answer("tessera frames")
        runs = re.findall(r"^ *(0x[0-9a-f]+) \.\. +(0x[0-9a-f]+) +(\d+)  (\w+)", text, re.MULTILINE)
        self.assertEqual({state for *_, state in runs}, {"absent", "kernel", "free", "owned", "charged"})
        ends = [int(end, 16) for _, end, _, _ in runs]
        self.assertEqual([int(begin, 16) for begin, *_ in runs], [0] + [end + 1 for end in ends[:-1]])
        free = sum(int(count) for _, _, count, state in runs if state == "free")
        self.assertIn(f"\n{free} of ", text)

    def test_frames_of_one(self):
        text = self.answer("tessera frames 1")
        self.assertRegex(text, r"owned hello \(257\)")
        self.assertRegex(text, r"charged hello \(257\) for context 1")
        self.assertNotIn("kernel", text)

    def test_stlb(self):
        text = self.answer("tessera stlb")
        self.assertEqual(text, self.answer("tessera stlb 1"))
        self.assertRegex(text, r"^context 1: 1024 entries, 64 guaranteed, \d+ of 64 tables in use")
        self.assertRegex(text, r"  guaranteed 0x200000 -> frame 0x[0-9a-f]+ r-- ")
        self.assertRegex(text, r"  guaranteed 0x400000 -> frame 0x[0-9a-f]+ r-x ")
        self.assertRegex(text, r"rw- \(at most rw[-x]\) AD")
        self.assertEqual(len(re.findall(" -> frame ", text)), int(re.search(r"(\d+) live", text)[1]))

    def test_cpu(self):
        self.assertRegex(self.answer("tessera cpu"), r"cpu 0: hello runs in context 1, slot \d+\npolicy keep, ")

    def test_trace(self):
        self.assertRegex(self.answer("tessera trace"), r"context_created +0x101 .*\n.*env_created +0x101 ")
        self.assertEqual(len(self.answer("tessera trace 1").splitlines()), 2)

    def test_capabilities(self):
        image = r"\{frames, 0x[0-9a-f]+\+\d+, rwxlu, grant \d+\}"
        self.assertRegex(self.answer(f"tessera capability {BOOT_INFO}->image"), f"^{image}$")
        self.assertRegex(self.answer(f"print {BOOT_INFO}->image"), f"= {image}$")
        self.assertRegex(self.answer(f"tessera capability &{BOOT_INFO}->context"), r"^\{context, 0x1\+1, ----u, grant \d+\}")

    def test_printers(self):
        self.assertRegex(self.answer(f"print {BOOT_INFO}->self"), r"= #1 \(generation 1\)")
        self.assertRegex(self.answer(f"print {BOOT_INFO}->image_page"), r"= 0x400$")
        self.assertRegex(self.answer("print tessera::kernel::frames.table_[0]"), r"= \{absent, grant 0\}")


class Panic(unittest.TestCase):
    def test_backtrace_has_names(self):
        made = subprocess.run(["tools/tessera", "tests/system/panic.toml", "--variant", "options=crash=stack"], cwd=ROOT,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=600,
                              check=False)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        for frame in ("#0", "#7"):
            self.assertRegex(made.stdout, frame + r" 0x[0-9a-f]{16}  .*overflow_stack.* \(exokernel/core/crash\.cpp:\d+\)\n")


if __name__ == "__main__":
    sys.exit(test_layer.main_of_module())
