"""What locks and barriers cost: in instructions where nobody else wants them, natively with 1, 2 and 4 threads.

Leaves build/results/locks.json and prints the table. Exit status 1 when a run failed, or when a lock that is not
counted costs more than the lock.
"""

import json
import re
import subprocess

import results

HOST_PROGRAM = results.ROOT / "build/bench_host/bench_host"
REPETITIONS = 7
NAME = re.compile(r"(lock|barrier)/(\w+)(?:/iterations:\d+)?/real_time/threads:(\d+)")
COUNTERS = ("contended", "ticks_waited")
THREADS = ("1", "2", "4")
LOCK_HEADINGS = ["lock", "instructions, alone", *(f"ns, threads: {count}" for count in THREADS), "contended, threads: 2",
                 "ticks waited"]
BARRIER_HEADINGS = ["barrier", *(f"ns, threads: {count}" for count in THREADS[1:])]


def instructions():
    """(machine, {lock: instructions for acquire and release without contention})."""
    digest = results.kernel_digest()
    result = results.run("bench/system/locks.toml")
    counted = {record["path"]: record["instructions"] for _, record in results.records(result) if "path" in record}
    counted.pop("empty", None)
    if not counted:
        raise results.Failed("locks.toml reported nothing")
    if counted["ticket_not_counted"] != counted["ticket"]:
        raise results.Failed(f"a lock that is not counted costs {counted['ticket_not_counted']} instructions, "
                             f"the lock {counted['ticket']}")
    return results.machine_of(result, digest), counted


def nanoseconds(one, threads):
    """Of one acquisition by anybody, or one meeting of all. Who is alone waits for nobody: CPU time, and not what others
    do with the host."""
    if "items_per_second" not in one:
        return one["real_time"] * threads
    return 1e9 / one["items_per_second"] * (one["cpu_time"] / one["real_time"] if threads == 1 else 1)


def native():
    """(the host's description, {"lock" or "barrier": {name: {threads: figures}}}); medians of the repetitions."""
    file = results.RESULTS / "locks_host.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    command = [str(HOST_PROGRAM), "--benchmark_filter=^(lock|barrier)/", f"--benchmark_repetitions={REPETITIONS}",
               "--benchmark_min_time=0.05", "--benchmark_enable_random_interleaving=true", f"--benchmark_out={file}",
               "--benchmark_out_format=json", "--benchmark_report_aggregates_only=true"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise results.Failed(f"bench_host\n{done.stdout}{done.stderr}".rstrip())
    data = json.loads(file.read_text("utf-8"))
    out = {"lock": {}, "barrier": {}}
    for one in data["benchmarks"]:
        if one.get("error_occurred"):
            raise results.Failed(f"{one['run_name']}: {one.get('error_message')}")
        name = NAME.fullmatch(one["run_name"])
        if name and one.get("aggregate_name") == "median":
            figures = {"ns": round(nanoseconds(one, int(name[3])), 1), **{key: float(f"{one[key]:.2g}") for key in COUNTERS if key in one}}
            out[name[1]].setdefault(name[2], {})[name[3]] = figures
    return {"cpus": data["context"]["num_cpus"]}, out


def lock_rows(data):
    """A row for each lock: alone in instructions, natively, and where it is counted what the counting says."""
    for name in dict.fromkeys([*data["instructions"], *data["lock"]]):
        timed = data["lock"].get(name, {})
        yield [name, data["instructions"].get(name), *(timed.get(count, {}).get("ns") for count in THREADS),
               *(f"{timed['2'][key]:g}" if key in timed.get("2", {}) else None for key in COUNTERS)]


def barrier_rows(data):
    for name, timed in sorted(data["barrier"].items()):
        yield [name, *(timed.get(count, {}).get("ns") for count in THREADS[1:])]


def main():
    machine, counted = instructions()
    host, timed = native()
    data = {"machine": machine, "host": host, "instructions": counted, **timed}
    results.write("locks.json", data)
    print("\n".join(results.report.table(lock_rows(data), LOCK_HEADINGS)))
    print()
    print("\n".join(results.report.table(barrier_rows(data), BARRIER_HEADINGS)))
    print(f"\n  {results.LEFT_OUT}\n  Nanoseconds: for one acquisition by anybody, CPU time of one thread or wall-clock time of "
          f"several, on a host with {host['cpus']} CPUs.  In build/results/locks.json.")
    return 0


if __name__ == "__main__":
    results.main(main)
