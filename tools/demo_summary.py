# SPDX-License-Identifier: Apache-2.0
"""Says in a few sentences what the demo's campaigns found: `python tools/demo_summary.py PROGRAM FOLDER`.

PROGRAM is the command line program, FOLDER holds neurons.db and weights.db.
"""

import collections
import csv
import io
import json
import math
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


def chance_of(events: int, trials: int, rate: float) -> float:
    """Of so many events or more, where each of the trials has one at this rate."""
    fewer = sum(math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(events))
    return 1 - fewer


def most_exposed(campaign: Campaign) -> str:
    """The layer whose rate is the highest at least, if it is more than the highest of many that chance made.

    It stands out where its events would be rare at the upper end of the rate over all, so rare that not even the worst
    of all layers would have them (Bonferroni).
    """
    over_all = campaign.stats["outcomes"]["top1"]
    layers = [layer for layer in campaign.stats["layers"] if layer["trials"] > 0]
    layer = max(layers, key=lambda layer: layer["outcomes"]["top1"]["low"])
    top1 = layer["outcomes"]["top1"]
    chance = len(layers) * chance_of(top1["count"], layer["trials"], over_all["high"])
    if chance > 1 - over_all["confidence"]:
        return f"no layer stands out among {campaign.victim}s, for which {campaign.stats['trials']:,} trials are too few"
    return (
        f"{layer['site']} is the most exposed to flips of its {campaign.victim}s, with {percent(top1['estimate'])} "
        f"of {layer['trials']:,} ({percent(top1['low'])} at least)"
    )


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
        f"Of the {harmful.total():,} flips that did, {hits:,} hit bit {bit}, {meaning(bit)}; "
        f"{most_exposed(neurons)}, and {most_exposed(weights)}."
    )


if __name__ == "__main__":
    main()
