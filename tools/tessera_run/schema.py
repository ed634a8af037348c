"""What a value in a scenario file may be.

Every key has a `Check`: it takes the value that TOML gave and answers the one to use, or raises `Wrong` with
what would have been right. The keys themselves are listed in scenario.py.
"""

import re


class Wrong(Exception):
    """A value that may not stand there; the text says what may."""


class BadScenario(Exception):
    """A scenario that cannot be run; the text names file, line and key."""


def shown(value):
    """A value as it is shown in an error: on one line, and not too long."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def integer(low, high, power_of_two=False):
    what = f"a whole number from {low} to {high}" + (", a power of two" if power_of_two else "")

    def check(value):
        right = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        if not right or (power_of_two and value & (value - 1)):
            raise Wrong(f"must be {what}, not {shown(value)}")
        return value

    return check


def seconds(low, high):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise Wrong(f"must be a number of seconds from {low} to {high}, not {shown(value)}")
        return float(value)

    return check


def boolean(value):
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {shown(value)}")
    return value


def one_of(*allowed):
    def check(value):
        if not isinstance(value, str) or value not in allowed:
            raise Wrong(f"must be one of {', '.join(allowed)}, not {shown(value)}")
        return value

    return check


def text(longest=200):
    def check(value):
        if not isinstance(value, str) or len(value) > longest or not value.isprintable():
            raise Wrong(f"must be a text of at most {longest} printable characters, not {shown(value)}")
        return value

    return check


def matching(pattern, what):
    def check(value):
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise Wrong(f"must be {what}, not {shown(value)}")
        return value

    return check


def hex_digits(least, most):
    what = f"{least} hex digits" if least == most else f"{least} to {most} hex digits"
    return matching(f"[0-9a-f]{{{least},{most}}}", f"a text of {what} (0-9, a-f)")


def either(*checks):
    """The first check that likes the value wins; the errors of all are given otherwise."""

    def check(value):
        errors = []
        for one in checks:
            try:
                return one(value)
            except Wrong as wrong:
                errors.append(str(wrong).rsplit(", not ", 1)[0])
        raise Wrong(" or ".join([errors[0]] + [error.removeprefix("must be ") for error in errors[1:]])
                    + f", not {shown(value)}")

    return check


def list_of(one, longest=200):
    def check(value):
        if not isinstance(value, list) or len(value) > longest:
            raise Wrong(f"must be a list of at most {longest} entries, not {shown(value)}")
        result = []
        for number, entry in enumerate(value, 1):
            try:
                result.append(one(entry))
            except Wrong as wrong:
                raise Wrong(f"entry {number} {wrong}") from None
        return result

    return check


def table_of(key, one):
    """A table with free keys, each of which `key` must like."""

    def check(value):
        if not isinstance(value, dict):
            raise Wrong(f"must be a table, not {shown(value)}")
        result = {}
        for name, entry in value.items():
            try:
                result[key(name)] = one(entry)
            except Wrong as wrong:
                raise Wrong(f"entry {shown(name)} {wrong}") from None
        return result

    return check


def regular_expression(value):
    if not isinstance(value, str) or not value or len(value) > 500:
        raise Wrong(f"must be a regular expression of at most 500 characters, not {shown(value)}")
    try:
        return re.compile(value)
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        raise Wrong(f"must be a regular expression, and {shown(value)} is none: {error}") from None


def loader_words(longest):
    """Words that GRUB can pass on unchanged: printable ASCII, single spaces, nothing that it would escape."""

    def check(value):
        if (not isinstance(value, str) or len(value) > longest or re.search(r"""[^ -~]|['"\\]|  |^ | $""", value)):
            raise Wrong(f"must be at most {longest} printable ASCII characters, words with one space between them, "
                        f"without quotes and backslashes (GRUB cannot pass those), not {shown(value)}")
        return value

    return check
