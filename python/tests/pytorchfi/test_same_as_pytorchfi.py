# SPDX-License-Identifier: Apache-2.0
"""The same calls through PyTorchFI and its replacement: same draws, same faults, same bits of the output."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from support.compared_networks import CASES, Case
from torch import nn

import faultwave.pytorchfi as ours
from faultwave.pytorchfi._int8 import flipped

BATCH = 3
SEEDS = range(2)
NEURON_STUDIES: dict[str, Callable[[Any, Any], nn.Module]] = {
    "one neuron": lambda models, pfi: models.random_neuron_inj(pfi, -50, 50),
    "a neuron in each element": lambda models, pfi: models.random_neuron_inj_batched(pfi, -50, 50),
    "the same neuron": lambda models, pfi: models.random_neuron_inj_batched(pfi, rand_loc=False),
    "the same value": lambda models, pfi: models.random_neuron_inj_batched(pfi, rand_val=False),
    "one neuron in each layer": lambda models, pfi: models.random_inj_per_layer(pfi),
    "all layers and elements": lambda models, pfi: models.random_inj_per_layer_batched(pfi),
    "the same neurons": lambda models, pfi: models.random_inj_per_layer_batched(pfi, rand_loc=False),
    "the same values": lambda models, pfi: models.random_inj_per_layer_batched(pfi, rand_val=False),
}
WEIGHT_STUDIES: dict[str, Callable[[Any, Any], nn.Module]] = {
    "a value": lambda models, pfi: models.random_weight_inj(pfi, min_val=-20, max_val=20),
    "a value in layer 1": lambda models, pfi: models.random_weight_inj(pfi, corrupt_layer=1),
    "zero": lambda models, pfi: models.zero_func_rand_weight(pfi),
}
ALIKE = {name: case for name, case in CASES.items() if case.are_numbers_alike}


def outcome(
    case: Case, make: Callable[..., Any], study: Callable[[Any], nn.Module], seed: int, **kwargs: Any
) -> tuple[torch.Tensor, object, torch.Tensor]:
    """The output with the faults of a seeded study, and where both random generators stand afterwards."""
    network = case.network()
    images = torch.randn((BATCH, *case.input_shape), generator=torch.Generator().manual_seed(seed))
    random.seed(seed)
    torch.manual_seed(seed)
    pfi = make(network, BATCH, list(case.input_shape), layer_types=list(case.layer_types), **kwargs)
    faulty = study(pfi)
    with torch.no_grad():
        return faulty(images), random.getstate(), torch.get_rng_state()


def assert_same(
    a: tuple[torch.Tensor, object, torch.Tensor], b: tuple[torch.Tensor, object, torch.Tensor]
) -> None:
    assert a[0].dtype == b[0].dtype
    assert torch.equal(a[0].view(torch.int32), b[0].view(torch.int32))
    assert a[1] == b[1]
    assert torch.equal(a[2], b[2])


@pytest.mark.parametrize("study", NEURON_STUDIES)
@pytest.mark.parametrize("name", CASES)
def test_values_in_neurons(peer: SimpleNamespace, name: str, study: str) -> None:
    for seed in SEEDS:
        theirs = outcome(
            CASES[name],
            peer.core.fault_injection,
            lambda pfi: NEURON_STUDIES[study](peer.neuron_error_models, pfi),
            seed,
        )
        mine = outcome(
            CASES[name],
            ours.core.FaultInjection,
            lambda pfi: NEURON_STUDIES[study](ours.neuron_error_models, pfi),
            seed,
        )
        assert_same(theirs, mine)


@pytest.mark.parametrize("study", WEIGHT_STUDIES)
@pytest.mark.parametrize("name", ALIKE)
def test_weights(peer: SimpleNamespace, name: str, study: str) -> None:
    for seed in SEEDS:
        theirs = outcome(
            CASES[name],
            peer.core.fault_injection,
            lambda pfi: WEIGHT_STUDIES[study](peer.weight_error_models, pfi),
            seed,
        )
        mine = outcome(
            CASES[name],
            ours.core.FaultInjection,
            lambda pfi: WEIGHT_STUDIES[study](ours.weight_error_models, pfi),
            seed,
        )
        assert_same(theirs, mine)


@pytest.mark.parametrize("name", CASES)
def test_weights_by_number(peer: SimpleNamespace, name: str) -> None:
    """Numbers of weights go by modules(), also where outputs count otherwise."""
    case = CASES[name]
    shapes = [m.weight.shape for m in case.network().modules() if isinstance(m, tuple(case.layer_types))]
    for layer, shape in enumerate(shapes):
        index = [[size - 1] for size in shape] + [[None]] * (4 - len(shape))
        places = dict(zip(("k", "dim1", "dim2", "dim3"), index), layer_num=[layer], value=[7.5])

        def study(pfi: Any, places: dict[str, Any] = places) -> nn.Module:
            return pfi.declare_weight_fi(**places)

        assert_same(
            outcome(case, peer.core.fault_injection, study, 1),
            outcome(case, ours.core.FaultInjection, study, 1),
        )


@pytest.mark.parametrize("is_same_place", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_flips_of_int8_within_the_range(peer: SimpleNamespace, name: str, is_same_place: bool) -> None:
    """With a range that no value reaches; there PyTorchFI's arithmetic is sound."""
    ranges = [1000.0] * 20
    for seed in SEEDS:
        theirs = outcome(
            CASES[name],
            peer.neuron_error_models.single_bit_flip_func,
            lambda pfi: peer.neuron_error_models.random_neuron_single_bit_inj_batched(
                pfi, ranges, rand_loc=not is_same_place
            ),
            seed,
            bits=12,
        )
        mine = outcome(
            CASES[name],
            ours.neuron_error_models.single_bit_flip_func,
            lambda pfi: ours.neuron_error_models.random_neuron_single_bit_inj_batched(
                pfi, ranges, rand_loc=not is_same_place
            ),
            seed,
            bits=12,
        )
        assert_same(theirs, mine)


def test_flips_of_each_bit_and_value(peer: SimpleNamespace) -> None:
    """The arithmetic alone, for values from one end of the range to the other."""
    network = CASES["chain"].network()
    their_class = peer.neuron_error_models.single_bit_flip_func
    for bits in (4, 8, 11):
        theirs = their_class(network, 1, [3, 8, 8], bits=bits)
        for largest in (1.0, 3.7):
            for value in torch.linspace(-largest, largest, 101)[:-1]:
                for bit in range(bits):
                    expected = theirs._flip_bit_signed(value, largest, bit)
                    assert torch.equal(flipped(value, largest, bit, bits), expected)


@pytest.mark.parametrize("name", CASES)
def test_layers_have_the_same_numbers(peer: SimpleNamespace, name: str) -> None:
    case = CASES[name]
    for layer_types in (case.layer_types, ["all"]):
        theirs = peer.core.fault_injection(case.network(), BATCH, case.input_shape, list(layer_types))
        mine = ours.core.FaultInjection(case.network(), BATCH, case.input_shape, list(layer_types))
        assert mine.output_size == theirs.output_size
        assert mine.layers_type == theirs.layers_type
        assert mine.layers_dim == theirs.layers_dim
        if layer_types != ["all"]:
            leaves = [m for m in case.network().modules() if not list(m.children())]
            assert mine.weights_size == theirs.weights_size
            assert len(mine.weights_size) == sum(isinstance(m, tuple(layer_types)) for m in leaves)


@pytest.mark.parametrize("name", ALIKE)
def test_summary(peer: SimpleNamespace, name: str) -> None:
    """Line by line, but for the title, which is centred."""
    case = CASES[name]
    theirs = peer.core.fault_injection(case.network(), BATCH, case.input_shape, case.layer_types)
    mine = ours.core.FaultInjection(case.network(), BATCH, case.input_shape, case.layer_types)
    expected = theirs.print_pytorchfi_layer_summary().splitlines()
    assert mine.print_pytorchfi_layer_summary().splitlines()[1:] == expected[1:]


def test_functions_as_hooks(peer: SimpleNamespace) -> None:
    """A function that counts layers by the methods that PyTorchFI has for it."""
    case = CASES["residual"]

    def study(pfi: Any) -> nn.Module:
        def double(module: nn.Module, arguments: Any, output: torch.Tensor) -> None:
            if pfi.get_current_layer() in pfi.get_corrupt_layer():
                output[pfi.corrupt_batch[0]] *= 2
            pfi.updateLayer()

        return pfi.declare_neuron_fi(
            function=double, layer_num=[1, 3], batch=[2, 2], dim1=[0, 0], dim2=[0, None], dim3=[0, None]
        )

    assert_same(
        outcome(case, peer.core.fault_injection, study, 3), outcome(case, ours.core.FaultInjection, study, 3)
    )


def test_functions_of_weights(peer: SimpleNamespace) -> None:
    """Called in the order of layers, each call seeing what the earlier ones did."""
    case = CASES["chain"]

    def study(pfi: Any) -> nn.Module:
        def drawn(data: torch.Tensor, location: tuple[int | None, ...]) -> torch.Tensor:
            return data[location] + data[location].sum() + random.random()

        return pfi.declare_weight_fi(
            function=drawn,
            layer_num=[2, 0, 2, 2],
            k=[3, 1, 3, 4],
            dim1=[5, 2, 5, 5],
            dim2=[None, 1, None, None],
            dim3=[None, 0, None, None],
        )

    assert_same(
        outcome(case, peer.core.fault_injection, study, 3), outcome(case, ours.core.FaultInjection, study, 3)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_values_of_other_types(peer: SimpleNamespace, dtype: torch.dtype) -> None:
    """A value is rounded to the network's type as PyTorch rounds it."""
    case = CASES["perceptron"]
    images = torch.randn(2, 10, dtype=dtype)
    outputs = []
    for make in (peer.core.fault_injection, ours.core.FaultInjection):
        pfi = make(case.network().to(dtype), 2, [10], [nn.Linear])
        faulty = pfi.declare_neuron_fi(
            batch=[0, 1],
            layer_num=[0, 1],
            dim1=[3, 31],
            dim2=[None, None],
            dim3=[None, None],
            value=[0.1, 1 / 3],
        )
        with torch.no_grad():
            outputs.append(faulty(images))
    assert torch.equal(*outputs)
