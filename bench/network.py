"""What a frame costs over the switch, and what a libOS loses beside two Linux guests: tables out of the scenarios' records.

    bench/network.py            scenarios/network.toml, bench/system/guest_network.toml: build/results/network_costs.json and .md
    bench/network.py guests     scenarios/linux-guests.toml: build/results/guest_isolation.json and .md
"""

import json
import re
import sys

import results

COSTS = ("length", "way", "ticks_a_frame", "source", "switch", "sink", "copy", "frames_a_second")
PACKET = re.compile(r"\[(lent|copied|renewed)\] one\| (\{.*\"packet_(\d+)\".*\})$")
LOSSES = ("others", "rounds", "ticks_a_round", "share_thousandths", "promised_thousandths")


def table(rows, columns):
    return "\n".join(results.table(columns, [[row[name] for name in columns] for row in rows]))


def costs():
    """A row a length and way: the last of its measurements, as the one before warms up."""
    result = results.run("scenarios/network.toml")
    last = {(record["way"], record["length"]): record for _, record in results.records(result) if "ticks_a_frame" in record}
    rows = list(last.values())
    return result, rows, COSTS, "Instructions a frame. " + results.LEFT_OUT


def packets():
    """A row a size: a packet of a paravirtual guest and its answer, with frames lent, copied, and lent and renewed each time."""
    ticks = {}
    for way, text, size in filter(None, ((hit := PACKET.search(line)) and hit.groups() for line in results.run(
            "bench/system/guest_network.toml")["log"])):
        ticks.setdefault(int(size), {})[way] = json.loads(text)["ticks"]
    return [{"packet": size, **ways} for size, ways in sorted(ticks.items())]


def losses():
    """A row for each thing that the others may be doing, and one for being alone."""
    result = results.run("scenarios/linux-guests.toml")
    said = [record for name, record in results.records(result) if name == "neighbour"]
    rows = [record for record in said if "others" in record]
    alone = next(record for record in said if "ticks_a_round_alone" in record)
    rows.append({"others": "gone", "rounds": "", "ticks_a_round": alone["ticks_a_round_alone"], "share_thousandths": "",
                 "promised_thousandths": ""})
    return result, rows, LOSSES, ("Ticks are those of the host's clock, and the host may do other things: compare rows of one run, and "
                                  "the share with what was promised. An end is in one stretch alone, so its row says least.")


def main():
    guests = sys.argv[1:] == ["guests"]
    name = "guest_isolation" if guests else "network_costs"
    result, rows, columns, said = losses() if guests else costs()
    text = table(rows, columns)
    data = {"machine": result["machine"], "rows": rows, "what": said}
    if not guests:
        data["guest"] = packets()
        text += "\n\n" + table(data["guest"], ("packet", "copied", "lent", "renewed"))
        said += " Below: a packet of a paravirtual guest and its answer, all programs on the way included, without idle time."
    results.write(f"{name}.json", data)
    (results.RESULTS / f"{name}.md").write_text(f"{text}\n\n{said}\n", "utf-8")
    print(f"{text}\n\n{said}\n  build/results/{name}.json, {name}.md")
    return 0


if __name__ == "__main__":
    results.main(main)
