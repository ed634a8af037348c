"""Several CPUs: what two libOSes get done that share nothing, and what taking translations away from other CPUs costs.

Runs bench/system/scaling.toml and bench/system/shootdown.toml; leaves build/results/scaling.json and prints the tables.
Wall-clock ticks with one host thread a CPU: on a host that has other work, or fewer cores than the machine has CPUs, they
say more about the host than about the kernel. `user_loop`, a loop outside the kernel, is what this host gives at best.
"""

import statistics

import results

WORKERS = ("first", "second")
LEAST_OVERLAP = 0.6  # Of the longer of two windows: less is not "together".
SHOOTDOWN_RUNS = (("machine.cpus=1", "machine.icount=true"), ("machine.cpus=1",), ("machine.cpus=2",), ("machine.cpus=4",))


def rate(window, tsc_hz):
    return window["operations"] * tsc_hz / window["ticks"]


def overlap(one, other):
    """How much of the longer of two windows, which were to begin at the same time, both worked."""
    end = min(one["late"] + one["ticks"], other["late"] + other["ticks"])
    return (end - max(one["late"], other["late"])) / max(one["ticks"], other["ticks"])


def row_of(path, windows, tsc_hz):
    """A row out of all windows of a path: (worker, round, turn) to record."""
    rounds = sorted({key[1] for key in windows})
    alone = [sum(rate(windows[worker, number, "alone"], tsc_hz) for worker in WORKERS) / 2 for number in rounds]
    pairs = [[windows[worker, number, "together"] for worker in WORKERS] for number in rounds]
    together = [sum(rate(window, tsc_hz) for window in pair) for pair in pairs if overlap(*pair) >= LEAST_OVERLAP]
    if not together:
        raise results.Failed(f"{path}: the two never ran at the same time: the host has too much other work")
    operations = sum(window["operations"] for window in windows.values())
    locks = sum(window["locks"] for window in windows.values())
    return {"path": path, "alone_per_s": round(statistics.median(alone)), "together_per_s": round(statistics.median(together)),
            "ratio": round(statistics.median(together) / statistics.median(alone), 2),
            "ratio_of_best": round(max(together) / max(alone), 2), "rounds": len(together), "rounds_run": len(rounds),
            "locks_per_operation": round(locks / operations, 3)}


def measure_scaling():
    result = results.run("bench/system/scaling.toml")
    paths, stops = {}, 0
    for worker, record in results.records(result):
        if "path" in record:
            paths.setdefault(record["path"], {})[worker, record["round"], record["turn"]] = record
        elif "stops" in record:
            stops += record["stops"]
            tsc_hz = record["tsc_hz"]
    rows = [row_of(path, windows, tsc_hz) for path, windows in paths.items()]
    reference = rows[0]["ratio"]
    return result, [{**row, "of_user_loop": round(row["ratio"] / reference, 2), "stops": stops} for row in rows]


def measure_shots():
    rows = []
    for settings in SHOOTDOWN_RUNS:
        result = results.run("bench/system/shootdown.toml", *settings, stem="shootdown_" + "_".join(settings).replace(".", "_"))
        unit = "instructions" if result["machine"]["icount"] else "ticks"
        rows += [{**record, "unit": unit} for _, record in results.records(result) if "shot" in record]
    return rows


def main():
    digest = results.kernel_digest()
    result, rows = measure_scaling()
    shots = measure_shots()
    results.write("scaling.json", {"machine": results.machine_of(result, digest), "rows": rows, "shootdown": shots})
    headings = ["path", "one alone /s", "both /s", "ratio", "of best", "of user_loop", "rounds", "locks/op", "stops"]
    print("\n".join(results.report.table(
        [[row["path"], f"{row['alone_per_s']:,}", f"{row['together_per_s']:,}", row["ratio"], row["ratio_of_best"],
          row["of_user_loop"], f"{row['rounds']}/{row['rounds_run']}", row["locks_per_operation"], row["stops"]] for row in rows],
        headings)))
    print("\n".join(["", *results.report.table(
        [[row["shot"], row["others"], row["cpus"], f"{row['least']:,}", f"{row['median']:,}", row["unit"], row["stops"]]
         for row in shots], ["shot", "other CPUs", "of", "least", "median", "", "stops"])]))
    return 0


if __name__ == "__main__":
    results.main(main)
