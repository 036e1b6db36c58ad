# SPDX-License-Identifier: Apache-2.0
"""Reads the lists of a declaration: layers, batch elements, indices, values."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from faultwave.pytorchfi._errors import DeclarationError, OutOfBoundsError
from faultwave.pytorchfi._layers import OutputLayer, WeightLayer
from faultwave.pytorchfi._places import Index, flat_index
from faultwave.pytorchfi._weight_injection import WeightPlace

_NEURON_AXES = ("batch", "dim1", "dim2", "dim3")
_WEIGHT_AXES = ("k", "dim1", "dim2", "dim3")


def warn(message: str) -> None:
    """A UserWarning, as PyTorchFI gives them."""
    warnings.warn(message, stacklevel=4)


def check_keywords(given: Mapping[str, Any], known: Collection[str]) -> None:
    """Raises DeclarationError for a declaration without keywords, or with one that it does not have."""
    choices = ", ".join(known)
    if not given:
        raise DeclarationError(
            f"a declaration needs places, and values or a function; its keywords are {choices}"
        )
    for keyword in given:
        if keyword not in known:
            raise DeclarationError(f"a declaration has no keyword {keyword!r}; it has {choices}")


def values_for(places: Sequence[object], values: Any) -> list[Any]:
    """One value for each place. Raises DeclarationError if there are too few; warns if there are more."""
    given: list[Any] = list(values)
    if len(given) < len(places):
        raise DeclarationError(f"there are {len(places)} places and {len(given)} values; give each place one")
    if len(given) > len(places):
        warn(f"there are {len(places)} places and {len(given)} values; the last ones are not used")
    return given[: len(places)]


def whole_number(value: Any, what: str) -> int:
    """An index or a layer number: an int, or a NumPy integer or tensor of one."""
    try:
        return operator.index(value)
    except TypeError:
        raise DeclarationError(f"{what} is {value!r}; expected a whole number") from None


def below(value: Any, bound: int, what: str, of: str) -> int:
    """A whole number from 0 to bound - 1. Raises OutOfBoundsError otherwise."""
    number = whole_number(value, what)
    if not 0 <= number < bound:
        legal = f"0 to {bound - 1}" if bound else "none"
        raise OutOfBoundsError(f"{what} is {number}, out of bounds for {of}: legal is {legal}")
    return number


def column(lists: Mapping[str, Any], name: str, length: int | None = None) -> list[Any]:
    """A list of a declaration; None for each of `length` faults where it is left out."""
    if name not in lists and length is not None:
        return [None] * length
    if name not in lists:
        raise DeclarationError(f"{name} is missing; give one entry for each fault")
    try:
        entries = list(lists[name])
    except TypeError:
        raise DeclarationError(
            f"{name} is {lists[name]!r}; expected a list with one entry for each fault"
        ) from None
    if length is not None and len(entries) != length:
        raise DeclarationError(
            f"injection location missing values: layer_num has {length} entries and {name} {len(entries)}; "
            "give one for each fault in every list"
        )
    return entries


def neuron_places(
    outputs: Sequence[OutputLayer], batch_size: int, lists: Mapping[str, Any]
) -> list[tuple[int, Index]]:
    """The layers and indices of a declaration, one a fault; none where it has no lists."""
    if not any(name in lists for name in ("layer_num", *_NEURON_AXES)):
        return []
    layers = column(lists, "layer_num")
    positions = zip(*(column(lists, name, len(layers)) for name in _NEURON_AXES))
    return [neuron_place(outputs, batch_size, layer, position) for layer, position in zip(layers, positions)]


def neuron_place(
    outputs: Sequence[OutputLayer], batch_size: int, layer: Any, position: Sequence[Any]
) -> tuple[int, Index]:
    """A layer and an index into its output. `position`: batch element, dim1, dim2, dim3."""
    number = below(layer, len(outputs), "layer_num", f"a network with {len(outputs)} layers")
    shape = outputs[number].shape
    of = f"the output {list(shape)} of layer {number} ({outputs[number].path})"
    batch = below(position[0], batch_size, "batch", f"a batch size of {batch_size}")
    return number, (batch, *_index(position[1:], shape[1:], _NEURON_AXES[1:], of))


def weight_places(layers: Sequence[WeightLayer], lists: Mapping[str, Any]) -> list[WeightPlace]:
    """The weights of a declaration, one a fault, in the order given."""
    numbers = column(lists, "layer_num")
    positions = zip(*(column(lists, name, len(numbers)) for name in _WEIGHT_AXES))
    return [_weight_place(layers, number, position) for number, position in zip(numbers, positions)]


def _weight_place(layers: Sequence[WeightLayer], layer: Any, position: Sequence[Any]) -> WeightPlace:
    number = below(layer, len(layers), "layer_num", f"a network with {len(layers)} layers that have a weight")
    of = f"the weight {list(layers[number].shape)} of layer {number} ({layers[number].path})"
    index = _index(position, layers[number].shape, _WEIGHT_AXES, of)
    location = index + (None,) * (len(_WEIGHT_AXES) - len(index))
    return WeightPlace(number, layers[number], index, location)


def _index(position: Sequence[Any], shape: Sequence[int], names: Sequence[str], of: str) -> Index:
    flat = flat_index(position)
    if len(flat) > len(shape):
        ignored = " and ".join(names[len(shape) :]) or names[-1]
        warn(f"{ignored} is not used, since there is no such axis in {of}")
    if len(flat) < len(shape):
        more = f"; {names[-1]} may be a tuple that goes on to further axes" if len(shape) > len(names) else ""
        raise DeclarationError(f"{_missing(flat, names)} is missing for {of}{more}")
    labels = [*names, *[names[-1]] * len(shape)]
    return tuple(below(value, size, label, of) for value, size, label in zip(flat, shape, labels))


def _missing(flat: Sequence[object], names: Sequence[str]) -> str:
    return f"{names[len(flat)]}" if len(flat) < len(names) else f"an index in {names[-1]}"
