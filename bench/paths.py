"""What the kernel's paths cost in instructions, beside other systems: runs bench/system/path_costs.toml.

Leaves build/results/paths.json and prints the table. Exit status 1 only when the run itself failed: a mark that
is missed is a figure, not an error.
"""

import json

import results

PEERS = results.ROOT / "bench/peers.json"
REQUIRED = ("null_call", "exception_resume", "fault_resolve_warm", "fault_resolve_cold", "appel1", "protect_1", "protect_100",
            "unmap_1", "unmap_100", "map_1", "yield_round_trip", "stlb_refill", "pct_one_way", "pct_round_trip",
            "pct_round_trip_same_context", "pct_round_trip_unchecked")
SHARES = (("appel2_100", "appel2_per_page", 100), ("batch_10_null_calls", "batch_per_null_call", 10),
          ("repossess_64_frames", "repossess_per_frame", 64), ("repossess_64_frames_copied", "repossess_per_frame_copied", 64))
SYSTEMS = ("linux", "sel4", "nova", "jos")


def verify_ns():
    """Native verification of a capability without caveats, in ns, out of bench-host's result; None: not measured."""
    host = results.load("host.json") or {}
    for one in host.get("benchmarks", []):
        if one.get("run_name") == "verify_caveats/0" and one.get("aggregate_name") == "median":
            return round(one["cpu_time"], 1)
    return None


def reported(result):
    """The records of a run that are paths."""
    return [record for _, record in results.records(result) if record.get("path") not in (None, "empty")]


def measure():
    """(machine, paths, spread): instructions by name, and (least, most) where samples differ."""
    digest = results.kernel_digest()
    result = results.run("bench/system/path_costs.toml")
    revocation = results.run("bench/system/repossession_costs.toml")
    unchecked = results.run("bench/system/path_costs.toml", "kernel.image=unchecked", stem="path_costs_unchecked")
    without_checks = [{**record, "path": f"{record['path']}_unchecked"} for record in reported(unchecked)
                      if record["path"] == "pct_round_trip"]
    paths, spread = {}, {}
    for record in reported(result) + reported(revocation) + without_checks:
        paths[record["path"]] = record["instructions"]
        if record["least"] != record["most"]:
            spread[record["path"]] = [record["least"], record["most"]]
    missing = [name for name in (*REQUIRED, *(whole for whole, _, _ in SHARES)) if name not in paths]
    if missing:
        raise results.Failed(f"path_costs.toml did not report {', '.join(missing)}")
    for whole, share, count in SHARES:
        paths[share] = round(paths[whole] / count, 2)
    native = verify_ns()
    if native is not None:
        paths["capability_verify_ns"] = native
    return results.machine_of(result, digest), paths, spread


def verdict(value, mark):
    """Whether a mark is met, in words; empty where there is none."""
    if mark is None:
        return ""
    return "met" if value <= mark else f"missed by {value - mark:g}"


def rows_of(paths, spread, peers):
    """Rows of the table, in the order of the peers' file and then as measured."""
    order = [name for name in peers if name in paths] + [name for name in paths if name not in peers]
    for name in order:
        peer = peers.get(name, {})
        noted = f"{spread[name][0]}-{spread[name][1]}" if name in spread else ""
        yield [name, f"{paths[name]:g}", noted, peer.get("mark"), verdict(paths[name], peer.get("mark")),
               *(peer.get(system) for system in SYSTEMS)]


def main():
    peers = json.loads(PEERS.read_text("utf-8"))["paths"]
    machine, paths, spread = measure()
    results.write("paths.json", {"machine": machine, "paths": paths, "spread": spread})
    headings = ["path", "tessera", "range", "mark", "", "Linux 6.1", "seL4", "NOVA", "JOS"]
    print("\n".join(results.report.table(rows_of(paths, spread, peers), headings)))
    if "capability_verify_ns" not in paths:
        print("  capability_verify_ns: not measured; `make bench-host` does")
    print(f"\n  {results.LEFT_OUT}\n  Plain names: the shortest code a libOS can write; _cxx: through the library's C++. "
          "fault_* and appel*: through\n  the library's handler; _raw: the shortest.  In build/results/paths.json.")
    return 0


if __name__ == "__main__":
    results.main(main)
