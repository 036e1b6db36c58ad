# SPDX-License-Identifier: Apache-2.0
"""PyTorchFI's error models for neurons. Layers are drawn first, each as likely, then a neuron of the layer.

All draws come from Python's global generator, in PyTorchFI's order, so that a seeded study has the same
faults.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from faultwave.pytorchfi import _int8, core
from faultwave.pytorchfi._errors import DeclarationError
from faultwave.pytorchfi._places import flat_index
from faultwave.pytorchfi.util import random_value

Location = tuple[int, Any, Any, Any]  # layer, dim1, dim2, dim3


def random_batch_element(pfi: core.FaultInjection) -> int:
    """A batch element."""
    return random.randint(0, pfi.batch_size - 1)


def random_neuron_location(pfi: core.FaultInjection, layer: int = -1) -> Location:
    """A layer, drawn if it is -1, and a neuron of it: (layer, dim1, dim2, dim3).

    Indices that the output has no axis for are None. Where it has more axes, dim3 is a tuple of indices.
    """
    if layer == -1:
        layer = random.randint(0, pfi.get_total_layers() - 1)
    index = [random.randint(0, size - 1) for size in pfi.get_layer_shape(layer)[1:]]
    return (layer, *three_indices(index))


def three_indices(index: Sequence[int]) -> tuple[Any, Any, Any]:
    """Indices as dim1, dim2 and dim3: None for missing ones; the last one a tuple if there are more."""
    first, second, *others = [*index, None, None, None]
    rest = [position for position in others if position is not None]
    if not rest:
        return first, second, None
    return first, second, rest[0] if len(rest) == 1 else tuple(rest)


class _Faults:
    """The lists of a declaration, one fault after the other."""

    def __init__(self) -> None:
        self.batch: list[int] = []
        self.locations: list[Location] = []
        self.values: list[float] = []

    def add(self, batch: int, location: Location, value: float) -> None:
        self.batch.append(batch)
        self.locations.append(location)
        self.values.append(value)

    def add_to_each_element(
        self,
        pfi: core.FaultInjection,
        layer: int,
        bounds: tuple[float, float],
        rand_loc: bool,
        rand_val: bool,
    ) -> None:
        """One for each batch element, in a layer, or in a drawn one if it is -1."""
        if not rand_loc:
            location = random_neuron_location(pfi, layer)
        if not rand_val:
            value = random_value(*bounds)
        for batch in range(pfi.batch_size):
            if rand_loc:
                location = random_neuron_location(pfi, layer)
            if rand_val:
                value = random_value(*bounds)
            self.add(batch, location, value)

    def declare(self, pfi: core.FaultInjection) -> nn.Module:
        return pfi.declare_neuron_fault_injection(
            batch=self.batch, **_location_lists(self.locations), value=self.values
        )


def _location_lists(locations: Sequence[Location]) -> dict[str, list[Any]]:
    layers, dim1, dim2, dim3 = (list(column) for column in zip(*locations))
    return {"layer_num": layers, "dim1": dim1, "dim2": dim2, "dim3": dim3}


def random_neuron_inj(pfi: core.FaultInjection, min_val: float = -1, max_val: float = 1) -> nn.Module:
    """A random value in one neuron of one batch element."""
    faults = _Faults()
    batch = random_batch_element(pfi)
    location = random_neuron_location(pfi)
    faults.add(batch, location, random_value(min_val, max_val))
    return faults.declare(pfi)


def random_neuron_inj_batched(
    pfi: core.FaultInjection,
    min_val: float = -1,
    max_val: float = 1,
    rand_loc: bool = True,
    rand_val: bool = True,
) -> nn.Module:
    """A random value in one neuron of each batch element.

    Args:
        rand_loc: a neuron of its own for each batch element, or the same for all.
        rand_val: a value of its own for each batch element, or the same for all.
    """
    faults = _Faults()
    faults.add_to_each_element(pfi, -1, (min_val, max_val), rand_loc, rand_val)
    return faults.declare(pfi)


def random_inj_per_layer(pfi: core.FaultInjection, min_val: float = -1, max_val: float = 1) -> nn.Module:
    """A random value in one neuron of every layer, all in one batch element."""
    faults = _Faults()
    batch = random_batch_element(pfi)
    for layer in range(pfi.get_total_layers()):
        location = random_neuron_location(pfi, layer)
        faults.add(batch, location, random_value(min_val, max_val))
    return faults.declare(pfi)


def random_inj_per_layer_batched(
    pfi: core.FaultInjection,
    min_val: float = -1,
    max_val: float = 1,
    rand_loc: bool = True,
    rand_val: bool = True,
) -> nn.Module:
    """A random value in one neuron of every layer, in each batch element.

    Args:
        rand_loc: a neuron of its own for each batch element, or the same for all.
        rand_val: a value of its own for each batch element, or the same for all.
    """
    faults = _Faults()
    for layer in range(pfi.get_total_layers()):
        faults.add_to_each_element(pfi, layer, (min_val, max_val), rand_loc, rand_val)
    return faults.declare(pfi)


class single_bit_flip_func(core.FaultInjection):
    """A FaultInjection whose faults flip one bit of a quantised value.

    A value becomes the integer value / range * 2^(bits - 1), cut towards zero; one bit of it, in two's
    complement, flips; the result becomes a value again. Values at or beyond the range saturate, NaN counts as
    0. The bit is drawn while the forward runs, when the layer has its output.

    Args:
        bits: of the quantised value, 8 if left out; the other arguments are those of FaultInjection.
    """

    def __init__(
        self, model: nn.Module, batch_size: int, input_shape: Sequence[int] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(model, batch_size, input_shape=input_shape, **kwargs)
        self.bits: int = kwargs.get("bits", 8)
        self.layer_ranges: Sequence[Any] = []

    @property
    def LayerRanges(self) -> Sequence[Any]:
        """The name that releases up to 0.6.0 have for layer_ranges."""
        return self.layer_ranges

    def set_conv_max(self, data: Sequence[Any]) -> None:
        """The range of each layer: its largest absolute value, by layer number."""
        self.layer_ranges = data

    def reset_conv_max(self, data: object = None) -> None:
        """Forgets the ranges. The argument is not used."""
        self.layer_ranges = []

    def get_conv_max(self, layer: int) -> Any:
        """The range of a layer. Raises DeclarationError if it has none."""
        if layer >= len(self.layer_ranges):
            raise DeclarationError(
                f"layer {layer} has no range: there are {len(self.layer_ranges)} ranges for "
                f"{self.get_total_layers()} layers; give each layer its largest absolute value"
            )
        return self.layer_ranges[layer]

    def single_bit_flip_signed_across_batch(
        self, module: nn.Module, input_val: Any, output: torch.Tensor
    ) -> None:
        """The function to declare: flips a drawn bit at each place of the declaration in this layer.

        The output is changed in place.
        """
        layers = self.corrupt_layer
        is_list = not isinstance(layers, int)
        for fault, layer in enumerate(layers if is_list else [layers]):
            if layer == self.current_layer:
                self._flip_at(self._index(fault if is_list else None), output)
        self.update_layer()
        if self.current_layer >= self.get_total_layers():
            self.reset_current_layer()

    def _index(self, fault: int | None) -> tuple[int, ...]:
        position = [self.corrupt_batch, *self.corrupt_dim]
        if fault is not None:
            self.assert_injection_bounds(fault)
            position = [entries[fault] if entries else None for entries in position]
        return tuple(index for index in flat_index(position) if isinstance(index, int))

    def _flip_at(self, index: tuple[int, ...], output: torch.Tensor) -> None:
        index = index[: output.dim()]
        largest = self.get_conv_max(self.current_layer)
        bit = random.randint(0, self.bits - 1)
        output[index] = _int8.flipped(output[index], largest, bit, self.bits)


def random_neuron_single_bit_inj_batched(
    pfi: single_bit_flip_func,
    layer_ranges: Sequence[Any],
    batch_random: bool = True,
    rand_loc: bool | None = None,
) -> nn.Module:
    """One bit of a quantised value in each batch element.

    Args:
        layer_ranges: the largest absolute value of each layer, by layer number.
        batch_random: a neuron of its own for each batch element, or the same for all.
        rand_loc: the name that releases up to 0.6.0 have for batch_random.
    """
    pfi.set_conv_max(layer_ranges)
    if batch_random if rand_loc is None else rand_loc:
        locations = [random_neuron_location(pfi) for _ in range(pfi.batch_size)]
    else:
        locations = [random_neuron_location(pfi)] * pfi.batch_size
    return pfi.declare_neuron_fault_injection(
        batch=list(range(pfi.batch_size)),
        **_location_lists(locations),
        function=pfi.single_bit_flip_signed_across_batch,
    )


def random_neuron_single_bit_inj(pfi: single_bit_flip_func, layer_ranges: Sequence[Any]) -> nn.Module:
    """One bit of a quantised value in one batch element. `layer_ranges` as above."""
    pfi.set_conv_max(layer_ranges)
    batch = random_batch_element(pfi)
    location = random_neuron_location(pfi)
    return pfi.declare_neuron_fault_injection(
        batch=[batch], **_location_lists([location]), function=pfi.single_bit_flip_signed_across_batch
    )
