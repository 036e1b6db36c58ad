# SPDX-License-Identifier: Apache-2.0
"""Perplexities by hand: logits whose probabilities are known fractions."""

from __future__ import annotations

import math

import pytest
import torch

import faultwave as fw
from faultwave import sequences

# Probabilities 1/2, 1/4, 1/4 and 1/8, 1/8, 3/4. A shift of a token's logits changes nothing.
LOGITS = torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]], dtype=torch.float64).log() + torch.tensor(
    [[3.0], [-8.0]]
)


@pytest.mark.parametrize("targets", [[1, 0], torch.tensor([1, 0]), torch.tensor([1, 0], dtype=torch.int32)])
def test_perplexity_is_the_inverse_geometric_mean_of_probabilities(targets: sequences.Tokens) -> None:
    assert sequences.perplexity(LOGITS, targets) == pytest.approx(math.sqrt(4 * 8), rel=1e-14)


def test_perplexity_is_worked_out_in_double_precision() -> None:
    # Of 2 logits d apart the likely one has -ln p = ln(1 + exp(-d)), which is lost beside 1 in FP32 for d = 20.
    logits = torch.tensor([[20.0, 0.0]])
    assert sequences.perplexity(logits, [0]) == pytest.approx(1 + math.exp(-20), rel=1e-15)
    assert sequences.perplexity(logits.bfloat16(), [0]) == pytest.approx(1 + math.exp(-20), rel=1e-15)


def test_many_tokens_are_taken_in_parts() -> None:
    logits = torch.zeros(100, 4)
    logits[50:, 0] = math.log(5.0)  # probability 5/8 in the second half
    expected = math.exp((50 * math.log(4) + 50 * math.log(8 / 5)) / 100)
    assert sequences.perplexity(logits, [0] * 100) == pytest.approx(expected, rel=1e-7)


def test_ratio_of_perplexities() -> None:
    faulty = torch.tensor([[0.25, 0.5, 0.25], [0.5, 0.25, 0.25]], dtype=torch.float64).log()
    # Target 1 of the first token: 1/4 becomes 1/2; target 0 of the second: 1/8 becomes 1/2.
    assert sequences.perplexity_ratio(LOGITS, faulty, [1, 0]) == pytest.approx(
        1 / math.sqrt(2 * 4), rel=1e-14
    )
    assert sequences.perplexity_ratio(LOGITS, LOGITS, [1, 0]) == 1.0


def test_a_ratio_of_perplexities_beyond_all_numbers() -> None:
    golden, faulty = torch.tensor([[-1000.0, 0.0]]), torch.tensor([[-1001.0, 0.0]])
    assert sequences.perplexity(golden, [0]) == math.inf
    assert sequences.perplexity_ratio(golden, faulty, [0]) == pytest.approx(math.e, rel=1e-12)


def test_logits_that_are_not_finite() -> None:
    golden = torch.zeros(1, 2)
    for value, perplexity in ((math.nan, math.nan), (math.inf, math.nan), (-math.inf, 1.0)):
        faulty = torch.tensor([[0.0, value]])
        assert sequences.perplexity(faulty, [0]) == pytest.approx(perplexity, nan_ok=True)
        assert sequences.perplexity_ratio(golden, faulty, [0]) == pytest.approx(perplexity / 2, nan_ok=True)
    assert sequences.perplexity(torch.tensor([[0.0, -math.inf]]), [1]) == math.inf


def test_divergence_by_hand() -> None:
    faulty = torch.tensor([[0.25, 0.25, 0.5], [0.125, 0.125, 0.75]], dtype=torch.float64).log()
    # Of the first token: 1/2 ln 2 + 0 + 1/4 ln 1/2; of the second nothing.
    assert sequences.kl_divergence(LOGITS, faulty) == pytest.approx(0.25 * math.log(2) / 2, rel=1e-12)
    assert sequences.kl_divergence(LOGITS, LOGITS) == 0.0


def test_divergence_at_the_ends() -> None:
    certain, even = torch.tensor([[0.0, -math.inf]]), torch.zeros(1, 2)
    assert sequences.kl_divergence(certain, even) == pytest.approx(math.log(2))
    assert sequences.kl_divergence(certain, certain) == 0.0
    assert sequences.kl_divergence(even, certain) == math.inf
    assert sequences.kl_divergence(torch.tensor([[0.0, -1000.0]]), certain) == 0.0  # exp(-1000) is 0
    assert math.isnan(sequences.kl_divergence(even, torch.tensor([[math.inf, 0.0]])))


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        (
            torch.zeros(1, 2, 3),
            [0, 1],
            r"logits: expected floating-point logits .* shape \[1, 2, 3\] and type float32",
        ),
        (torch.zeros(2, 3, dtype=torch.int64), [0, 1], "type int64"),
        (torch.zeros(0, 3), [], "of one token or more"),
        ([[0.0]], [0], "expected a tensor .tokens, vocabulary., and got a list"),
        (torch.zeros(2, 3), [0], "there are 1 targets and logits of 2 tokens"),
        (torch.zeros(2, 3), [0, 3], "target 1 is 3, and the vocabulary has the identifiers 0 to 2"),
        (torch.zeros(2, 3), [-100, 0], "target 0 is -100, .*; leave out the rows of padding"),
        (torch.zeros(2, 3), torch.zeros(2), "targets: expected identifiers"),
    ],
)
def test_what_has_no_perplexity(logits: object, targets: object, message: str) -> None:
    with pytest.raises(fw.InputError, match=message):
        sequences.perplexity(logits, targets)  # type: ignore[arg-type]


def test_what_cannot_be_compared() -> None:
    for measure in (
        sequences.kl_divergence,
        lambda golden, faulty: sequences.perplexity_ratio(golden, faulty, [0]),
    ):
        with pytest.raises(
            fw.InputError, match=r"golden logits are \[1, 3\] and faulty ones \[2, 3\]; run both on"
        ):
            measure(torch.zeros(1, 3), torch.zeros(2, 3))
        with pytest.raises(fw.InputError, match="faulty: expected floating-point logits"):
            measure(torch.zeros(1, 3), torch.zeros(3))
