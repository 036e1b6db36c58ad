#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same study in PyTorchFI, in faultwave.pytorchfi, and as a campaign of Faultwave's own: how fast is each?

    python benches/from_pytorchfi.py [OUT.json] [--trials 256] [--batch 16] [--rounds 5] [--campaign-trials 4096]

needs an environment with faultwave, torch, pandas and pytorchfi 0.6.0. The study: a random value between -1 and 1 in
one neuron of a convolution, layer first, one neuron for each image of a batch; which images get another top class?
PyTorchFI and its replacement draw the faults from the same seed. Before anything is timed, their outputs are compared
bit by bit, and the campaign is given the very same faults as fault lines, and its top classes are compared.

Ways take turns. Times are of the CPU, summed over threads, the least of all rounds, since they are to say something on
a machine that does other work as well; times on the clock are recorded too.
"""

from __future__ import annotations

import argparse
import pathlib
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import faultwave as fw
import pytorchfi.core
import pytorchfi.neuron_error_models
import torch
from faultwave.pytorchfi import core, neuron_error_models

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

import image_networks  # noqa: E402
import tables  # noqa: E402

IMAGE = [3, 224, 224]
SEED = 20


@dataclass
class Timed:
    """The least of several rounds, a trial."""

    cpu: float = float("inf")
    clock: float = float("inf")

    def round(self, study: Callable[[], object], trials: int) -> None:
        cpu, clock = time.process_time(), time.perf_counter()
        study()
        self.cpu = min(self.cpu, (time.process_time() - cpu) / trials)
        self.clock = min(self.clock, (time.perf_counter() - clock) / trials)


def declare_study(pfi: Any, models: Any, images: torch.Tensor, trials: int) -> tuple[torch.Tensor, list[str]]:
    """The outputs of all trials, and the faults as lines where they can be had."""
    random.seed(SEED)
    outputs, lines = [], []
    for _ in range(0, trials, len(images)):
        faulty = models.random_neuron_inj_batched(pfi, -1, 1)
        outputs.append(faulty(images))
        lines += getattr(faulty, "faults", [])
    return torch.cat(outputs), lines


def without_batch_element(line: str) -> str:
    """A trial of a campaign has one image."""
    place, model = line.split(" ", 1)
    return f"{place.rsplit('@', 1)[0]} {model}"


def campaign_outcomes(model: torch.nn.Module, image: torch.Tensor, lines: list[str]) -> list[bool]:
    """Which of these faults give another top class, by Faultwave's campaign on the wave engine."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "faults.txt"
        path.write_text("".join(f"{without_batch_element(line)}\n" for line in lines))
        campaign = fw.Campaign(model, image, draw="list", list=path, criteria="top1", keep="all")
        table = campaign.run(pathlib.Path(folder) / "list.db").trials.to_dataframe()
        return table["top1"].tolist()


def drawn_campaign(model: torch.nn.Module, image: torch.Tensor, sites: list[str], trials: int) -> None:
    """The study as one would write it without PyTorchFI: Faultwave draws."""
    with tempfile.TemporaryDirectory() as folder:
        campaign = fw.Campaign(
            model,
            image,
            error=fw.random_value(-1, 1),
            draw="layers",
            sites=sites,
            trials=trials,
            criteria="top1",
            seed=SEED,
        )
        campaign.run(pathlib.Path(folder) / "drawn.db")


def check(peer: torch.Tensor, ours: torch.Tensor, golden: int, outcomes: list[bool]) -> int:
    """Ends the bench if the ways disagree; returns how many trials have another top class."""
    if not torch.equal(peer.view(torch.int32), ours.view(torch.int32)):
        raise SystemExit("the replacement's outputs differ from PyTorchFI's")
    theirs = (peer.argmax(1) != golden).tolist()
    differing = [trial for trial, (a, b) in enumerate(zip(theirs, outcomes)) if a != b]
    if differing or len(theirs) != len(outcomes):
        raise SystemExit(f"top classes of {len(differing)} trials differ from PyTorchFI's, the first {differing[:5]}")
    return sum(theirs)


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    model = image_networks.network(name)
    image = torch.randn(1, *IMAGE, generator=torch.Generator().manual_seed(2))
    images = image.repeat(options.batch, 1, 1, 1)
    peer = pytorchfi.core.fault_injection(model, options.batch, IMAGE)
    ours = core.FaultInjection(model, options.batch, IMAGE)
    sites = [site.name for site in fw.Injector(model, image).select() if site.op == "aten::conv2d"]
    trials = options.trials

    def with_peer() -> tuple[torch.Tensor, list[str]]:
        return declare_study(peer, pytorchfi.neuron_error_models, images, trials)

    def with_ours() -> tuple[torch.Tensor, list[str]]:
        return declare_study(ours, neuron_error_models, images, trials)

    def campaign() -> None:
        drawn_campaign(model, image, sites, options.campaign_trials)

    output, lines = with_ours()
    events = check(with_peer()[0], output, model(image).argmax().item(), campaign_outcomes(model, image, lines))
    ways = {"pytorchfi": Timed(), "faultwave.pytorchfi": Timed(), "campaign": Timed()}
    for _ in range(options.rounds):
        ways["pytorchfi"].round(with_peer, trials)
        ways["faultwave.pytorchfi"].round(with_ours, trials)
        ways["campaign"].round(campaign, options.campaign_trials)
    return {
        "network": name,
        "top1_changed": events,
        "seconds_a_trial": {way: vars(timed) for way, timed in ways.items()},
    }


def row(result: dict[str, Any], trials: int) -> list[str]:
    cpu = {way: seconds["cpu"] for way, seconds in result["seconds_a_trial"].items()}
    peer, ours, campaign = cpu.values()
    speeds = [f"{1 / seconds:,.1f}/s" for seconds in (peer, ours, campaign)]
    same = f"{trials} of {trials}"
    return [result["network"], *speeds, f"{peer / ours:.2f}", f"{peer / campaign:.1f}", same]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("output", nargs="?", type=pathlib.Path)
    parser.add_argument("--networks", nargs="+", default=list(image_networks.NETWORKS))
    parser.add_argument("--trials", type=int, default=256)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--campaign-trials", type=int, default=4096)
    options = parser.parse_args()
    head = ["network", "PyTorchFI 0.6.0", "faultwave.pytorchfi", "campaign"]
    head += ["faultwave.pytorchfi / PyTorchFI", "campaign / PyTorchFI", "same top class"]
    results = []
    for name in options.networks:
        with torch.no_grad():
            results.append(measure(name, options))
        write(options, results)
    tables.print_table(head, [row(result, options.trials) for result in results])


def write(options: argparse.Namespace, results: list[dict[str, Any]]) -> None:
    """After each network, so that an interrupted run leaves what it has measured."""
    if options.output is None:
        return
    settings = {name: value for name, value in vars(options).items() if name != "output"}
    machine = {"processor": tables.processor(), "torch": torch.__version__, "threads": torch.get_num_threads()}
    tables.write_json(options.output, {"commit": tables.commit(), **machine, **settings, "networks": results})


if __name__ == "__main__":
    main()
