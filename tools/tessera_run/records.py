"""Decodes what comes over COM2: frames as exokernel/abi/records.hpp lays them out.

Everything behind the first frame must be frames without a gap; whatever is not is an error that names where.
The decoder finds its way back at the next good frame. Before the kernel's first frame a UEFI firmware talks on
every serial port that it finds, which is not the kernel's fault: those bytes are passed over.
"""

import json
from dataclasses import dataclass

TYPES = {1: "boot", 2: "started", 3: "ended", 4: "libos", 5: "trace", 6: "final"}
HEADER = 8
LARGEST = 4096  # Bytes of payload.


def fletcher16(payload):
    first = second = 0
    for byte in payload:
        first = (first + byte) % 255
        second = (second + first) % 255
    return second << 8 | first


def encode(kind, environment, payload):
    """A frame's bytes; the inverse of decoding, for tests and fakes."""
    return (b"TR" + bytes((kind, environment)) + len(payload).to_bytes(2, "little")
            + fletcher16(payload).to_bytes(2, "little") + payload)


@dataclass
class Record:
    kind: str         # One of TYPES.
    environment: int  # Index in the kernel's table; 0 for the kernel's own records.
    data: object      # What the JSON said.


def _no_constant(name):
    raise ValueError(f"{name} is no JSON")


class Decoder:
    """Feed it bytes as they come; it gathers .records and .errors."""

    def __init__(self):
        self.records, self.errors = [], []
        self._pending, self._offset = b"", 0
        self._skipped, self._problem = 0, ""  # Bytes just passed over, and what was wrong with the first.

    def feed(self, some, at_end=False):
        """Takes bytes. With `at_end` an unfinished frame is an error."""
        self._pending += some
        while self._pending:
            problem, length = self._look(at_end)
            if problem is None and length == 0:
                return
            if problem is None:
                self._report_lost()
                self._take(length)
            else:
                self._problem = self._problem if self._skipped else problem
                next_start = self._pending.find(b"T", 1)
                lost = next_start if next_start > 0 else len(self._pending)
                self._skipped += lost
                self._advance(lost)
        if at_end:
            self._report_lost()

    def _report_lost(self):
        if self._skipped and self.records:
            self.errors.append(f"COM2: {self._skipped} bytes at offset {self._offset - self._skipped} are no frame: "
                               f"{self._problem}")
        self._skipped = 0

    def _advance(self, count):
        self._pending = self._pending[count:]
        self._offset += count

    def _look(self, at_end):
        """(None, length) for a whole frame, (None, 0) for one that is not all here yet, (problem, 0) otherwise."""
        start = self._pending[:HEADER]
        if not b"TR".startswith(start[:2]):
            return "a frame starts with TR", 0
        if len(start) < HEADER:
            return ("the frame is cut off", 0) if at_end else (None, 0)
        length = int.from_bytes(start[4:6], "little")
        if start[2] not in TYPES:
            return f"there is no record type {start[2]}", 0
        if length > LARGEST:
            return f"a payload of {length} bytes is too long", 0
        if len(self._pending) < HEADER + length:
            return ("the frame is cut off", 0) if at_end else (None, 0)
        if fletcher16(self._pending[HEADER:HEADER + length]) != int.from_bytes(start[6:8], "little"):
            return "the checksum is wrong", 0
        return None, HEADER + length

    def _take(self, length):
        kind, environment = TYPES[self._pending[2]], self._pending[3]
        payload = self._pending[HEADER:length]
        try:
            data = json.loads(payload.decode("utf-8"), parse_constant=_no_constant)
            if kind not in ("libos", "trace") and not isinstance(data, dict):
                raise ValueError("not an object")
        except (ValueError, RecursionError) as error:
            if kind == "libos":  # What a libOS says of itself is its own affair: kept, and no fault of the kernel's.
                self.records.append(Record(kind, environment, {"not_json": payload.decode("latin-1")}))
            else:
                self.errors.append(f"COM2: the {kind} record at offset {self._offset} is not JSON: {error}")
        else:
            self.records.append(Record(kind, environment, data))
        self._advance(length)


def said_by_libos(records):
    """(name, data) of each libOS record; the name is that of the environment that had the index at that time."""
    names = {}
    for record in records:
        if record.kind == "started" and isinstance(record.data.get("env"), int):
            names[record.data["env"] & 0xff] = str(record.data.get("name"))
        elif record.kind == "libos":
            yield names.get(record.environment, f"#{record.environment}"), record.data
