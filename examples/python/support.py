# SPDX-License-Identifier: Apache-2.0
"""What the studies share: faults drawn by key, and rates with their intervals."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import faultwave as fw


@dataclass(frozen=True)
class Target:
    """Where the faults of one row of a table go."""

    name: str
    kind: str
    sites: str  # a glob
    forwards: str = ""  # as in a fault line: "5", "5:8", "5:", or "" for all


def draw(injector: fw.Injector, target: Target, model: str, count: int, seed: int) -> Iterator[fw.Fault]:
    """Faults at one random value each: first one of the target's sites, each as likely, then one of its values, by the
    fault's own key. The same for the same seed, target and model."""
    sites = injector.select(target.sites, target.kind)
    generator = random.Random(f"{seed} {target.name} {model}")
    for _ in range(count):
        yield fw.Fault(
            kind=target.kind,
            site=generator.choice(sites).name,
            location="[?]",
            model=model,
            forwards=target.forwards,
            key=generator.getrandbits(32),
        )


def told(receipt: fw.Receipt) -> str:
    """What a fault did first: "rnn1.weight_ih_l0[3, 7]: 0.12 -> 4.1e+37"."""
    victim = receipt.victims[0]
    more = f", and {receipt.forwards - 1} forwards more" if receipt.forwards > 1 else ""
    return f"{receipt.site}{list(victim.index)}: {victim.before:.6g} -> {victim.after:.6g}{more}"


def with_interval(count: int, trials: int, confidence: float = 0.95) -> str:
    """A rate in percent, and its exact interval: "4.0 [1.1, 9.9]"."""
    low, high = fw.clopper_pearson(count, trials, confidence)
    return f"{100 * count / trials:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table, the first column to the left."""
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    for row in [columns, *rows]:
        first, *others = (
            cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths))
        )
        print("  ".join([first, *others]))
