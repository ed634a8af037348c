"""Seeded mutations of scenario files: whatever the bytes, the answer is a scenario or a BadScenario with a line."""

import pathlib
import random
import re
import unittest

from test_scenario import GOOD

from tessera_run import iso, scenario as scenarios
from tessera_run.schema import BadScenario

ROUNDS = 4000
WORDS = [b"[", b"]", b"[[libos]]\n", b"[kernel]\n", b"'", b'"', b'"""', b"'''", b"=", b"\n", b".", b"{", b"}", b",",
         b"-1", b"1e999", b"nan", b"true", b"2024-01-01", b"0x10", b"9" * 30, b"\xff", b"\x00", b"'('", b"[matrix]\n",
         b"libos = 1\n", b"machine = []\n", b"'libos.*.slots' = [1, 2]\n", b"'a.b.c' = [1]\n", b"name = 'x'\n"]


def mutated(rng, seeds):
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(9)
        if kind < 3:
            data[at:at] = rng.choice(WORDS)
        elif kind < 5:
            del data[at:at + rng.randrange(20)]
        elif kind < 7 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 7:
            other = rng.choice(seeds)
            start = rng.randrange(len(other))
            data[at:at] = other[start:start + rng.randrange(60)]
        else:
            lines = data.split(b"\n")
            rng.shuffle(lines)
            data = bytearray(b"\n".join(lines))
    return bytes(data)


class Fuzz(unittest.TestCase):
    def test_no_traceback(self):
        seeds = [path.read_bytes() for folder in ("scenarios", "tests/system")
                 for path in sorted(pathlib.Path(iso.ROOT, folder).glob("*.toml"))]
        seeds.append(GOOD.encode())
        rng = random.Random(1)
        good = bad = 0
        for number in range(ROUNDS):
            data = mutated(rng, seeds)
            try:
                for one in scenarios.read(data, "f.toml", "f"):
                    iso.grub_configuration(one)
                good += 1
            except BadScenario as error:
                self.assertRegex(str(error), re.compile(r"^f\.toml:\d+: [^\n]+: [^\n]+$"))
                bad += 1
            except Exception as error:
                self.fail(f"round {number}: {error!r} for\n{data!r}")
        self.assertGreater(good, ROUNDS // 50)
        self.assertGreater(bad, ROUNDS // 10)


if __name__ == "__main__":
    unittest.main()
