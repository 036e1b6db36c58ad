# SPDX-License-Identifier: Apache-2.0
"""PyTorchFI's error models for weights. Layers are drawn first, each as likely, then a weight of the layer.

All draws come from Python's global generator, in PyTorchFI's order, so that a seeded study has the same
faults.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

import torch
from torch import nn

from faultwave.pytorchfi import core
from faultwave.pytorchfi._weight_injection import WeightFunction
from faultwave.pytorchfi.neuron_error_models import three_indices
from faultwave.pytorchfi.util import random_value

Lists = tuple[list[int], list[int], list[Any], list[Any], list[Any]]


def random_weight_location(pfi: core.FaultInjection, layer: int = -1) -> Lists:
    """A layer, drawn if it is -1, and a weight of it: ([layer], [k], [dim1], [dim2], [dim3]).

    Indices that the weight has no axis for are None. Where it has more axes, dim3 is a tuple of indices.
    """
    if layer == -1:
        layer = random.randint(0, pfi.get_total_weight_layers() - 1)
    k, *others = [random.randint(0, size - 1) for size in pfi.get_weights_size(layer)]
    dim1, dim2, dim3 = three_indices(others)
    return [layer], [k], [dim1], [dim2], [dim3]


def random_weight_inj(
    pfi: core.FaultInjection, corrupt_layer: int = -1, min_val: float = -1, max_val: float = 1
) -> nn.Module:
    """A random value in one weight, of a drawn layer if `corrupt_layer` is -1."""
    layer, k, dim1, dim2, dim3 = random_weight_location(pfi, corrupt_layer)
    value = random_value(min_val, max_val)
    return pfi.declare_weight_fault_injection(
        layer_num=layer, k=k, dim1=dim1, dim2=dim2, dim3=dim3, value=[value]
    )


def zero_func_rand_weight(pfi: core.FaultInjection) -> nn.Module:
    """One weight times zero."""
    layer, k, dim1, dim2, dim3 = random_weight_location(pfi)
    return pfi.declare_weight_fault_injection(
        layer_num=layer, k=k, dim1=dim1, dim2=dim2, dim3=dim3, function=_zero_rand_weight
    )


def _zero_rand_weight(data: torch.Tensor, location: Any) -> torch.Tensor:
    return data[location] * 0


def multi_weight_inj(
    pfi: core.FaultInjection, sdc_p: float = 1e-5, function: WeightFunction = _zero_rand_weight
) -> nn.Module:
    """Each weight of all layers with probability `sdc_p`, as `function` says: (weight, location) -> value."""
    lists: list[list[Any]] = [[], [], [], [], []]
    for layer in range(pfi.get_total_weight_layers()):
        for index in itertools.product(*map(range, pfi.get_weights_size(layer))):
            if random.random() < sdc_p:
                entries = (layer, index[0], *three_indices(index[1:]))
                for column, entry in zip(lists, entries):
                    column.append(entry)
    layers, k, dim1, dim2, dim3 = lists
    return pfi.declare_weight_fault_injection(
        layer_num=layers, k=k, dim1=dim1, dim2=dim2, dim3=dim3, function=function
    )
