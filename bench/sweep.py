"""Runs bench/system/switch.toml under switch policies and bounds, and makes rows of what it reports."""

import concurrent.futures
import statistics

import results

SCENARIO = "bench/system/switch.toml"
POLICIES = ("none", "refill", "preload", "keep", "tagged")
BOUNDS = (64, 1536, "unbounded")
PAGES = (0, 1, 8, 64, 128, 256, 512)  # As in switch.cpp.
RINGS = (2, 4, 8)
WARM_UP = 8
COUNTERS = ("hits", "misses", "upcalls", "preloads", "wipes")


class Shape:
    """How large a sweep is: the program's arguments."""

    def __init__(self, turns, largest=max(PAGES), members=max(RINGS)):
        self.turns, self.largest, self.members = turns, largest, members

    def phases(self):
        """(pages, environments) in the order that the program goes through."""
        return [(pages, size) for pages in PAGES for size in RINGS if pages <= self.largest and size <= self.members]

    def settings(self):
        return [f"libos.*.arguments=\"turns={self.turns} largest={self.largest} ring={self.members}\""]

    def sum_of(self, member):
        """What a member must have added up: every page's contents, in every turn."""
        def contents(page):
            return (member + 1) * 1_000_003 + page * page + 7

        touched = sum(sum(map(contents, range(pages))) for pages, size in self.phases() if member < size)
        return touched * (WARM_UP + self.turns) % 2**64


def run(policy, bound, shape, icount, label=""):
    """One boot; answers (the runner's result, rows as reported). Checks that the program computed what it must."""
    mode = "icount" if icount else "wall"
    settings = [f"kernel.policy={policy}", f"kernel.tlb_entries={bound}", f"machine.icount={str(icount).lower()}",
                *shape.settings()]
    result = results.run(SCENARIO, *settings, stem=f"switch.{policy}.{bound}.{mode}{label}")
    rows, sums = [], {}
    for _, record in results.records(result):
        if "member" in record:
            sums[record["member"]] = record["sum"]
        elif "environments" in record:
            rows.append(record)
    wanted = {member: shape.sum_of(member) for member in sums}
    if sums != wanted or not set(range(shape.members)) <= set(sums):
        raise results.Failed(f"policy {policy}, tlb.entries={bound}: the pages added up to {sums}, not to {wanted}")
    if [(row["pages"], row["environments"]) for row in rows] != shape.phases():
        raise results.Failed(f"policy {policy}, tlb.entries={bound}: not every phase was reported")
    return result, rows


def key_of(row):
    return row["environments"], row["pages"]


def exact(shape, policies=POLICIES, bounds=BOUNDS, jobs=2):
    """Boots under icount, a few at a time; answers (the first result, rows): instructions and counters per switch."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        wanted = [(policy, bound) for bound in bounds for policy in policies]
        done = list(pool.map(lambda one: run(*one, shape, True), wanted))
    rows = []
    for (policy, bound), (result, reported) in zip(wanted, done):
        for row in reported:
            switches = row["turns"] * row["environments"]
            rows.append({"policy": policy, "policy_that_ran": result["boot"]["policy"],
                         "environments": row["environments"], "pages": row["pages"], "tlb_entries": bound,
                         "instructions_per_switch": round(row["ticks"] / row["environments"], 1),
                         "instructions_range": [round(row[end] / row["environments"], 1) for end in ("least", "most")],
                         **{counter: round(row[counter] / switches, 2) for counter in COUNTERS}})
    return done[0][0], rows


def wall(shape, rounds, policies=POLICIES, bounds=BOUNDS, say=lambda text: None):
    """Boots without icount, one at a time, the policies in turn in every round. Answers by (bound, policy, environments,
    pages): the least TSC ticks a switch in each round, and the ticks in a microsecond."""
    least, ticks_per_us = {}, 1.0
    for bound in bounds:
        for number in range(rounds):
            say(f"wall-clock time, tlb.entries={bound}, round {number + 1} of {rounds}")
            # Each round begins with another policy: nobody is always the one behind the same neighbour.
            for policy in policies[number % len(policies):] + policies[:number % len(policies)]:
                result, reported = run(policy, bound, shape, False, f".{number}")
                ticks_per_us = result["boot"]["tsc_hz"] / 1e6
                for row in reported:
                    least.setdefault((bound, policy, *key_of(row)), []).append(row["least"] / row["environments"])
    return least, ticks_per_us


def add_wall(rows, least, ticks_per_us):
    """Adds to each row how long a switch took, as a ratio to `none` in the same run of rounds."""
    for row in rows:
        mine = least[row["tlb_entries"], row["policy"], *key_of(row)]
        none = least[row["tlb_entries"], "none", *key_of(row)]
        ratios = sorted(a / b for a, b in zip(mine, none))
        row["wall_ratio_to_none"] = round(min(mine) / min(none), 3)
        row["wall_ratio_median"] = round(statistics.median(ratios), 3)
        row["wall_ratio_range"] = [round(ratios[0], 3), round(ratios[-1], 3)]
        row["wall_us_per_switch"] = round(min(mine) / ticks_per_us, 2)
