# SPDX-License-Identifier: Apache-2.0
"""Criteria of language models: what fires, by hand, and that borders hold."""

from __future__ import annotations

import math

import pytest
import torch

import faultwave as fw
from faultwave import _core, sequences

TARGETS = [1, 0, 2]


def near(criterion: fw.Criterion, golden: torch.Tensor, faulty: torch.Tensor, rounding: float) -> bool:
    return _core.is_near_border(criterion, [golden], [faulty], rounding)


class Predictor(torch.nn.Module):
    """Identifiers [batch, tokens] to logits [batch, tokens, 7]."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(7, 8)
        self.recurrent = torch.nn.Linear(8, 8)
        self.head = torch.nn.Linear(8, 7)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.recurrent(self.embedding(ids).cumsum(1))))


@pytest.mark.parametrize("of_each_input", [False, True])
def test_a_campaign_counts_what_the_functions_measure(of_each_input: bool) -> None:
    ids = torch.randint(7, (3, 5), generator=torch.Generator().manual_seed(2))
    texts = [[1, 4, 2, 0, 3], [6, 6, 0, 1, 2], [5, 3, 3, 2, 4]]
    campaign = fw.Campaign(
        Predictor(),
        ids,
        labels=range(3) if of_each_input else None,
        criteria=[
            sequences.perplexity_ratio_above(1.05, texts if of_each_input else texts[0]),
            sequences.predictions_differ_above(0.2),
        ],
        error="flip",
        trials=400,
        seed=1,
        keep="all",
    )
    result = campaign.run(progress=False)
    fired = {"perplexity_ratio": 0, "predictions_differ": 0}
    for number in range(400):
        replay = campaign.replay(number)
        golden, faulty = replay.golden[0], replay.faulty[0]
        targets = texts[replay.trial.input if of_each_input else 0]
        ratio = sequences.perplexity_ratio(golden, faulty, targets)
        # A token with NaN among its logits differs, wherever the largest of them may be said to stand.
        says = faulty.argmax(-1).where(~faulty.isnan().any(-1), -1)
        differ = sequences.tokens_that_differ(golden.argmax(-1), says)
        expected = {"perplexity_ratio": not ratio < 1.05, "predictions_differ": differ > 0.2}
        assert replay.fired == [name for name, does in expected.items() if does], number
        for name, does in expected.items():
            fired[name] += does
    assert {name: result.rates[name].count for name in fired} == fired
    assert all(0 < count < 400 for count in fired.values())


def test_borders_hold_every_move() -> None:
    """Wherever a move within the rounding changes the answer, the border is near, and far from it it is not."""
    generator = torch.Generator().manual_seed(3)
    rounding = 0.02
    differ = sequences.predictions_differ_above(0.5)
    seen = {True: 0, False: 0}
    for _ in range(300):
        golden, faulty = (torch.randn(4, 3, generator=generator) for _ in range(2))
        answers = set()
        for _ in range(30):
            moved = []
            for logits in (golden, faulty):
                move = (
                    torch.rand(4, 3, generator=generator).mul(2).sub(1).sign() * rounding * logits.abs().max()
                )
                moved.append((logits + move).argmax(-1))
            answers.add(sequences.tokens_that_differ(*moved) > 0.5)
        is_near = near(differ, golden, faulty, rounding)
        assert is_near or len(answers) == 1
        seen[is_near] += 1
    assert seen[True] > 0 and seen[False] > 100


def test_the_border_of_a_prediction_by_hand() -> None:
    # Golden says 0 by a wide margin, faulty says 1 by 0.1; both may move by 0.05 x 4 at the most.
    golden, faulty = torch.tensor([[4.0, 0.0]]), torch.tensor([[3.9, 4.0]])
    differ = sequences.predictions_differ_above()
    assert near(differ, golden, faulty, 0.05)
    assert not near(differ, golden, faulty, 0.01)  # a gap of 0.1, and moves of 0.04
    assert not near(differ, golden, torch.tensor([[math.nan, 4.0]]), 0.05)


@pytest.mark.parametrize("ratio", [0, -1, math.inf, math.nan])
def test_what_is_no_ratio(ratio: float) -> None:
    with pytest.raises(fw.UsageError, match="expected a finite ratio above 0"):
        sequences.perplexity_ratio_above(ratio, TARGETS)


@pytest.mark.parametrize("share", [-0.1, 1, math.nan])
def test_what_is_no_share(share: float) -> None:
    with pytest.raises(fw.UsageError, match="expected a share from 0 to below 1"):
        sequences.predictions_differ_above(share)


@pytest.mark.parametrize(
    ("targets", "labels", "message"),
    [
        ([1, 2], None, "there are 2 targets and logits of 5 tokens"),
        (
            [[1] * 5, [2] * 5],
            None,
            "there are targets of 2 inputs, and this input's label is None; give the campaign",
        ),
        (torch.ones(2, 5, dtype=torch.long), [7, 7], "this input's label is 7"),
        ([1, 2, 3, 4, 9], None, "target 4 is 9, and the vocabulary has the identifiers 0 to 6"),
    ],
)
def test_targets_that_do_not_fit(targets: object, labels: list[int] | None, message: str) -> None:
    criterion = sequences.perplexity_ratio_above(1.1, targets)  # type: ignore[arg-type]
    ids = torch.zeros(2, 5, dtype=torch.long)
    with pytest.raises(fw.Error, match=message):
        fw.Campaign(
            Predictor(), ids, labels=labels, criteria=criterion, error="constant(9)", trials=20, seed=1
        ).run(progress=False)
