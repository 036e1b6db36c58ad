# SPDX-License-Identifier: Apache-2.0
"""Values for weights: worked out once, when the fault is declared, and armed around each forward."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

import faultwave as fw
from faultwave.pytorchfi._errors import DeclarationError
from faultwave.pytorchfi._layers import WeightLayer
from faultwave.pytorchfi._neuron_injections import FunctionReceipt
from faultwave.pytorchfi._places import Index, weight_line
from faultwave.pytorchfi._profile import Profile

WeightFunction = Callable[[torch.Tensor, tuple[int | None, ...]], torch.Tensor | float]


@dataclass(frozen=True)
class WeightPlace:
    """One weight of one layer."""

    number: int  # of the layer
    layer: WeightLayer
    index: Index
    location: tuple[int | None, ...]  # as declared: None for each index that the layer does not have


def values_at(
    network: nn.Module, places: Sequence[WeightPlace], values: Sequence[float]
) -> dict[str, dict[Index, float]]:
    """The values that weights get, by the name of their parameter, each as its type holds it."""
    changes: dict[str, dict[Index, float]] = defaultdict(dict)
    for place, value in zip(places, values):
        name = _stored(place.layer)
        changes[name][place.index] = as_held(value, network.get_parameter(name).dtype)
    return dict(changes)


def values_of(
    network: nn.Module, places: Sequence[WeightPlace], function: WeightFunction
) -> dict[str, dict[Index, float]]:
    """The values that a function gives to weights.

    It is called with a copy of the layer's weight and the location, in the order of layers, and returns the
    new value. It sees what it was called for before, and may write to the copy itself.
    """
    copies: dict[str, torch.Tensor] = {}
    asked: dict[str, list[Index]] = defaultdict(list)
    with torch.no_grad():
        for place in sorted(places, key=lambda place: place.number):
            name = _stored(place.layer)
            copy = copies.setdefault(name, network.get_parameter(name).detach().clone())
            copy[place.location] = function(copy, place.location)
            asked[name].append(place.index)
    return {name: _differences(network.get_parameter(name), copies[name], asked[name]) for name in copies}


def _differences(weight: torch.Tensor, copy: torch.Tensor, asked: Sequence[Index]) -> dict[Index, float]:
    changed = [tuple(index) for index in (copy != weight.detach()).nonzero().tolist()]
    return {index: copy[index].item() for index in dict.fromkeys([*asked, *changed])}


def _stored(layer: WeightLayer) -> str:
    if layer.parameter is None:
        raise DeclarationError(
            f"the weight of {layer.path or 'the model'} is computed in each forward and not stored, so it "
            "cannot be set; remove its parametrization, or inject into what it is computed from"
        )
    return layer.parameter


def as_held(value: torch.Tensor | float, dtype: torch.dtype) -> float:
    """A number as a tensor of the type holds it. Raises DeclarationError for one that it cannot hold."""
    holder = torch.zeros(1, dtype=dtype)
    try:
        holder[0] = value
    except (RuntimeError, TypeError, ValueError) as error:
        raise DeclarationError(f"the value {value!r} is no number that {dtype} can hold: {error}") from error
    return holder[0].item()


class WeightInjection:
    """Values for weights, by the name of the parameter and the index into it."""

    is_in_neurons = False

    def __init__(self, network: nn.Module, changes: dict[str, dict[Index, float]]) -> None:
        self._network = network
        self._changes = changes
        self._known: dict[Profile, list[fw.Fault]] = {}

    def faults(self, profile: Profile) -> list[fw.Fault]:
        if profile not in self._known:
            self._known[profile] = self._faults_on(profile)
        return self._known[profile]

    def _faults_on(self, profile: Profile) -> list[fw.Fault]:
        faults = []
        for name, changes in self._changes.items():
            site = self._site(profile, name)
            by_value: dict[str, list[Index]] = defaultdict(list)
            for index, value in changes.items():
                by_value[repr(value)].append(index)
            faults += [fw.Fault(weight_line(site, by_value[text], float(text))) for text in by_value]
        return faults

    @contextmanager
    def hooked(self, network: nn.Module, profile: Profile) -> Iterator[list[FunctionReceipt]]:
        yield []

    def faulty_weights(self) -> dict[str, torch.Tensor]:
        """Copies of the parameters with their faulty values, by name."""
        copies = {}
        for name, changes in self._changes.items():
            copies[name] = self._network.get_parameter(name).detach().clone()
            for index, value in changes.items():
                copies[name][index] = value
        return copies

    def _site(self, profile: Profile, name: str) -> fw.Site:
        weight = self._network.get_parameter(name)
        for other, parameter in self._network.named_parameters(remove_duplicate=False):
            for site_name in (other.removesuffix(".weight"), other):
                if parameter is weight and site_name in profile.weight_sites:
                    return profile.weight_sites[site_name]
        raise fw.IllegalFaultError(
            f"no operator of the network reads {name} on inputs of this shape, so that a fault in it would "
            "hit nothing; choose another layer"
        )
