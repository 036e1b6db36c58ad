# SPDX-License-Identifier: Apache-2.0
"""What a new user may get wrong: each time one sentence that helps."""

from __future__ import annotations

import pathlib
from typing import Any

import networks
import pytest
import torch

import faultwave as fw


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"trails": 10}, "a campaign has no keyword 'trails'; did you mean trials?"),
        ({"xyz": 10}, "a campaign has no keyword 'xyz': expected one of"),
        ({"trials": "many"}, "trials is 'many', of type str: expected a whole number"),
        ({"trials": 0}, "trials is 0: expected at least one trial"),
        ({"trials": -1}, "trials is -1: expected a whole number from 0"),
        (
            {"trials": 10, "engine": "weve"},
            "engine is 'weve': expected 'wave' or 'direct'; did you mean wave?",
        ),
        ({"trials": 10, "kind": "neuron"}, "kind is 'neuron': expected 'output' or"),
        ({"trials": 10, "draw": "bit"}, "draw is 'bit': expected 'bits' or .*; did you mean bits?"),
        ({"trials": 10, "sites": []}, "sites is empty"),
        ({"trials": 10, "criteria": []}, "criteria is empty"),
        ({"trials": 10, "criteria": "top2"}, "top2"),
        ({"trials": 10, "criteria": [3]}, "a criterion is a text such as 'top1'"),
        ({"trials": 10, "error": 3}, "error is a int: expected an error model"),
        ({"trials": 10, "error": "flop"}, "flop"),
        ({"trials": 10, "stop": 0.1}, "stop is 0.1, of type float: expected fw.HalfWidth"),
        ({"trials": 10, "only_right": True}, "only_right=True needs labels"),
        ({"trials": 10, "only_right": 1}, "only_right is 1, of type int: expected True or False"),
        ({"trials": 10, "preprocess": {"crops": 3}}, "preprocess has no key 'crops'; did you mean crop"),
        ({"trials": 10, "memory": "4 tons"}, "memory is '4 tons': expected a number of bytes"),
        ({"trials": 10, "per_trial": "each"}, "per_trial is 'each': expected a number of faults from 1"),
        ({"trials": 10, "batch": 0}, "batch"),
        ({"trials": 10, "confidence": 1.5}, "confidence"),
        ({"trials": 10, "device": "gpu"}, "device is 'gpu'"),
        ({}, "nothing ends this campaign: give trials=, how many faults to try, or stop="),
        ({"trials": 10, "draw": "list"}, "draw='list' and list= go together"),
        ({"trials": 10, "batch_axes": [0, 0]}, "batch_axes has 2 axes for 1 tensors"),
    ],
)
def test_keywords(
    model: torch.nn.Module, images: torch.Tensor, keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(fw.UsageError, match=message.replace("(", "\\(").replace("?", "\\?")) as caught:
        fw.Campaign(model, images, **keywords)
    assert "\n" not in str(caught.value)


def test_a_glob_without_a_site(model: torch.nn.Module, images: torch.Tensor) -> None:
    with pytest.raises(fw.IllegalFaultError, match="no output site that matches 'convs'.*did you mean conv"):
        fw.Campaign(model, images, trials=10, sites="convs")


def test_no_model(images: torch.Tensor) -> None:
    with pytest.raises(fw.UsageError, match="give a model, or factory="):
        fw.Campaign(None, images, trials=10)
    with pytest.raises(fw.UsageError, match="the model is a int, which cannot be called"):
        fw.Campaign(3, images, trials=10)
    with pytest.raises(fw.UsageError, match="inputs are missing"):
        fw.Campaign(networks.Small(), trials=10)
    with pytest.raises(fw.InputError, match="nowhere.pt2"):
        fw.Campaign("/nowhere.pt2", images, trials=10)


def test_a_model_that_cannot_take_the_inputs(model: torch.nn.Module) -> None:
    with pytest.raises(fw.NetworkError) as caught:
        fw.Campaign(model, torch.randn(4, 5, 8, 8), trials=10)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_model_that_draws_random_numbers(images: torch.Tensor) -> None:
    class Noisy(networks.Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(torch.nn.functional.dropout(x, training=True))

    with pytest.raises(fw.NetworkError, match="random_key"):
        fw.Campaign(Noisy(), images, trials=10)
    assert fw.Campaign(Noisy(), images, trials=10, random_key=1).run(progress=False).trials_done == 10


def test_a_model_that_writes_to_its_buffers(images: torch.Tensor) -> None:
    class Counting(networks.Small):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return super().forward(x)

    model = Counting()
    assert fw.Campaign(model, images, trials=100, criteria="top1").run(progress=False).trials_done == 100
    assert model.calls == 0


def test_a_database_of_another_campaign(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "a.db"
    fw.Campaign(model, images, trials=100, seed=1).run(path, progress=False)
    with pytest.raises(fw.MismatchError, match="belongs to another campaign: seed is 1 there and 2 here"):
        fw.Campaign(model, images, trials=100, seed=2).run(path, progress=False)
    with torch.no_grad():
        model.head.weight[0, 0] += 1
    with pytest.raises(fw.MismatchError, match="the network changed since"):
        fw.Campaign(model, images, trials=100, seed=1).run(path, progress=False)


def test_a_file_that_is_no_database(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "a.db").write_text("a text")
    with pytest.raises(fw.StoreError, match="a.db"):
        fw.Campaign(model, images, trials=100).run(tmp_path / "a.db", progress=False)
    with pytest.raises(fw.StoreError, match="no database"):
        fw.open(tmp_path / "b.db")
    with pytest.raises(fw.StoreError, match="no database .* to go on with: begin one with run"):
        fw.Campaign(model, images, trials=100).resume(tmp_path / "b.db", progress=False)


def test_a_database_that_was_removed_while_it_was_open(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "a.db"
    path.with_name("a.db-wal").write_bytes(b"what a process left behind that was killed")
    assert fw.Campaign(model, images, trials=100).run(path, progress=False).trials_done == 100


def test_trials_that_there_are_not(model: torch.nn.Module, images: torch.Tensor) -> None:
    campaign = fw.Campaign(model, images, trials=100)
    for call in (campaign.trial, campaign.replay):
        with pytest.raises(fw.UsageError, match="there is no trial 100: the campaign has trials 0 to 99"):
            call(100)
