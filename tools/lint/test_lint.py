"""Do the lints find what they are for? Each rule is shown a tree, a link map or a listing that breaks it."""

import contextlib
import io
import pathlib
import tempfile
import unittest

import kernel_link
import layering


class Layering(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        for path in ["exokernel/abi/types.hpp", "exokernel/core/frames.hpp", "exokernel/arch/x86_64/trap.hpp",
                     "stlb/stlb.hpp", "secure_bindings/capability.hpp", "libos/core/call.hpp", "guests/vmm.hpp",
                     "exokernel/locks/lock.hpp"]:
            self.write(path, "#pragma once\n")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def problems(self, path, text):
        self.write(path, text)
        return [message for _, message in layering.check_file(self.root, path)]

    def assert_include(self, path, target, good):
        with self.subTest(path=path, target=target):
            self.assertEqual(self.problems(path, f'#include "{target}"\n') == [], good)

    def test_arrows_that_are_allowed(self):
        for path, target in [
            ("secure_bindings/a.cpp", "exokernel/abi/types.hpp"), ("stlb/a.cpp", "stlb/stlb.hpp"),
            ("exokernel/core/a.cpp", "stlb/stlb.hpp"), ("exokernel/core/a.cpp", "exokernel/arch/x86_64/trap.hpp"),
            ("libos/core/a.cpp", "secure_bindings/capability.hpp"), ("libos/core/a.cpp", "exokernel/abi/types.hpp"),
            ("guests/a.cpp", "libos/core/call.hpp"), ("tests/unit/a.cpp", "exokernel/core/frames.hpp"),
            ("tests/system/a.cpp", "libos/core/call.hpp"), ("bench/host/a.cpp", "stlb/stlb.hpp"),
            ("exokernel/locks/a.cpp", "exokernel/abi/types.hpp"), ("exokernel/core/a.cpp", "exokernel/locks/lock.hpp"),
            ("libos/core/a.cpp", "exokernel/locks/lock.hpp"), ("bench/host/a.cpp", "exokernel/locks/lock.hpp"),
            ("bench/system/a.cpp", "exokernel/locks/lock.hpp"), ("tests/unit/a.cpp", "exokernel/locks/lock.hpp"),
        ]:
            self.assert_include(path, target, True)

    def test_arrows_that_are_not(self):
        for path, target in [
            ("exokernel/abi/a.hpp", "exokernel/core/frames.hpp"), ("exokernel/abi/a.hpp", "stlb/stlb.hpp"),
            ("secure_bindings/a.cpp", "stlb/stlb.hpp"), ("stlb/a.cpp", "secure_bindings/capability.hpp"),
            ("stlb/a.cpp", "exokernel/core/frames.hpp"), ("packet_filter/a.cpp", "libos/core/call.hpp"),
            ("exokernel/core/a.cpp", "libos/core/call.hpp"), ("libos/core/a.cpp", "stlb/stlb.hpp"),
            ("libos/core/a.cpp", "exokernel/core/frames.hpp"), ("libos/core/a.cpp", "guests/vmm.hpp"),
            ("guests/a.cpp", "exokernel/arch/x86_64/trap.hpp"), ("tests/system/a.cpp", "exokernel/core/frames.hpp"),
            ("bench/system/a.cpp", "stlb/stlb.hpp"), ("bench/host/a.cpp", "exokernel/core/frames.hpp"),
            ("scenarios/a.cpp", "libos/core/call.hpp"), ("exokernel/locks/a.hpp", "exokernel/core/frames.hpp"),
            ("exokernel/abi/a.hpp", "exokernel/locks/lock.hpp"), ("stlb/a.cpp", "exokernel/locks/lock.hpp"),
        ]:
            self.assert_include(path, target, False)

    def test_generated_header_stands_for_its_interface_file(self):
        self.write("libos/examples/bank.rpc", "interface bank version 1 { void f(); }\n")
        for path, target, good in [
            ("libos/examples/a.cpp", "libos/examples/bank.rpc.hpp", True), ("libos/examples/a.cpp", "libos/examples/tank.rpc.hpp", False),
            ("exokernel/core/a.cpp", "libos/examples/bank.rpc.hpp", False), ("libos/examples/a.cpp", "libos/examples/bank.hpp", False),
        ]:
            self.assert_include(path, target, good)

    def test_include_that_is_not_there(self):
        self.assert_include("stlb/a.cpp", "stlb/none.hpp", False)
        self.assert_include("stlb/a.cpp", "stlb.hpp", False)

    def test_generated_header(self):
        self.assert_include("exokernel/arch/x86_64/entry.S", "offsets.h", True)
        self.assert_include("exokernel/arch/x86_64/trap.cpp", "offsets.h", False)

    def test_hosted_headers(self):
        self.assertEqual(self.problems("stlb/a.cpp", "#include <span>\n"), [])
        self.assertNotEqual(self.problems("stlb/a.cpp", "#include <vector>\n"), [])
        self.assertNotEqual(self.problems("exokernel/core/a.cpp", "#include <cstdio>\n"), [])
        self.assertEqual(self.problems("tests/unit/a.cpp", "#include <vector>\n"), [])

    def test_assembly(self):
        self.assertEqual(self.problems("exokernel/arch/x86_64/a.S", "nop\n"), [])
        self.assertEqual(self.problems("libos/core/a.S", "nop\n"), [])
        self.assertNotEqual(self.problems("libos/threads/a.S", "nop\n"), [])
        self.assertNotEqual(self.problems("exokernel/core/a.S", "nop\n"), [])
        self.assertNotEqual(self.problems("stlb/a.cpp", 'asm volatile("nop");\n'), [])
        self.assertEqual(self.problems("stlb/a.cpp", 'asm volatile("" ::: "memory");\n'), [])
        self.assertEqual(self.problems("exokernel/arch/x86_64/a.cpp", 'asm volatile("nop");\n'), [])

    def test_words(self):
        self.assertNotEqual(self.problems("stlb/a.cpp", "// TO" "DO: later\n"), [])
        self.assertNotEqual(self.problems("docs/a.md", "see /ho" "me/me/x\n"), [])
        self.assertEqual(self.problems("docs/a.md", "build/work/x and docs/home/y\n"), [])

    def test_header_guard(self):
        self.assertNotEqual(self.problems("stlb/a.hpp", "struct A;\n"), [])

    def test_whole_tree(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(layering.check_tree(self.root), (8, 0))
            self.write("stlb/a.cpp", '#include "libos/core/call.hpp"\n')
            self.write("build/b.cpp", '#include "nowhere"\n')
            self.assertEqual(layering.check_tree(self.root), (9, 1))
        self.assertIn("stlb/a.cpp:1:", out.getvalue())


class KernelLink(unittest.TestCase):
    GOOD = "/usr/lib/x86_64-linux-gnu/libsodium.a(libsodium_la-shorthash_siphashx24_ref.o)\n" \
           "                              build/kernel/capability.o (crypto_shorthash_siphashx24)\n"

    def test_members(self):
        self.assertEqual(kernel_link.foreign_members(self.GOOD), [])
        self.assertTrue(kernel_link.uses_siphash(self.GOOD))
        self.assertEqual(kernel_link.foreign_members(self.GOOD + "/usr/lib/libsodium.a(libsodium_la-utils.o)\n"),
                         [("libsodium.a", "libsodium_la-utils.o")])
        self.assertEqual(kernel_link.foreign_members(" .text  0x0  0x10 /usr/lib/gcc/12/libgcc.a(_umodti3.o)\n"),
                         [("libgcc.a", "_umodti3.o")])
        self.assertFalse(kernel_link.uses_siphash(""))

    def test_vector_registers(self):
        listing = "0010 <one>:\n  10:  mov %rax,%rbx\n0020 <two>:\n  20:  {}\n"
        for code in ["movaps %xmm0,(%rsp)", "vmovdqu %ymm12,%ymm1", "movq %mm3,%rax", "fld %st(1)"]:
            self.assertEqual(kernel_link.vector_code(listing.format(code)), ["two"])
        for code in ["mov %rsp,%rbp", "fxsave (%rdi)", "call 30 <stop>"]:
            self.assertEqual(kernel_link.vector_code(listing.format(code)), [])

    def test_segments(self):
        line = "  LOAD  0x001000 0xffffffff80000000 0x0000000000100000 0x001000 0x001000 {} 0x1000\n"
        self.assertEqual(kernel_link.writable_code(line.format("R E") + line.format("RW ")), [])
        self.assertEqual(len(kernel_link.writable_code(line.format("RWE"))), 1)


if __name__ == "__main__":
    unittest.main()
