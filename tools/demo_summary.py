# SPDX-License-Identifier: Apache-2.0
"""Says in two sentences what the demo's campaigns found: `python tools/demo_summary.py PROGRAM FOLDER`.

PROGRAM is the command line program, FOLDER holds neurons.db and weights.db.
"""

import collections
import csv
import io
import json
import re
import subprocess
import sys

Campaign = collections.namedtuple("Campaign", "victim stats bits")


def ask(program: str, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def flipped_bits(program: str, database: str) -> collections.Counter:
    """How many flips changed the top class, by the bit that they hit."""
    bits = collections.Counter()
    for row in csv.DictReader(io.StringIO(ask(program, "export", database, "--format", "csv"))):
        flip = re.search(r" flip\((\d+)\)", row["fault"])
        if flip and row["top1"] == "1":
            bits[int(flip.group(1))] += 1
    return bits


def read(program: str, folder: str, name: str, victim: str) -> Campaign:
    database = f"{folder}/{name}.db"
    stats = json.loads(ask(program, "stats", database, "--json"))
    return Campaign(victim, stats, flipped_bits(program, database))


def percent(rate: float) -> str:
    return f"{100 * rate:.2g} %"


def rate_of(campaign: Campaign) -> str:
    top1 = campaign.stats["outcomes"]["top1"]
    interval = f"{percent(top1['confidence'])} interval {percent(top1['low'])} to {percent(top1['high'])}"
    return f"{percent(top1['estimate'])} of {campaign.stats['trials']:,} trials when it hit a {campaign.victim} ({interval})"


def most_exposed(campaign: Campaign) -> str:
    """The layer whose rate is highest for sure: by the lower end of its interval, since layers differ in trials."""
    layer = max(campaign.stats["layers"], key=lambda layer: layer["outcomes"]["top1"]["low"])
    return f"{layer['site']} for {campaign.victim}s ({layer['outcomes']['top1']['count']} of {layer['trials']})"


def meaning(bit: int) -> str:
    if bit == 31:
        return "the sign"
    if bit == 30:
        return "the highest bit of the exponent"
    return "in the exponent" if bit >= 23 else "in the mantissa"


def main() -> None:
    program, folder = sys.argv[1:]
    neurons = read(program, folder, "neurons", "neuron")
    weights = read(program, folder, "weights", "weight")
    print(f"A random bit flip changed the network's answer in {rate_of(neurons)}, and in {rate_of(weights)}.")

    harmful = neurons.bits + weights.bits
    if not harmful:
        print("No flip changed an answer, so nothing can be said about where it would.")
        return
    bit, hits = harmful.most_common(1)[0]
    print(
        f"Of the {harmful.total():,} flips that did, {hits:,} hit bit {bit}, {meaning(bit)}, "
        f"and the most exposed layers were {most_exposed(neurons)} and {most_exposed(weights)}."
    )


if __name__ == "__main__":
    main()
