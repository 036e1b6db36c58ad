#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What does Faultwave cost a forward in Python, and what PyTorchFI?

    python benches/python_overhead.py [ROUNDS [OUT.json]]

needs an environment with faultwave, torch, torchvision and pytorchfi 0.6.0. Each variant gives the same faulty output
before anything is timed. Variants take turns, a forward each, and what counts is the difference of medians.
"""

from __future__ import annotations

import contextlib
import pathlib
import random
import statistics
import sys
import time
from collections.abc import Callable

import torch
import torchvision
from pytorchfi.core import fault_injection

import faultwave as fw

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

import harness

NEURON = 5  # of the first convolution or linear layer: feature map, or neuron
VALUE = 3.0


def mlp() -> torch.nn.Module:
    """64 inputs, one hidden layer of 64, 10 outputs: the smallest that anybody would time."""
    return torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))


NETWORKS: dict[str, tuple[Callable[[], torch.nn.Module], tuple[int, ...]]] = {
    "MLP": (mlp, (64,)),
    "SqueezeNet 1.1": (torchvision.models.squeezenet1_1, (3, 224, 224)),
    "MobileNetV2": (torchvision.models.mobilenet_v2, (3, 224, 224)),
    "ResNet-18": (torchvision.models.resnet18, (3, 224, 224)),
    "ResNet-50": (torchvision.models.resnet50, (3, 224, 224)),
}


class Study:
    """One network, and the ways to run a forward of it."""

    def __init__(self, model: torch.nn.Module, x: torch.Tensor) -> None:
        self.model, self.x = model.eval(), x
        self.injector = fw.Injector(self.model, x)
        first = next(site for site in self.injector.select() if len(site.element_shape) in (1, 3))
        self.place = [NEURON] + [0] * (len(first.element_shape) - 1)
        index = ",".join(map(str, self.place))
        self.line = f"output:{first.name}[{index}]@0 constant({VALUE})"
        with contextlib.redirect_stdout(None):
            layers = [torch.nn.Conv2d, torch.nn.Linear]
            self.peer = fault_injection(self.model, x.shape[0], list(x.shape[1:]), layer_types=layers)
        self.key = 0

    def plain(self) -> torch.Tensor:
        return self.model(self.x)

    def armed_once(self) -> torch.Tensor:
        with self.injector.armed(self.line):
            return self.model(self.x)

    def drawn(self) -> torch.Tensor:
        self.key += 1
        with self.injector.armed(self.injector.random_neuron("random(-1,1)", key=self.key)):
            return self.model(self.x)

    def peer_once(self) -> torch.Tensor:
        return self._declared(0, self.place, VALUE)

    def peer_drawn(self) -> torch.Tensor:
        layer = random.randrange(self.peer.get_total_layers())
        place = [random.randrange(size) for size in self.peer.get_output_size()[layer][1:]]
        return self._declared(layer, place, random.uniform(-1, 1))

    def _declared(self, layer: int, place: list[int], value: float) -> torch.Tensor:
        self.peer.fi_reset()
        dim1, dim2, dim3 = [[size] for size in (*place, None, None)[:3]]
        faulty = self.peer.declare_neuron_fi(
            batch=[0], layer_num=[layer], dim1=dim1, dim2=dim2, dim3=dim3, value=[value]
        )
        return faulty(self.x)


def seconds(run: Callable[[], torch.Tensor]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def check(study: Study) -> None:
    """Both tools must change the output, and alike."""
    golden, faulty, peer = study.plain(), study.armed_once(), study.peer_once()
    assert not torch.equal(golden, faulty), "the fault changes nothing"
    assert torch.equal(faulty, peer), "the tools disagree"
    assert torch.equal(study.plain(), golden), "something was left behind"


def measure(study: Study, rounds: int) -> dict[str, float]:
    """Medians in seconds, by variant."""
    times: dict[str, list[float]] = {}
    variants: dict[str, Callable[[], torch.Tensor]] = {
        "plain": study.plain,
        "idle": study.plain,  # the injector exists and nothing is armed
        "armed for each": study.armed_once,
        "drawn for each": study.drawn,
        "PyTorchFI, declared": study.peer_once,
        "PyTorchFI, drawn": study.peer_drawn,
    }
    for _ in range(rounds):
        for name, run in variants.items():
            times.setdefault(name, []).append(seconds(run))
        with study.injector.armed(study.line):
            times.setdefault("armed for many", []).append(seconds(study.plain))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    torch.set_num_threads(1)
    rows, results = [], []
    for name, (make, shape) in NETWORKS.items():
        for batch in (1, 64):
            torch.manual_seed(1)
            random.seed(1)
            study = Study(make(), torch.rand(batch, *shape))
            with torch.no_grad():
                check(study)
                repeats = rounds * 20 if name == "MLP" else max(5, rounds // batch)
                medians = measure(study, repeats)
            results.append({"network": name, "batch": batch, "rounds": repeats, "seconds": medians})
            rows.append([name, str(batch), *row_of(medians)])
            print(rows[-1], flush=True)
    head = ["network", "batch", "plain", "armed for many", "armed for each", "drawn for each"]
    harness.print_table([*head, "PyTorchFI, declared", "PyTorchFI, drawn"], rows)
    if len(sys.argv) > 2:
        report = {
            "processor": harness.processor(),
            "torch": torch.__version__,
            "threads": 1,
            "results": results,
        }
        harness.write_json(pathlib.Path(sys.argv[2]), report)


def row_of(medians: dict[str, float]) -> list[str]:
    plain = medians["plain"]
    names = ["armed for many", "armed for each", "drawn for each", "PyTorchFI, declared", "PyTorchFI, drawn"]
    cells = [f"{plain * 1e3:.3f} ms"]
    for name in names:
        extra = medians[name] - plain
        cells.append(f"{extra * 1e6:+.0f} us ({100 * extra / plain:+.1f} %)")
    return cells


if __name__ == "__main__":
    main()
