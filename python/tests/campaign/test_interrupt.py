# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C at any place stops a campaign, is no outcome, and costs nothing that a later run does not make
good."""

from __future__ import annotations

import os
import pathlib
import signal

import networks
import pytest
import torch

import faultwave as fw


class Trap:
    """Presses Ctrl-C at the n-th time that one of the places is passed."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.left = 0

    def passed(self, place: str) -> None:
        if place != self.place or self.left == 0:
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


class Trapped(networks.Small):
    def __init__(self, trap: Trap) -> None:
        super().__init__()
        self.trap = trap

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.trap.passed("model")
        return super().forward(x)


def campaign_with(trap: Trap, images: torch.Tensor, engine: str) -> fw.Campaign:
    def far(golden: torch.Tensor, faulty: torch.Tensor) -> bool:
        trap.passed("criterion")
        return networks.far(golden, faulty)

    def near(golden: torch.Tensor, faulty: torch.Tensor, rounding: float) -> bool:
        trap.passed("border")
        return False

    def thrice(values: torch.Tensor, context: fw.ErrorContext) -> torch.Tensor:
        trap.passed("error model")
        return values * 3

    return fw.Campaign(
        Trapped(trap),
        images,
        trials=1500,
        block=256,
        seed=1,
        engine=engine,
        error=fw.error_model("thrice", thrice),
        criteria=[fw.criterion("far", far, near_border=near)],
    )


@pytest.mark.parametrize("engine", ["wave", "direct"])
@pytest.mark.parametrize("place", ["model", "criterion", "border", "error model", "progress"])
def test_stops_and_goes_on(engine: str, place: str, images: torch.Tensor, tmp_path: pathlib.Path) -> None:
    if (engine, place) == ("direct", "border"):
        pytest.skip("real faulty runs have no borders")
    trap = Trap(place)
    whole = campaign_with(trap, images, engine).run(tmp_path / "whole.db", progress=False)

    campaign = campaign_with(trap, images, engine)
    times = {"model": 5 if engine == "wave" else 60, "progress": 1}
    trap.left = times.get(place, 300)
    with pytest.raises(KeyboardInterrupt) as caught:
        campaign.run(tmp_path / "a.db", progress=lambda _: trap.passed("progress"))
    assert trap.left == 0
    if hasattr(caught.value, "__notes__"):
        assert "go on with campaign.resume(" in caught.value.__notes__[0]
    stopped = campaign.results
    assert stopped is not None
    assert stopped.ended == ""
    assert stopped.trials_done < 1500
    assert stopped.outcomes["crash"] == 0

    result = campaign_with(trap, images, engine).resume(tmp_path / "a.db", progress=False)
    whole.trials.to_csv(tmp_path / "whole.csv")
    result.trials.to_csv(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert result.ended == "trials"


@pytest.mark.parametrize("engine", ["wave", "direct"])
def test_stops_in_memory_and_goes_on(engine: str, images: torch.Tensor) -> None:
    trap = Trap("model")
    whole = campaign_with(trap, images, engine).run(progress=False)
    campaign = campaign_with(trap, images, engine)
    trap.left = 60 if engine == "direct" else 5
    with pytest.raises(KeyboardInterrupt):
        campaign.run(progress=False)
    assert campaign.run(progress=False).trials.to_dataframe().equals(whole.trials.to_dataframe())


def test_system_exit_stops_too(images: torch.Tensor, model: torch.nn.Module) -> None:
    def leave(golden: torch.Tensor, faulty: torch.Tensor) -> bool:
        if not torch.equal(golden, faulty):
            raise SystemExit(3)
        return False

    with pytest.raises(SystemExit):
        fw.Campaign(model, images, trials=100, criteria=fw.criterion("leave", leave)).run(progress=False)


def test_stops_while_a_network_of_a_file_runs(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    torch.jit.trace(model.eval(), images[:1]).save(str(tmp_path / "net.pt"))
    campaign = fw.Campaign(tmp_path / "net.pt", images, trials=20000, criteria="top1", keep="events")
    calls = []

    def press(_: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        campaign.run(tmp_path / "a.db", progress=press)
    assert campaign.resume(tmp_path / "a.db", progress=False).trials_done == 20000


def test_the_model_is_as_before(images: torch.Tensor) -> None:
    trap = Trap("model")
    campaign = campaign_with(trap, images, "wave")
    model = campaign._subject._network.model
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    trap.left = 4
    with pytest.raises(KeyboardInterrupt):
        campaign.run(progress=False)
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
