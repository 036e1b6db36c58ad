# SPDX-License-Identifier: Apache-2.0
"""Results: rates, parts, tables, comparison, pictures."""

from __future__ import annotations

import pathlib
import subprocess

import matplotlib
import networks
import pandas
import pyarrow.parquet
import pytest
import torch

import faultwave as fw

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(scope="module")
def result() -> fw.Results:
    images = torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    campaign = fw.Campaign(networks.Small(), images, trials=800, seed=1, criteria=["top1", "confidence(0.2)"])
    return campaign.run(progress=False)


def test_rates_are_counts_of_trials(result: fw.Results) -> None:
    table = result.trials.to_dataframe()
    rate = result.rates["top1"]
    assert rate.count == table.top1.sum()
    assert rate.trials == len(table) == 800
    assert rate.estimate == rate.count / 800
    assert rate.low < rate.estimate < rate.high
    assert rate.confidence == 0.99
    assert "flip in 3 output sites" in rate.of
    assert "Clopper-Pearson" in repr(rate)
    assert list(result.rates) == ["top1", "confidence", "crash", "hang"]


def test_intervals_are_those_of_the_literature() -> None:
    # Clopper and Pearson at 95 % for 10 of 100: 4.90 % to 17.62 % (R. G. Newcombe, Statistics in Medicine 17,
    # 1998, has this form of the table). Here for whatever count the campaign gives, by bisection of binomial
    # tails.
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    rate = (
        fw.Campaign(networks.Small(), images, trials=100, confidence=0.95).run(progress=False).rates["top1"]
    )
    low, high = tails(rate.count, 100, 0.05)
    assert rate.low == pytest.approx(low, abs=1e-6)
    assert rate.high == pytest.approx(high, abs=1e-6)


def tails(count: int, trials: int, alpha: float) -> tuple[float, float]:
    from math import comb

    def at_least(p: float, k: int) -> float:
        return sum(comb(trials, i) * p**i * (1 - p) ** (trials - i) for i in range(k, trials + 1))

    def solve(k: int, aim: float) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if at_least(middle, k) < aim else (low, middle)
        return low

    low = solve(count, alpha / 2) if count else 0.0
    return low, solve(count + 1, 1 - alpha / 2) if count < trials else 1.0


@pytest.mark.parametrize("word", ["layer", "bit", "channel", "class", "input"])
def test_parts_sum_to_the_whole(result: fw.Results, word: str) -> None:
    groups = result.by(word)
    assert sum(group.trials for group in groups) == 800
    assert sum(group.rates["top1"].count for group in groups) == result.rates["top1"].count
    table = groups.to_dataframe()
    assert table.trials.sum() == 800
    assert list(table.columns)[:2] == [word, "trials"]


def test_by_layer_and_bit(result: fw.Results) -> None:
    groups = result.by("layer", "bit")
    table = groups.to_dataframe()
    assert len(table) == 3 * 32
    trials = result.trials.to_dataframe()
    expected = trials[(trials.site == "conv") & trials.fault.str.contains(r"flip\(30\)")]
    cell = table[(table.layer == "output:conv") & (table.bit == "flip(30)")].iloc[0]
    assert (cell.trials, cell.top1_count) == (len(expected), expected.top1.sum())


def test_groups_by_name(result: fw.Results) -> None:
    assert result.by("layer")["output:conv"].trials > 0
    with pytest.raises(KeyError, match="did you mean output:conv"):
        result.by("layer")["output:con"]
    with pytest.raises(fw.UsageError, match="cannot group by 'layers': expected .*did you mean layer"):
        result.by("layers")
    with pytest.raises(KeyError, match="did you mean top1"):
        result.rates["top2"]


def test_tables(result: fw.Results, tmp_path: pathlib.Path) -> None:
    table = result.trials.to_dataframe()
    arrow = result.trials.to_arrow()
    assert arrow.num_rows == 800
    assert arrow.column("value_before").to_pylist()[:5] == table.value_before.tolist()[:5]
    result.trials.to_parquet(tmp_path / "a.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").num_rows == 800
    result.trials.to_csv(tmp_path / "a.csv")
    assert len(pandas.read_csv(tmp_path / "a.csv")) == 800
    with pytest.raises(fw.StoreError, match="exists"):
        result.trials.to_csv(tmp_path / "a.csv")
    assert table.dtypes["top1"].kind == "b"
    assert table.dtypes["site"] == "category"


def test_not_a_number_is_no_empty_cell() -> None:
    images = torch.randn(4, 3, 8, 8)
    campaign = fw.Campaign(networks.Small(), images, trials=50, error="constant(nan)", criteria="top1")
    arrow = campaign.run(progress=False).trials.to_arrow()
    assert arrow.column("value_after").null_count == 0
    assert all(value != value for value in arrow.column("value_after").to_pylist())


def test_reports(result: fw.Results) -> None:
    assert result.text().startswith("Trials")
    assert repr(result) == result.text(most=20, width=120)
    assert result._repr_html_().startswith("<pre>")
    assert result.json()["campaign"]["seed"] == 1
    assert "800 trials" in repr(result.trials)


def test_comparison(tmp_path: pathlib.Path, program: str) -> None:
    images = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    plain = networks.Small()
    clipped = networks.Small()
    clipped.conv.register_forward_hook(lambda module, args, output: output.clamp(-4, 4))
    for name, model in (("a", plain), ("b", clipped)):
        fw.Campaign(model, images, trials=600, seed=1, sites="conv", criteria="top1").run(
            tmp_path / f"{name}.db"
        )
    comparison = fw.compare(fw.open(tmp_path / "a.db"), fw.open(tmp_path / "b.db"))
    assert comparison.pairs == 600
    top1 = comparison.criteria["top1"]
    assert top1.counts.first_only > top1.counts.second_only
    assert comparison.to_dataframe().criterion.tolist() == ["top1"]
    command = [program, "diff", str(tmp_path / "a.db"), str(tmp_path / "b.db")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == comparison.text()


@pytest.mark.parametrize("by", ["layer", "bit", "layer x bit", "convergence"])
def test_pictures(result: fw.Results, by: str, tmp_path: pathlib.Path) -> None:
    _, ax = plt.subplots()
    assert result.plot(by=by, ax=ax) is ax
    assert "top1" in ax.get_title(loc="left")
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    own = result.plot(by=by, criterion="confidence")
    own.figure.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000
    plt.close("all")


def test_what_is_drawn_by_bit(result: fw.Results) -> None:
    ax = result.plot(by="bit")
    heights = [bar.get_height() for bar in ax.patches]
    rates = [100 * group.rates["top1"].estimate for group in result.by("bit")]
    assert heights == rates
    plt.close("all")


def test_convergence_ends_at_the_rate(result: fw.Results) -> None:
    ax = result.plot(by="convergence")
    line = ax.lines[0]
    assert line.get_xdata()[-1] == 800
    assert line.get_ydata()[-1] == pytest.approx(100 * result.rates["top1"].estimate)
    plt.close("all")


def test_pictures_that_there_are_not(result: fw.Results) -> None:
    with pytest.raises(fw.UsageError, match="no picture by 'bits'.*did you mean bit"):
        result.plot(by="bits")
    with pytest.raises(fw.UsageError, match="no criterion 'top2'.*did you mean top1"):
        result.plot(criterion="top2")
