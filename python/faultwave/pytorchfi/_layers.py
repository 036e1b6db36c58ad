# SPDX-License-Identifier: Apache-2.0
"""The two tables that layer numbers point into, as PyTorchFI counts.

Outputs are numbered in order of execution: each call of a layer is one. Weights are numbered by the order of
`modules()`. In a plain chain both numbers are the same; where a layer runs twice or never, they are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

import faultwave as fw

LayerTypes = Sequence[type[nn.Module] | str]


@dataclass(frozen=True)
class OutputLayer:
    """One call of a layer."""

    path: str  # of the module, "features.0"
    call: int  # the how-manieth of this module in a forward, from 0
    module_type: type[nn.Module]
    shape: tuple[int, ...]  # of its output, batch axis included
    dtype: torch.dtype
    weight_shape: torch.Size | None
    # None where no operator of the module made its output, as in nn.Identity, or a fault line cannot say
    # which of its values belong to a batch element.
    site: fw.Site | None


@dataclass(frozen=True)
class WeightLayer:
    """One module with a weight."""

    path: str
    parameter: str | None  # name in named_parameters(); None: the weight is computed, not stored
    shape: torch.Size


def covers_all(layer_types: LayerTypes) -> bool:
    """Whether every module counts as a layer."""
    return "all" in layer_types


def _classes(layer_types: LayerTypes) -> tuple[type[nn.Module], ...]:
    return tuple(kind for kind in layer_types if isinstance(kind, type))


def _entries(module: nn.Module, layer_types: LayerTypes) -> int:
    """How many numbers a call of the module takes: one for each of the types that it is an instance of."""
    if covers_all(layer_types):
        return 1
    return sum(isinstance(module, kind) for kind in _classes(layer_types))


def output_modules(network: nn.Module, layer_types: LayerTypes) -> Iterator[tuple[str, nn.Module]]:
    """Modules without children that count as layers, in order of definition, by their paths.

    Each comes once for each number that a call of it takes, so twice where two modules hold it.
    """
    if not list(network.children()):
        yield from [("", network)] * _entries(network, layer_types)
        return
    yield from _below(network, "", layer_types)


def _below(parent: nn.Module, prefix: str, layer_types: LayerTypes) -> Iterator[tuple[str, nn.Module]]:
    for name, module in parent.named_children():
        if list(module.children()):
            yield from _below(module, f"{prefix}{name}.", layer_types)
        else:
            yield from [(prefix + name, module)] * _entries(module, layer_types)


def unnumbered(network: nn.Module, layer_types: LayerTypes) -> list[str]:
    """Paths of modules of the types that have children, and therefore no number."""
    if covers_all(layer_types):
        return []
    classes = _classes(layer_types)
    return [
        path
        for path, module in network.named_modules()
        if path and isinstance(module, classes) and list(module.children())
    ]


def weight_layers(network: nn.Module, layer_types: LayerTypes) -> list[WeightLayer]:
    """Modules of the types that have a weight, in the order of `modules()`; all that own one for "all"."""
    names: dict[int, str] = {id(tensor): name for name, tensor in network.named_parameters()}
    layers = []
    for path, module in network.named_modules():
        weight = getattr(module, "weight", None)
        counts = covers_all(layer_types) or isinstance(module, _classes(layer_types))
        if counts and isinstance(weight, torch.Tensor):
            layers.append(WeightLayer(path, names.get(id(weight)), weight.shape))
    return layers
