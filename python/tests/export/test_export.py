# SPDX-License-Identifier: Apache-2.0
"""export(): what is written computes what the model computes, and the model is left as it was."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

import faultwave as fw


class Convolutional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3)))
        return scores


class Branch(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


class Steps(nn.Module):
    """Control flow by Python's numbers, several inputs, and a tree of outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

    def forward(self, x: torch.Tensor, count: int = 1, scale: torch.Tensor | None = None) -> dict[str, Any]:
        for index in range(count):
            x = self.layers[index](x)
        return {"y": x if scale is None else x * scale, "nothing": None}


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, 4)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return (self.embedding(ids) * mask[..., None]).sum(1)


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        return x + self.count


class FixedBatch(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(3, 4) * 2


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(1)


def loaded(path: pathlib.Path) -> Any:
    return torch.export.load(path).module()


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_any_batch_of_a_convolutional_network(tmp_path: pathlib.Path, batch: int) -> None:
    model = Convolutional().eval()
    done = fw.export(model, torch.rand(batch, 3, 8, 8), tmp_path / "net.pt2")
    assert (done.path, done.batch, done.fixes) == (tmp_path / "net.pt2", "any", ())
    for size in (1, 2, 7):
        x = torch.rand(size, 3, 8, 8)
        torch.testing.assert_close(loaded(done.path)(x), model(x))


def test_train_mode_is_left_and_told(tmp_path: pathlib.Path) -> None:
    model = Convolutional()
    model.norm.running_mean.fill_(0.5)  # type: ignore[union-attr, operator]
    done = fw.export(model, torch.rand(2, 3, 8, 8), tmp_path / "net.pt2")
    assert done.fixes == ("it was in train mode, and is exported in eval mode",)
    assert model.training and model.norm.training
    assert model.norm.running_mean.eq(0.5).all()  # type: ignore[union-attr, operator]
    x = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(loaded(done.path)(x), model.eval()(x))


def test_one_part_in_train_mode_is_named(tmp_path: pathlib.Path) -> None:
    model = Convolutional().eval()
    model.norm.train()
    done = fw.export(model, torch.rand(2, 3, 8, 8), tmp_path / "net.pt2")
    assert done.fixes == ("'norm' was in train mode, and is exported in eval mode",)
    assert not model.training and model.norm.training


def test_keyword_arguments_and_numbers(tmp_path: pathlib.Path) -> None:
    model, x, scale = Steps().eval(), torch.rand(2, 4), torch.tensor(2.0)
    done = fw.export(model, x, tmp_path / "net.pt2", count=3, scale=scale)
    assert done.batch == "any"
    expected = model(x, count=3, scale=scale)["y"]
    torch.testing.assert_close(loaded(done.path)(x, count=3, scale=scale)["y"], expected)


def test_integer_inputs(tmp_path: pathlib.Path) -> None:
    model = Tokens().eval()
    done = fw.export(model, torch.randint(0, 10, (3, 5)), torch.ones(3, 5), tmp_path / "net.pt2")
    assert done.batch == "any"
    ids, mask = torch.randint(0, 10, (1, 5)), torch.rand(1, 5)
    torch.testing.assert_close(loaded(done.path)(ids, mask), model(ids, mask))


def test_a_fixed_batch_is_told(tmp_path: pathlib.Path) -> None:
    done = fw.export(FixedBatch().eval(), torch.rand(3, 4), tmp_path / "net.pt2")
    assert done.batch == "3 only"
    assert len(done.fixes) == 1 and done.fixes[0].startswith("its batch is fixed: with a free one, ")
    assert "batch     3 only\n" in str(done)


def test_a_buffer_that_is_written_keeps_its_value(tmp_path: pathlib.Path) -> None:
    model = Counter().eval()
    done = fw.export(model, torch.zeros(2, 4), tmp_path / "net.pt2")
    assert model.count.item() == 0  # type: ignore[operator]
    program = loaded(done.path)
    assert [program(torch.zeros(2, 4))[0, 0].item() for _ in range(2)] == [1, 2]


def test_a_module_that_cannot_be_exported_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "net.pt2"
    path.write_bytes(b"an older file")
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.ReLU(), Branch())).eval()
    with pytest.raises(
        fw.NetworkError, match=r"cannot be exported: module '1.1' \(Branch\) goes by the values"
    ):
        fw.export(model, torch.rand(2, 4), path)
    assert path.read_bytes() == b"an older file"
    assert list(tmp_path.iterdir()) == [path]


def test_what_the_exporter_bakes_in_is_found(tmp_path: pathlib.Path) -> None:
    class Remembers(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + seen[0].sum()

    example = torch.rand(2, 4)
    seen = [example]

    class Hook(Remembers):
        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            seen[0] = x if type(x) is torch.Tensor else example
            result: torch.Tensor = super().__call__(x)
            return result

    with pytest.raises(fw.NetworkError, match="the exported program is not the model: output 0 differs"):
        fw.export(Hook().eval(), example.cumsum(0), tmp_path / "net.pt2")


def test_mistakes(tmp_path: pathlib.Path) -> None:
    model, x = nn.Linear(4, 2).eval(), torch.rand(2, 4)
    with pytest.raises(fw.UsageError, match="the last argument must be the file to write"):
        fw.export(model, x)
    with pytest.raises(fw.UsageError, match=r"must end in \.pt2"):
        fw.export(model, x, tmp_path / "net.pt")
    with pytest.raises(fw.UsageError, match=r"only an nn\.Module can be exported"):
        fw.export(torch.relu, x, tmp_path / "net.pt2")  # type: ignore[arg-type]
    with pytest.raises(fw.InputError, match="there is no folder"):
        fw.export(model, x, tmp_path / "missing" / "net.pt2")


def test_the_program_injects_into_it(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "net.pt2"
    fw.export(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), torch.rand(2, 4), path)
    torch.save(torch.ones(1, 4), tmp_path / "x.pt")
    command = [sys.executable, "-m", "faultwave", "inject", str(path), "--input", str(tmp_path / "x.pt")]
    done = subprocess.run([*command, "--fault", "output:0[2] constant(7)"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "-> 7 " in done.stdout
