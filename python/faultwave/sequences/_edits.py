# SPDX-License-Identifier: Apache-2.0
"""The distance of Levenshtein (1966) between sequences of anything."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def fewest_edits(one: Sequence[Hashable], other: Sequence[Hashable]) -> tuple[int, int]:
    """Substitutions, and deletions with insertions, of the alignment that has the fewest of all, and of several such
    the most substitutions.

    The algorithm of Wagner and Fischer (1974), by rows: the cost of a beginning of `one` and each beginning of `other`
    follows from three costs before it.
    """
    start = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    one, other = one[start:], other[start:]  # an equal beginning costs nothing
    # A cost is (edits, gaps), so that the smaller of two pairs is the better one.
    costs = [(gaps, gaps) for gaps in range(len(other) + 1)]
    for row, element in enumerate(one, 1):
        above, costs = costs, [(row, row)]
        for column, candidate in enumerate(other, 1):
            edits, gaps = above[column - 1]
            gap = min(above[column], costs[-1])
            costs.append(min((edits + (element != candidate), gaps), (gap[0] + 1, gap[1] + 1)))
    edits, gaps = costs[-1]
    return edits - gaps, gaps
