"""Which line of a TOML file a key stands on.

The standard library's parser tells lines for syntax errors only, so that errors of meaning need this scan. It
knows headers, keys, multi-line strings and arrays; for a key inside an inline table it answers the table's line.
"""

import re

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=(.*)$""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def _parts(dotted):
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _scan_value(text, depth, quote):
    """Goes over one line of a value; answers bracket depth and the multi-line quote that is open behind it."""
    position = 0
    while position < len(text):
        if quote:
            end = text.find(quote, position)
            if end < 0:
                return depth, quote
            position, quote = end + 3, ""
            continue
        rest = text[position:]
        if rest.startswith(('"""', "'''")):
            quote, position = rest[:3], position + 3
            continue
        string = re.match(r'"(?:[^"\\]|\\.)*"|' r"'[^']*'", rest)
        if string:
            position += string.end()
            continue
        if rest[0] == "#":
            break
        depth += (rest[0] in "[{") - (rest[0] in "]}")
        position += 1
    return depth, quote


class Lines:
    """The lines of one file's keys, by path: ("libos", 1, "frames") is a key of the second [[libos]]."""

    def __init__(self, text):
        self._line = {(): 1}
        table, counts, depth, quote = (), {}, 0, ""
        for number, line in enumerate(text.splitlines(), 1):
            if depth > 0 or quote:
                depth, quote = _scan_value(line, depth, quote)
                continue
            header = _HEADER.match(line)
            if header:
                table = _parts(header[2])
                if header[1] == "[[":
                    counts[table] = counts.get(table, -1) + 1
                    self._line.setdefault(table, number)
                    table += (counts[table],)
                self._line.setdefault(table, number)
                continue
            key = _KEY.match(line)
            if key:
                parts = _parts(key[1])
                for length in range(1, len(parts) + 1):
                    self._line.setdefault(table + parts[:length], number)
                depth, quote = _scan_value(key[2], 0, "")

    def of(self, path):
        """The line of a key; of the nearest thing around it where the key itself is not written out."""
        path = tuple(path)
        while path not in self._line:
            path = path[:-1]
        return self._line[path]
