# SPDX-License-Identifier: Apache-2.0
"""Campaigns in several processes."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import textwrap

import networks
import pytest
import torch

import faultwave as fw

FOLDER = pathlib.Path(__file__).parent


def csv_of(result: fw.Results, path: pathlib.Path) -> bytes:
    result.trials.to_csv(path)
    return path.read_bytes()


def test_the_same_bytes_as_in_one(images: torch.Tensor, labels: torch.Tensor, tmp_path: pathlib.Path) -> None:
    def make() -> fw.Campaign:
        return fw.Campaign(
            factory=networks.make_small,
            inputs=networks.Pairs(images, labels),
            trials=600,
            block=128,
            seed=1,
            error=fw.error_model("thrice", networks.thrice),
            criteria=["top1", fw.criterion("mean_square", margin=networks.mean_square, threshold=0.05)],
        )

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # of each of the processes, too, so that sums add in one order
    try:
        one = make().run(tmp_path / "1.db", progress=False)
        torch.set_num_threads(2)
        two = make().run(tmp_path / "2.db", processes=2, progress=False)
    finally:
        torch.set_num_threads(threads)
    assert csv_of(two, tmp_path / "2.csv") == csv_of(one, tmp_path / "1.csv")


def test_a_model_travels_by_pickle(
    model: torch.nn.Module, images: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    campaign = fw.Campaign(model, images, trials=300, block=64, criteria="top1")
    expected = campaign.run(progress=False).outcomes
    assert campaign.run(tmp_path / "a.db", processes=2, progress=False).outcomes == expected


def test_what_cannot_travel_runs_here(images: torch.Tensor, tmp_path: pathlib.Path) -> None:
    class Local(networks.Small):
        pass

    campaign = fw.Campaign(Local(), images, trials=200, criteria="top1")
    with pytest.warns(
        UserWarning, match="runs in one process, since it cannot be sent to others.*give factory="
    ):
        assert campaign.run(tmp_path / "a.db", processes=2, progress=False).trials_done == 200


def test_a_fault_that_ends_a_process_is_a_crash(images: torch.Tensor, tmp_path: pathlib.Path) -> None:
    campaign = fw.Campaign(
        factory=networks.make_dying, inputs=images, trials=64, block=16, batch=4, error="flip(30)",
        sites="conv", criteria="top1", engine="direct", seed=2,
    )  # fmt: skip
    table = campaign.run(tmp_path / "a.db", processes=2, progress=False).trials.to_dataframe()
    has_crashed = table.outcome == "crash"
    assert table.crash[has_crashed].str.contains("SIGSEGV").all()
    # The same faults where no value ends the process: those that make one large are those that do.
    same = fw.Campaign(
        networks.Small(),
        images,
        trials=64,
        block=16,
        batch=4,
        error="flip(30)",
        sites="conv",
        criteria="top1",
        seed=2,
    )
    large = same.run(progress=False).trials.to_dataframe().value_after > 1e30
    assert large.sum() > 10
    assert has_crashed.tolist() == large.tolist()


SCRIPT = """
    import sys
    import torch
    import faultwave as fw
    sys.path.insert(0, {folder!r})
    import networks

    class Mine(networks.Small):
        pass

    {guard}
        campaign = fw.Campaign(Mine(), torch.ones(4, 3, 8, 8), trials=200, block=32, criteria="top1")
        print(campaign.run({path!r}, processes=2, progress=False).trials_done)
"""


def run_script(tmp_path: pathlib.Path, guard: str) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "script.py"
    path = str(tmp_path / "a.db")
    script.write_text(textwrap.dedent(SCRIPT.format(folder=str(FOLDER), path=path, guard=guard)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment, check=False
    )


def test_a_script_with_a_model_of_its_own(tmp_path: pathlib.Path) -> None:
    done = run_script(tmp_path, 'if __name__ == "__main__":')
    assert (done.stdout, done.returncode) == ("200\n", 0), done.stderr


def test_a_script_without_a_guard(tmp_path: pathlib.Path) -> None:
    done = run_script(tmp_path, "if True:")
    assert done.returncode != 0
    assert "put that under `if __name__ == '__main__':`" in done.stderr


def test_processes_need_a_database(images: torch.Tensor) -> None:
    campaign = fw.Campaign(factory=networks.make_small, inputs=images, trials=100)
    with pytest.raises(fw.UsageError, match="processes= needs a database"):
        campaign.run(processes=2)
    with pytest.raises(fw.UsageError, match="processes is 0"):
        campaign.run(processes=0)
