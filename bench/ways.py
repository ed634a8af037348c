"""What the ways from one libOS to another cost in instructions: runs bench/system/way_costs.toml.

Leaves build/results/ways.json and prints the table. Exit status 1 only when the run itself failed.
"""

import results

WHAT = {
    "transfer": "protected control transfer through the library, a message of ten words there and back",
    "rpc_scalars": "procedure of two numbers called in another libOS, there and back",
    "rpc_64_bytes": "the same with 64 bytes each way, copied and checked on both sides",
    "rpc_4096_bytes": "the same with 4 KiB each way",
    "pipe_word": "8 bytes through a pipe, one way, to a reader who sleeps",
    "pipe_4096_bytes": "4 KiB through a pipe, one way",
    "queue_64_bytes": "message of 64 bytes through a queue with priorities, one way",
    "semaphore_round_trip": "semaphore handed over to another libOS, and another one back",
    "semaphore_alone": "semaphore released and acquired without contention",
}


def rows_of(data):
    for name, what in WHAT.items():
        low, high = data["spread"].get(name, ("", ""))
        yield [name, str(data["ways"][name]), f"{low}-{high}" if low != high else "", what]


def main():
    digest = results.kernel_digest()
    result = results.run("bench/system/way_costs.toml")
    said = {record["path"]: record for _, record in results.records(result) if record.get("path") in WHAT}
    missing = [name for name in WHAT if name not in said]
    if missing:
        raise results.Failed(f"way_costs.toml did not report {', '.join(missing)}")
    data = {"machine": results.machine_of(result, digest),
            "ways": {name: said[name]["instructions"] for name in WHAT},
            "spread": {name: [said[name]["least"], said[name]["most"]] for name in WHAT}}
    results.write("ways.json", data)
    print("\n".join(results.report.table(rows_of(data), ["way", "instructions", "range", "what"])))
    return 0


if __name__ == "__main__":
    results.main(main)
