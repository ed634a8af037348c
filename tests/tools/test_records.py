"""COM2 frames: good ones, and every way in which one can be damaged."""

import json
import random
import unittest

from tessera_run.records import HEADER, LARGEST, Decoder, encode, fletcher16, said_by_libos

BOOT = encode(1, 0, b'{"abi": 1}')
SAID = encode(4, 3, '{"text": "\u00e9"}'.encode())
FINAL = encode(6, 0, b'{"conserved": true}')


def decode(stream, chunk=None):
    decoder = Decoder()
    for start in range(0, len(stream), chunk or max(1, len(stream))):
        decoder.feed(stream[start:start + (chunk or len(stream))])
    decoder.feed(b"", at_end=True)
    return decoder


class Records(unittest.TestCase):
    def kinds(self, decoder):
        return [record.kind for record in decoder.records]

    def test_fletcher16_known_values(self):
        self.assertEqual([fletcher16(text) for text in (b"abcde", b"abcdef", b"abcdefgh")], [0xC8F0, 0x2057, 0x0627])

    def test_layout(self):
        self.assertEqual(BOOT[:6], b"TR\x01\x00\x0a\x00")
        self.assertEqual(int.from_bytes(BOOT[6:8], "little"), fletcher16(b'{"abi": 1}'))

    def test_good_stream_in_any_portions(self):
        for chunk in (None, 1, 2, 7, 64):
            decoder = decode(BOOT + SAID + FINAL, chunk)
            self.assertEqual((self.kinds(decoder), decoder.errors), (["boot", "libos", "final"], []))
        self.assertEqual(decoder.records[1].data, {"text": "\u00e9"})
        self.assertEqual(decoder.records[1].environment, 3)

    def test_every_single_byte_damaged_is_noticed(self):
        for position in range(len(SAID)):
            if position == 3:
                continue  # The environment's index is not covered by the checksum.
            damaged = bytearray(SAID)
            damaged[position] ^= 0x11
            decoder = decode(BOOT + bytes(damaged) + FINAL)
            self.assertTrue(decoder.errors, f"byte {position}")
            self.assertEqual(self.kinds(decoder)[0], "boot")

    def test_damage_inside_does_not_cost_the_next_frame(self):
        damaged = SAID[:-1] + b"?"
        decoder = decode(BOOT + damaged + FINAL)
        self.assertEqual(self.kinds(decoder), ["boot", "final"])
        self.assertIn("checksum", decoder.errors[0])
        self.assertIn(f"offset {len(BOOT)}", decoder.errors[0])

    def test_cut_off(self):
        for length in range(1, len(FINAL)):
            decoder = decode(BOOT + FINAL[:length])
            self.assertEqual(self.kinds(decoder), ["boot"])
            self.assertTrue(decoder.errors)

    def test_garbage_between(self):
        self.assertIn("5 bytes", decode(BOOT + b"noise" + FINAL).errors[0])

    def test_firmware_before_the_first_frame_is_passed_over(self):
        decoder = decode(b"\x1b[2JTR TRT" + BOOT + FINAL, 3)
        self.assertEqual((self.kinds(decoder), decoder.errors), (["boot", "final"], []))

    def test_unknown_type_and_length(self):
        for frame, word in ((encode(9, 0, b"{}"), "type 9"), (encode(4, 0, b"1" * (LARGEST + 1)), "too long")):
            self.assertIn(word, decode(BOOT + frame + FINAL).errors[0])

    def test_kernel_records_must_be_json_objects(self):
        for payload in (b"[1]", b"{", b"\xff", b'{"a": NaN}', b"[" * 3000, b""):
            decoder = decode(BOOT + encode(3, 1, payload) + FINAL)
            self.assertIn("ended record", decoder.errors[0])

    def test_what_a_libos_says_cannot_fail_the_run(self):
        decoder = decode(BOOT + encode(4, 1, b"\xff{") + FINAL)
        self.assertEqual((decoder.errors, decoder.records[1].data), ([], {"not_json": "\u00ff{"}))

    def test_names_follow_a_reused_index(self):
        start = [encode(2, 0, json.dumps({"name": name, "env": env}).encode()) for name, env in (("a", 0x103), ("b", 0x203))]
        decoder = decode(BOOT + start[0] + SAID + start[1] + SAID + encode(4, 9, b"1"))
        self.assertEqual([name for name, _ in said_by_libos(decoder.records)], ["a", "b", "#9"])

    def test_random_streams_never_raise(self):
        rng = random.Random(20240601)
        for _ in range(300):
            stream = bytearray(BOOT + b"".join(rng.choice([SAID, FINAL, BOOT]) for _ in range(5)))
            for _ in range(rng.randrange(6)):
                at = rng.randrange(len(stream))
                stream[at:at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
            whole, pieces = decode(bytes(stream)), decode(bytes(stream), rng.randrange(1, HEADER + 3))
            self.assertEqual((whole.records, whole.errors), (pieces.records, pieces.errors))


if __name__ == "__main__":
    unittest.main()
