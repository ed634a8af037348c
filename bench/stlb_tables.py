"""Tables of the sweep: Markdown for the documentation, plain text for the terminal."""

import results
from sweep import POLICIES

ABOUT = ("Per switch-and-touch: the ring hands the CPU on by directed yield, and the member that gets it loads one word "
         "from each page of its working set (loads only). With `preload` the working set is bound as guaranteed "
         "mappings where it fits the bound with 32 to spare. A miss that goes up to the libOS is answered by "
         "re-installing that one page under the TLB-entry capability of the whole working set.")
WALL = ("Wall-clock time is the least of all turns and rounds, as a ratio to `none` in the same run; the policies took "
        "turns in every round. In brackets: the range of the ratio over the rounds.")


def _by(rows, bound, size, policy, pages):
    return next((row for row in rows if (row["tlb_entries"], row["environments"], row["policy"], row["pages"])
                 == (bound, size, policy, pages)), None)


def _distinct(rows, name):
    return list(dict.fromkeys(row[name] for row in rows))


def stand_ins(rows):
    """A sentence for each policy that this CPU could not have."""
    pairs = dict.fromkeys((row["policy"], row["policy_that_ran"]) for row in rows)
    return [f"This CPU has no PCID: `{wanted}` ran as `{ran}`, so its figures are those of `{ran}`, measured again."
            for wanted, ran in pairs if wanted != ran]


def _markdown_table(headings, lines):
    return ["| " + " | ".join(headings) + " |", "|" + " ---: |" * len(headings),
            *("| " + " | ".join(line) + " |" for line in lines), ""]


def _instructions(row):
    return f"{row['instructions_per_switch']:,.0f}"


def _wall(row):
    low, high = row["wall_ratio_range"]
    return f"{row['wall_ratio_to_none']:.2f} ({low:.2f}-{high:.2f})"


def _counters(row):
    return " / ".join(f"{row[name]:g}" for name in ("hits", "upcalls", "preloads"))


def _grid(rows, bound, size, cell):
    return [[str(pages), *(cell(_by(rows, bound, size, policy, pages)) for policy in POLICIES)]
            for pages in _distinct(rows, "pages")]


def markdown(data, level="#", largest_only=False):
    """stlb.json as tables; with `largest_only` the largest ring alone."""
    rows, machine = data["rows"], data["machine"]
    sizes = _distinct(rows, "environments")[-1:] if largest_only else _distinct(rows, "environments")
    out = [f"{level} What a context switch costs under the five switch policies", "", ABOUT, "", WALL, "",
           data["left_out"], "",
           f"{machine['version']}, `-cpu {machine['cpu_model']}`, kernel image SHA-256 {machine['kernel_sha256']}..., "
           f"{machine['wall_rounds']} rounds of wall-clock time.", ""]
    for sentence in stand_ins(rows):
        out += [sentence, ""]
    headings = ["pages", *(f"`{policy}`" for policy in POLICIES)]
    for bound in _distinct(rows, "tlb_entries"):
        for size in sizes:
            out += [f"{level}# tlb.entries={bound}, {size} environments", "", "Instructions:", ""]
            out += _markdown_table(headings, _grid(rows, bound, size, _instructions))
            if "wall_ratio_to_none" in rows[0]:
                out += ["Wall-clock time as a ratio to `none`:", ""]
                out += _markdown_table(headings, _grid(rows, bound, size, _wall))
        size = sizes[-1]
        out += [f"{level}# tlb.entries={bound}: refills from the S-TLB / upcalls / preloads, {size} environments", ""]
        out += _markdown_table(headings, _grid(rows, bound, size, _counters))
    return "\n".join(out).rstrip() + "\n"


def readable(rows):
    """The largest ring, for the terminal: instructions and the wall-clock ratio."""
    size = max(_distinct(rows, "environments"))
    lines = []
    for bound in _distinct(rows, "tlb_entries"):
        lines += ["", f"  {size} environments, tlb.entries={bound}: instructions per switch-and-touch (wall time / none's)"]
        lines += results.report.table(
            _grid(rows, bound, size, lambda row: f"{_instructions(row)} ({row['wall_ratio_to_none']:.2f})"),
            ["pages", *POLICIES])
    lines += ["", *(f"  {sentence}" for sentence in [*stand_ins(rows), results.LEFT_OUT])]
    return lines


def short_lines(rows):
    """One line a policy."""
    def name(row):
        return row["policy"] + (f" (as {row['policy_that_ran']})" if row["policy"] != row["policy_that_ran"] else "")

    return results.report.table(
        [[name(row), _instructions(row), *(f"{row[counter]:g}" for counter in ("hits", "upcalls", "preloads"))]
         for row in rows], ["policy", "instructions", "refills", "upcalls", "preloads"])
