# SPDX-License-Identifier: Apache-2.0
"""Where sequences of tokens differ, by hand, and what cannot be one."""

from __future__ import annotations

import doctest
import itertools

import pytest
import torch

import faultwave as fw
from faultwave import sequences
from faultwave.sequences import _predictions, _tokens, _words


@pytest.mark.parametrize(
    ("golden", "faulty", "first", "share", "distance"),
    [
        ([], [], None, 0.0, 0),
        ([5, 8, 2], [5, 8, 2], None, 0.0, 0),
        ([5, 8, 2, 7], [5, 9, 2, 7], 1, 0.25, 1),
        ([5, 8, 2, 7], [5, 8, 2], 3, 0.25, 1),  # one is the beginning of the other
        ([], [4, 4], 0, 1.0, 2),
        ([5, 8, 2, 7], [5, 1, 8, 2, 7], 1, 0.8, 1),  # one token slipped in, all behind it moved
        ([1, 2, 3, 4], [2, 3, 4, 5], 0, 1.0, 2),  # one gone in front, one more at the end
        ([1, 2, 3], [4, 5, 6], 0, 1.0, 3),
    ],
)
def test_what_differs(
    golden: list[int], faulty: list[int], first: int | None, share: float, distance: int
) -> None:
    for one, other in itertools.product(
        *([ids, tuple(ids), torch.tensor(ids).long()] for ids in (golden, faulty))
    ):
        assert sequences.first_divergent_token(one, other) == first
        assert sequences.tokens_that_differ(one, other) == share
        assert sequences.token_edit_distance(one, other) == distance
        assert sequences.token_edit_distance(other, one) == distance


def enumerated_distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """The definition: whatever pairs of positions keep their order are matched, and all else is deleted or inserted."""
    best = len(one) + len(other)
    for size in range(1, min(len(one), len(other)) + 1):
        for left in itertools.combinations(range(len(one)), size):
            for right in itertools.combinations(range(len(other)), size):
                wrong = sum(one[i] != other[j] for i, j in zip(left, right))
                best = min(best, wrong + len(one) + len(other) - 2 * size)
    return best


def test_the_distance_is_the_least_of_all_alignments() -> None:
    words = [word for length in range(5) for word in itertools.product((0, 1), repeat=length)]
    for one, other in itertools.product(words, words):
        assert sequences.token_edit_distance(one, other) == enumerated_distance(one, other)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            torch.zeros(1, 3, dtype=torch.long),
            r"golden: .*shape \[1, 3\] and type int64; give the sequences .* one by",
        ),
        (torch.zeros(3), r"golden: expected identifiers of tokens, .*type float32"),
        (torch.zeros(3, dtype=torch.bool), "type bool"),
        ("the text", "golden: expected identifiers of tokens, .* got a str"),
        ({1, 2}, "got a set"),
        ([1, 2.5], "golden: token 1 is 2.5, and identifiers of tokens are integers"),
        ([True], "golden: token 0 is True"),
    ],
)
def test_what_are_no_tokens(bad: object, message: str) -> None:
    measures = [sequences.first_divergent_token, sequences.tokens_that_differ, sequences.token_edit_distance]
    for measure in measures:
        with pytest.raises(fw.InputError, match=message):
            measure(bad, [1])  # type: ignore[arg-type]
        with pytest.raises(fw.InputError, match=message.replace("golden", "faulty")):
            measure([1], bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("module", [_tokens, _words, _predictions])
def test_examples_of_the_docstrings(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted > 0 and results.failed == 0
