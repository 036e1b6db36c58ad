#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The PyTorchFI side of the benches: runs faults that Faultwave has drawn, each by the value it leaves.

    python pytorchfi_faults.py layers NETWORK INPUTS.pt
        names of the layers that PyTorchFI counts
    python pytorchfi_faults.py check NETWORK INPUTS.pt ENGINES.json
        do top-1 classes agree, trial by trial?
    python pytorchfi_faults.py classes NETWORK INPUTS.pt ENGINES.json BATCH
        top-1 classes without and with faults
    python pytorchfi_faults.py speed NETWORK INPUTS.pt ENGINES.json BATCH SECONDS
        faults a second, sets of this size

ENGINES.json is {"errors": [{"error": ..., "faults": [{"layer", "index", "bits_after", "input"}, ...]}, ...]};
`input` counts in INPUTS.pt and is 0 if absent. For `check` it is what bench_campaign_speed wrote; `classes`
needs `bits_before` too, and says how far the network's own values are from those. With --norms PyTorchFI
counts linear layers and norms too, which are Faultwave's default sites. The result goes to standard output as
JSON. Each call measures in a process of its own, so that memory is that of one batch size. Exit status 3: not
enough memory.
"""

import argparse
import json
import math
import pathlib
import resource
import struct
import sys
import time

import torch
from pytorchfi.core import fault_injection

import networks

THREADS = 2
OUT_OF_MEMORY = 3
PART_OF_MEMORY = 0.85  # of what is available; beyond it allocations fail, before the kernel kills anything
GOLDEN_TOLERANCE = 1e-4  # of the largest score, between two versions of PyTorch
ROUNDING = 1e-4  # likewise: classes with scores nearer than this may change places
LEAST_SETS = 3  # that a rate is taken from


def layer_names(network: torch.nn.Module, types: list[type], image: torch.Tensor) -> list[str]:
    """PyTorchFI numbers the calls of its hooks: leaves of its types, in the order in which they run.
    Modules whose weights are used without a call, such as the projections of attention, have no number."""
    names, hooks = [], []
    for path, module in network.named_modules():
        if isinstance(module, tuple(types)) and not list(module.children()):
            hooks.append(module.register_forward_hook(lambda *_, path=path: names.append(path)))
    network(image)
    for hook in hooks:
        hook.remove()
    if len(set(names)) != len(names):
        raise SystemExit("a layer runs twice, so its name is not a place")
    return names


def value_of(bits: int) -> float:
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def declaration(faults: list[dict], numbers: dict[str, int]) -> dict[str, list]:
    """Arguments of declare_neuron_fi: one fault in each element of the batch."""
    places = [fault["index"] + [None] * (3 - len(fault["index"])) for fault in faults]
    dim1, dim2, dim3 = (list(column) for column in zip(*places))
    return {
        "batch": list(range(len(faults))),
        "layer_num": [numbers[fault["layer"]] for fault in faults],
        "dim1": dim1,
        "dim2": dim2,
        "dim3": dim3,
        "value": [value_of(fault["bits_after"]) for fault in faults],
    }


class Peer:
    """A network in PyTorchFI's hands, for one batch size."""

    def __init__(self, network: torch.nn.Module, types: list[type], images: torch.Tensor, batch: int) -> None:
        self.numbers = {path: number for number, path in enumerate(layer_names(network, types, images[:1]))}
        self.pfi = fault_injection(network, batch, list(images.shape[1:]), types)
        if self.pfi.get_total_layers() != len(self.numbers):
            raise SystemExit(
                f"PyTorchFI counts {self.pfi.get_total_layers()} layers, not {len(self.numbers)}"
            )
        self.images = images
        self.declare_seconds = 0.0

    def scores(self, faults: list[dict]) -> torch.Tensor:
        """Of one faulty forward; PyTorchFI's faulty model is good for no more than one."""
        images = self.images[[fault.get("input", 0) for fault in faults]]
        start = time.perf_counter()
        corrupted = self.pfi.declare_neuron_fi(**declaration(faults, self.numbers))
        self.declare_seconds += time.perf_counter() - start
        return corrupted(images)


def check_golden(scores: torch.Tensor, engines: dict) -> float:
    ours = torch.tensor(engines["golden_scores"])
    difference = ((scores.flatten() - ours).abs().max() / ours.abs().max()).item()
    if not difference < GOLDEN_TOLERANCE:
        raise SystemExit(f"without a fault the scores differ by {difference}: not the same network or image")
    return difference


def compare(peer: Peer, error: dict) -> dict:
    ours = error["direct"]["classes"]
    disagreements, beyond_rounding = [], 0
    for trial, fault in enumerate(error["faults"]):
        scores = peer.scores([fault])[0]
        theirs = scores.argmax().item()
        if theirs == ours[trial]:
            continue
        gap = ((scores[theirs] - scores[ours[trial]]) / scores.abs().max()).item()
        is_rounding = gap < ROUNDING  # NaN is not
        beyond_rounding += not is_rounding
        shown = gap if math.isfinite(gap) else None
        disagreements.append(
            {"trial": trial, "ours": ours[trial], "pytorchfi": theirs, "relative_gap": shown}
        )
    return {
        "error": error["error"],
        "trials": len(ours),
        "disagree": len(disagreements),
        "beyond_rounding": beyond_rounding,
        "disagreements": disagreements,
    }


def check(network: torch.nn.Module, types: list[type], images: torch.Tensor, engines: dict) -> dict:
    golden = check_golden(network(images[:1]), engines)
    peer = Peer(network, types, images, batch=1)
    return {
        "golden_relative_difference": golden,
        "errors": [compare(peer, error) for error in engines["errors"]],
    }


def golden_difference(network: torch.nn.Module, images: torch.Tensor, faults: list[dict]) -> float:
    """How far the values that faults hit lie from those that Faultwave saw there; the largest, in parts of
    the largest value of that layer."""
    modules, hooks, differences = dict(network.named_modules()), [], []
    by_layer: dict[str, list[dict]] = {}
    for fault in faults:
        by_layer.setdefault(fault["layer"], []).append(fault)

    def watch(layer: str):
        def look(module: torch.nn.Module, arguments: tuple, output: torch.Tensor) -> None:
            largest = output.abs().max().item()
            for fault in by_layer[layer]:
                value = output[fault["input"]][tuple(fault["index"])].item()
                differences.append(abs(value - value_of(fault["bits_before"])) / largest)

        return look

    for layer in by_layer:
        hooks.append(modules[layer].register_forward_hook(watch(layer)))
    network(images)
    for hook in hooks:
        hook.remove()
    return max(differences)


def classes(
    network: torch.nn.Module, types: list[type], images: torch.Tensor, engines: dict, batch: int
) -> dict:
    """Of the first error model's faults."""
    golden = network(images)
    faults = engines["errors"][0]["faults"]
    peer = Peer(network, types, images, batch)
    found = []
    for first in range(0, len(faults), batch):
        found += peer.scores(faults[first : first + batch]).argmax(1).tolist()
    difference = golden_difference(network, images, faults)
    return {"golden": golden.argmax(1).tolist(), "golden_difference": difference, "faulty": found}


def peak_megabytes() -> float:
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def speed(
    network: torch.nn.Module,
    types: list[type],
    images: torch.Tensor,
    engines: dict,
    batch: int,
    seconds: float,
) -> dict:
    """From a list of faults to top-1 classes. What value a neuron is set to does not matter to PyTorchFI's
    speed, so the faults of all error models take turns."""
    faults = [fault for error in engines["errors"] for fault in error["faults"]]
    peer = Peer(network, types, images, batch)

    def timed_set(number: int) -> float:
        chosen = [faults[(number * batch + i) % len(faults)] for i in range(batch)]
        start = time.perf_counter()
        peer.scores(chosen).argmax(1).tolist()
        return time.perf_counter() - start

    times = [timed_set(0)]
    if times[0] < seconds / 4:  # a warm-up, which is left out where it is short
        times, peer.declare_seconds = [], 0.0
    number = 1
    while len(times) < LEAST_SETS or sum(times) < seconds:
        times.append(timed_set(number))
        number += 1
    return {
        "batch": batch,
        "per_second": batch * len(times) / sum(times),
        "sets": len(times),
        "seconds_of_a_set": {"least": min(times), "most": max(times)},
        "share_of_declaring": peer.declare_seconds / sum(times),
        "peak_mb": peak_megabytes(),
        "torch": torch.__version__,
    }


def limit_memory() -> None:
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            limit = int(int(line.split()[1]) * 1024 * PART_OF_MEMORY)
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(dest="step", required=True)
    for name in ("layers", "check", "classes", "speed"):
        step = steps.add_parser(name)
        step.add_argument("network", choices=networks.NAMES)
        step.add_argument("inputs", type=pathlib.Path)
        step.add_argument("--norms", action="store_true")
        if name != "layers":
            step.add_argument("engines", type=pathlib.Path)
        if name in ("classes", "speed"):
            step.add_argument("batch", type=int)
        if name == "speed":
            step.add_argument("seconds", type=float)
    return parser.parse_args()


def run(arguments: argparse.Namespace) -> object:
    network = networks.for_peer(arguments.network)
    types = networks.OWNERS if arguments.norms else networks.layer_types(arguments.network)
    images = torch.load(arguments.inputs).contiguous()
    if arguments.step == "layers":
        return layer_names(network, types, images[:1])
    engines = json.loads(arguments.engines.read_text())
    if arguments.step == "check":
        return check(network, types, images, engines)
    if arguments.step == "classes":
        return classes(network, types, images, engines, arguments.batch)
    return speed(network, types, images, engines, arguments.batch, arguments.seconds)


def main() -> None:
    arguments = parse()
    limit_memory()
    torch.set_num_threads(THREADS)
    try:
        with torch.no_grad():
            print(json.dumps(run(arguments)))
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
    except RuntimeError as error:  # what PyTorch raises
        if "allocate memory" not in str(error):
            raise
        sys.exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
