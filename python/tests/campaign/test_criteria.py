# SPDX-License-Identifier: Apache-2.0
"""Criteria and error models that are Python functions."""

from __future__ import annotations

import pathlib

import networks
import pytest
import torch

import faultwave as fw
from faultwave import _core


def test_a_function_decides_as_by_hand(model: torch.nn.Module, images: torch.Tensor) -> None:
    campaign = fw.Campaign(model, images, trials=300, criteria=[fw.criterion("far", networks.far)])
    table = campaign.run(progress=False).trials.to_dataframe()
    for number in (0, 50, 123, 299):
        replay = campaign.replay(number)
        differs = not torch.equal(replay.golden[0], replay.faulty[0])
        assert table.far[number] == (differs and networks.far(replay.golden[0], replay.faulty[0]))


def test_a_margin_decides_as_its_function_does(model: torch.nn.Module, images: torch.Tensor) -> None:
    margin = fw.criterion("by_margin", margin=networks.mean_square, threshold=0.05)
    plain = fw.criterion("plain", lambda golden, faulty: bool(networks.mean_square(golden, faulty) >= 0.05))
    result = fw.Campaign(model, images, trials=1000, criteria=[margin, plain]).run(progress=False)
    table = result.trials.to_dataframe()
    assert table.by_margin.equals(table.plain.rename("by_margin"))
    assert 0 < table.plain.sum() < 1000


def decided_again(criterion: fw.Criterion, model: torch.nn.Module, images: torch.Tensor) -> int:
    result = fw.Campaign(model, images, trials=1000, criteria=criterion, audit=0.2).run(progress=False)
    return result._summary().decided_again


def test_a_margin_spares_real_runs(model: torch.nn.Module, images: torch.Tensor) -> None:
    margin = decided_again(fw.criterion("m", margin=networks.mean_square, threshold=0.05), model, images)
    plain = decided_again(
        fw.criterion("p", lambda g, f: bool(networks.mean_square(g, f) >= 0.05)), model, images
    )
    assert margin < plain / 10


def near(criterion: fw.Criterion, golden: torch.Tensor, faulty: torch.Tensor, rounding: float) -> bool:
    return _core.is_near_border(criterion, [golden], [faulty], rounding)


def test_the_border_of_a_margin_by_hand() -> None:
    # margin = |faulty - golden|, outputs of one value; rounding 0.01 moves each side by 0.01 x 2, so the
    # margin by 0.04, and twice that is what is called near.
    one = fw.criterion("one", margin=lambda g, f: (f - g).abs().sum(), threshold=1.0)
    golden = torch.tensor([1.0])
    for faulty, expected in (
        (1.5, False),
        (1.9, False),
        (1.96, True),
        (2.0, True),
        (2.04, True),
        (2.5, False),
    ):
        assert near(one, golden, torch.tensor([faulty]), 0.01) == expected, faulty


def test_borders_hold_every_perturbation() -> None:
    """Wherever a move within the rounding changes the answer, the border is near."""
    generator = torch.Generator().manual_seed(0)
    margin = fw.criterion("l2", margin=lambda g, f: (g - f).norm() / g.norm(), threshold=0.3)
    changed = 0
    for _ in range(400):
        golden = torch.randn(6, generator=generator)
        faulty = golden + 0.3 * golden.norm() * torch.nn.functional.normalize(
            torch.randn(6, generator=generator), dim=0
        )
        faulty += 1e-3 * torch.randn(6, generator=generator)
        rounding = 1e-3
        fires = bool((golden - faulty).norm() / golden.norm() >= 0.3)
        largest = max(float(golden.abs().max()), float(faulty.abs().max()))
        for _ in range(20):
            moves = [
                rounding * largest * (2 * torch.rand(6, generator=generator) - 1).sign() for _ in range(2)
            ]
            a, b = golden + moves[0], faulty + moves[1]
            if bool((a - b).norm() / a.norm() >= 0.3) != fires:
                changed += 1
                assert near(margin, golden, faulty, rounding)
    assert changed > 50


def test_a_margin_without_gradient_is_decided_by_real_runs() -> None:
    count = fw.criterion("count", margin=lambda g, f: ((g - f).abs() > 0.1).sum(), threshold=2)
    assert near(count, torch.zeros(3), torch.ones(3), 1e-6)
    assert not near(count, torch.zeros(3), torch.zeros(3), 1e-6)


def test_label_and_border_functions(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor
) -> None:
    seen = []

    def wrong(golden: torch.Tensor, faulty: torch.Tensor, label: int) -> bool:
        seen.append(label)
        return int(faulty.argmax()) != label and int(golden.argmax()) == label

    criterion = fw.criterion("wrong", wrong, near_border=lambda golden, faulty, rounding: False)
    result = fw.Campaign(model, images, labels, trials=300, criteria=["label_topk(1)", criterion]).run(
        progress=False
    )
    assert set(seen) <= set(labels.tolist())
    assert result.rates["wrong"].count > 0


def test_an_error_model_is_a_function_of_values(model: torch.nn.Module, images: torch.Tensor) -> None:
    def negate(values: torch.Tensor, context: fw.ErrorContext) -> torch.Tensor:
        assert context.site
        return -values

    campaign = fw.Campaign(model, images, trials=200, error=fw.error_model("negate", negate), criteria="top1")
    table = campaign.run(progress=False).trials.to_dataframe()
    assert (table.value_after == -table.value_before).all()


def boom(golden: torch.Tensor, faulty: torch.Tensor) -> bool:
    if not torch.equal(golden, faulty):
        raise ValueError("a mistake of mine")
    return False


@pytest.mark.parametrize("engine", ["wave", "direct"])
def test_what_a_criterion_raises_ends_the_campaign(
    engine: str, model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    campaign = fw.Campaign(model, images, trials=300, engine=engine, criteria=fw.criterion("boom", boom))
    with pytest.raises(fw.InputError, match="criterion boom failed: ValueError: a mistake of mine") as caught:
        campaign.run(tmp_path / "a.db", progress=False)
    assert isinstance(caught.value.__cause__, ValueError)
    assert fw.open(tmp_path / "a.db").outcomes["crash"] == 0


@pytest.mark.parametrize("engine", ["wave", "direct"])
def test_what_an_error_model_raises_ends_the_campaign(
    engine: str, model: torch.nn.Module, images: torch.Tensor
) -> None:
    def broken(values: torch.Tensor, context: fw.ErrorContext) -> torch.Tensor:
        raise ZeroDivisionError("mine")

    campaign = fw.Campaign(model, images, trials=300, engine=engine, error=fw.error_model("broken", broken))
    with pytest.raises(fw.IllegalFaultError, match="user\\(broken\\) failed: ZeroDivisionError: mine"):
        campaign.run(progress=False)


def test_a_crash_of_a_fault_is_no_cause_of_later_errors(images: torch.Tensor) -> None:
    class Picky(networks.Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.conv(x)
            if not bool(x.isfinite().all()) or bool(x.abs().max() > 1e3):
                raise RuntimeError("the values are too large")
            return self.head(x.flatten(1))

    result = fw.Campaign(Picky(), images, trials=500, criteria="top1").run(progress=False)
    assert result.outcomes["crash"] > 0
    assert "RuntimeError: the values are too large" in set(result.trials.to_dataframe().crash.dropna())
    with pytest.raises(fw.UsageError) as caught:
        fw.Campaign(Picky(), images, trials=500, criteria="top1").trial(-1)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("top1", networks.far), "cannot be named 'top1': that is one of Faultwave's"),
        (("my criterion", networks.far), "expected a letter, then letters, digits and underscores"),
        (("mine", 3), "expected a function, and got a int"),
        (("mine",), "give either a function, or margin= and threshold="),
    ],
)
def test_wrong_criteria(arguments: tuple, message: str) -> None:
    with pytest.raises(fw.UsageError, match=message.replace("(", "\\(")):
        fw.criterion(*arguments)


def test_margin_and_threshold_go_together() -> None:
    with pytest.raises(fw.UsageError, match="margin= goes with threshold="):
        fw.criterion("mine", margin=networks.mean_square)
    with pytest.raises(fw.UsageError, match="threshold= goes with margin="):
        fw.criterion("mine", networks.far, threshold=1)


def test_an_answer_that_is_none(model: torch.nn.Module, images: torch.Tensor) -> None:
    with pytest.raises(
        fw.InputError, match="criterion mine.*must return True or False, and returned a NoneType"
    ):
        fw.Campaign(model, images, trials=10, criteria=fw.criterion("mine", lambda golden, faulty: None))
