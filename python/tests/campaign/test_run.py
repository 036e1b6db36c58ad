# SPDX-License-Identifier: Apache-2.0
"""Campaigns from their keywords to their results, in memory and in a file."""

from __future__ import annotations

import pathlib
import subprocess

import networks
import pytest
import tomllib
import torch

import faultwave as fw


def test_model_and_modes_are_as_before(model: torch.nn.Module, images: torch.Tensor) -> None:
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fw.Campaign(model, images, trials=200).run(progress=False)
    assert model.training
    assert model.drop.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_engines_agree(model: torch.nn.Module, images: torch.Tensor) -> None:
    tables = []
    for engine in ("wave", "direct"):
        result = fw.Campaign(model, images, trials=400, seed=3, engine=engine).run(progress=False)
        tables.append(result.trials.to_dataframe()[["fault", "input", "outcome", "top1"]])
    assert tables[0].equals(tables[1])


def test_replay_is_what_was_recorded(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    campaign = fw.Campaign(model, images, trials=100, criteria=["top1"], seed=5)
    table = campaign.run(tmp_path / "a.db", progress=False).trials.to_dataframe()
    for number in (0, 17, 99):
        row = table.iloc[number]
        replay = campaign.replay(number)
        assert (replay.outcome, bool(replay.fired)) == (row.outcome, row.top1)
        assert str(replay.trial.faults[0]) == row.fault == str(campaign.trial(number).faults[0])
        assert replay.receipts[0].hits == row.hits
        # By hand: the model's own forward with the fault armed.
        injector = fw.Injector(model.eval(), images[:1])
        expected = injector.run(row.fault, images[row.input : row.input + 1])[0]
        assert torch.allclose(replay.faulty[0], expected, equal_nan=True, atol=1e-5)


def test_file_and_memory_have_the_same_trials(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    campaign = fw.Campaign(model, images, trials=300, seed=2)
    in_file = campaign.run(tmp_path / "a.db", progress=False)
    in_memory = campaign.run(progress=False)
    assert in_file.trials.to_dataframe().equals(in_memory.trials.to_dataframe())
    assert in_file.rates == in_memory.rates
    assert in_memory.path == ""


def test_the_program_reads_the_database(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path, program: str
) -> None:
    path = tmp_path / "a.db"
    result = fw.Campaign(model, images, trials=300, seed=2).run(path, progress=False)
    stats = subprocess.run([program, "stats", str(path)], capture_output=True, text=True, check=True)
    assert stats.stdout == result.text(width=120)
    export = subprocess.run([program, "export", str(path)], capture_output=True, text=True, check=True)
    result.trials.to_csv(tmp_path / "a.csv")
    assert export.stdout == (tmp_path / "a.csv").read_text()
    replay = subprocess.run([program, "replay", str(path), "17"], capture_output=True, text=True, check=False)
    assert replay.returncode == 2
    assert "in Python by `Campaign.resume`" in replay.stderr


def test_a_file_of_a_network_runs_without_python(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path, program: str
) -> None:
    traced = torch.jit.trace(model.eval(), images[:1])
    traced.save(str(tmp_path / "net.pt"))
    torch.save(images, tmp_path / "images.pt")
    campaign = fw.Campaign(tmp_path / "net.pt", tmp_path / "images.pt", trials=300, seed=2, criteria="top1")
    result = campaign.run(tmp_path / "a.db", progress=False)
    replay = subprocess.run(
        [program, "replay", str(tmp_path / "a.db"), "17"], capture_output=True, text=True, check=True
    )
    outcome = result.trials.to_dataframe().outcome[17]
    assert f"outcome   {outcome}" in replay.stdout
    in_memory = fw.Campaign(tmp_path / "net.pt", images, trials=300, seed=2, criteria="top1").run(
        progress=False
    )
    assert in_memory.outcomes == result.outcomes


def test_specification_has_every_keyword(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor
) -> None:
    campaign = fw.Campaign(
        model,
        images,
        labels,
        error="flip(30)",
        kind="weight",
        sites=["conv*", "head*"],
        draw="layers",
        per_trial=2,
        seed=7,
        criteria=["top1", "label_topk(3)"],
        engine="direct",
        audit=0.5,
        stop=[fw.HalfWidth(0.1, criteria=["top1"]), fw.Minutes(5)],
        inputs_in_turn=True,
        only_right=True,
        random_key=3,
        confidence=0.95,
        keep="events",
        batch=4,
        block=64,
        round=128,
        timeout=20,
        calibrate=3,
        dtype=torch.float32,
    )
    spec = tomllib.loads(campaign.specification)
    assert spec["stop"] == {"half_width": 0.1, "criteria": ["top1"], "minutes": 5}
    fault = spec["fault"]
    assert fault["sites"] == ["conv*", "head*"]
    assert (fault["kind"], fault["error"], fault["draw"], fault["per_trial"]) == (
        "weight",
        "flip(30)",
        "layers",
        2,
    )
    assert (spec["seed"], spec["engine"], spec["audit"], spec["inputs"]) == (7, "direct", 0.5, "in turn")
    assert (spec["only_right"], spec["random_key"], spec["confidence"]) == (True, 3, 0.95)
    assert (spec["keep"], spec["batch"], spec["block"], spec["round"]) == ("events", 4, 64, 128)
    assert (spec["timeout"], fault["calibrate"], spec["dtype"]) == (20, 3, "float32")


def test_stops_by_half_width(model: torch.nn.Module, images: torch.Tensor) -> None:
    campaign = fw.Campaign(
        model,
        images,
        stop=fw.HalfWidth(0.03, criteria=["top1"]),
        criteria=["top1"],
        draw="stratified",
        round=256,
    )
    result = campaign.run(progress=False)
    assert result.ended == "half width"
    assert result.rates["top1"].half_width <= 0.03


def test_trials_of_a_stratified_campaign_come_again(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    def make() -> fw.Campaign:
        return fw.Campaign(
            model, images, draw="stratified", trials=600, round=256, criteria=["top1"], keep="all"
        )

    result = make().run(tmp_path / "a.db", progress=False)
    again = make()
    again.resume(tmp_path / "a.db", progress=False)
    table = result.trials.to_dataframe()
    for number in (3, 599):
        assert str(again.trial(number).faults[0]) == table.fault[number]


def test_shards_merge_to_the_whole(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    def make() -> fw.Campaign:
        return fw.Campaign(model, images, trials=500, block=64, seed=4)

    whole = make().run(tmp_path / "whole.db", progress=False)
    for number in (1, 2):
        make().run(tmp_path / f"{number}.db", shard=f"{number}/2", progress=False)
    merged = fw.merge([tmp_path / "2.db", tmp_path / "1.db"], tmp_path / "merged.db")
    assert merged.trials.to_dataframe().equals(whole.trials.to_dataframe())


def test_progress_is_told(model: torch.nn.Module, images: torch.Tensor) -> None:
    told = []
    fw.Campaign(model, images, trials=300).run(progress=lambda now: told.append((now.done, now.total)))
    assert told
    assert all(0 < done <= 300 and total == 300 for done, total in told)


def test_an_injector_and_a_function_are_models(model: torch.nn.Module, images: torch.Tensor) -> None:
    injector = fw.Injector(model, images[:1])
    model.eval()

    def run(x: torch.Tensor) -> torch.Tensor:
        return model(x) * 2

    expected = fw.Campaign(model, images, trials=200, criteria="top1").run(progress=False).outcomes
    assert fw.Campaign(injector, images, trials=200, criteria="top1").run(progress=False).outcomes == expected
    assert fw.Campaign(run, images, trials=200, criteria="top1").sites[0].name == "conv"


def test_several_inputs(tmp_path: pathlib.Path) -> None:
    values, mask = torch.randn(5, 6), (torch.rand(5, 6) > 0.5).float()
    model = networks.TwoInputs()
    by_position = fw.Campaign(model, (values, mask), trials=100, criteria="differs(0.1)")
    by_name = fw.Campaign(model, {"values": values, "mask": mask}, trials=100, criteria="differs(0.1)")
    turned = fw.Campaign(model, {"mask": mask, "values": values}, trials=100, criteria="differs(0.1)")
    results = [campaign.run(progress=False).outcomes for campaign in (by_position, by_name, turned)]
    assert results[0] == results[1] == results[2]


def test_autocast_reads_faulty_weights(images: torch.Tensor, model: torch.nn.Module) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        campaign = fw.Campaign(model, images, kind="weight", error="flip(30)", trials=50, criteria="top1")
        result = campaign.run(progress=False)
    assert result.outcomes["masked"] < 50


def test_warnings_are_sentences(model: torch.nn.Module, images: torch.Tensor) -> None:
    images[0, 0, 0, 0] = float("nan")
    campaign = fw.Campaign(model, images, trials=10)
    assert any("NaN" in warning for warning in campaign.warnings)


@pytest.mark.parametrize("draw", ["bits", "layers", "stratified"])
def test_ways_of_drawing(model: torch.nn.Module, images: torch.Tensor, draw: str) -> None:
    assert fw.Campaign(model, images, trials=150, draw=draw).run(progress=False).trials_done == 150


def test_a_list_of_faults(model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path) -> None:
    (tmp_path / "faults.txt").write_text("output:conv[0,0,0] flip(30)\n# a remark\nweight:head[0,0] zero\n")
    campaign = fw.Campaign(model, images, draw="list", list=tmp_path / "faults.txt", criteria="top1")
    assert campaign.run(progress=False).trials_done == 2 * len(images)
