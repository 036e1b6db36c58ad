# SPDX-License-Identifier: Apache-2.0
"""What a declaration takes, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import faultwave as fw
from faultwave.pytorchfi import DeclarationError, OutOfBoundsError
from faultwave.pytorchfi.core import FaultInjection


def network() -> nn.Module:
    """A convolution with outputs [2, 3, 3] and a linear layer with 4."""
    return nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(18, 4)).eval()


@pytest.fixture
def pfi() -> FaultInjection:
    return FaultInjection(network(), 2, [1, 4, 4], [nn.Conv2d, nn.Linear])


NEURON: dict[str, list[Any]] = {
    "layer_num": [0],
    "batch": [1],
    "dim1": [1],
    "dim2": [2],
    "dim3": [0],
    "value": [5],
}
WEIGHT: dict[str, list[Any]] = {
    "layer_num": [0],
    "k": [1],
    "dim1": [0],
    "dim2": [1],
    "dim3": [1],
    "value": [5],
}


def test_the_neuron_gets_the_value_and_no_other(pfi: FaultInjection) -> None:
    images = torch.randn(2, 1, 4, 4)
    convolution = pfi.original_model[0]  # type: ignore[index]
    expected = convolution(images)
    seen = []
    convolution.register_forward_hook(lambda _, __, output: seen.append(output.clone()))
    golden = expected.clone()
    expected[1, 1, 2, 0] = 5
    faulty = pfi.declare_neuron_fault_injection(**NEURON)
    faulty(images)
    assert torch.equal(seen[0], expected)
    assert torch.equal(convolution(images), golden)


def test_the_weight_gets_the_value_and_no_other(pfi: FaultInjection) -> None:
    images = torch.randn(2, 1, 4, 4)
    model = pfi.original_model
    weight = model[0].weight.detach().clone()  # type: ignore[index]
    faulty = pfi.declare_weight_fault_injection(**WEIGHT)
    output = faulty(images)
    assert torch.equal(model[0].weight, weight)  # type: ignore[index]
    with torch.no_grad():
        model[0].weight[1, 0, 1, 1] = 5  # type: ignore[index]
    assert torch.equal(output, model(images))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"layer_num": [2]}, "layer_num is 2"),
        ({"layer_num": [-1]}, "layer_num is -1"),
        ({"batch": [2]}, "batch is 2"),
        ({"batch": [-1]}, "batch is -1"),
        ({"dim1": [2]}, "dim1 is 2"),
        ({"dim1": [-1]}, "dim1 is -1"),
        ({"dim2": [3]}, "dim2 is 3"),
        ({"dim3": [-3]}, "dim3 is -3"),
    ],
)
def test_neurons_out_of_bounds(pfi: FaultInjection, change: dict[str, list[int]], what: str) -> None:
    with pytest.raises(OutOfBoundsError, match=f"^{what}, out of bounds for .*legal is 0 to") as raised:
        pfi.declare_neuron_fault_injection(**{**NEURON, **change})
    assert isinstance(raised.value, AssertionError)
    assert isinstance(raised.value, fw.IllegalFaultError)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"layer_num": [2]}, "layer_num is 2"),
        ({"k": [2]}, "k is 2"),
        ({"k": [-1]}, "k is -1"),
        ({"dim1": [1]}, "dim1 is 1"),
        ({"dim2": [-1]}, "dim2 is -1"),
        ({"dim3": [2]}, "dim3 is 2"),
    ],
)
def test_weights_out_of_bounds(pfi: FaultInjection, change: dict[str, list[int]], what: str) -> None:
    with pytest.raises(OutOfBoundsError, match=f"^{what}, out of bounds for .*legal is 0 to"):
        pfi.declare_weight_fault_injection(**{**WEIGHT, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim3": []}, "layer_num has 1 entries and dim3 0"),
        ({"batch": [0, 1]}, "layer_num has 1 entries and batch 2"),
        ({"batch": 1}, "batch is 1; expected a list"),
        ({"dim2": [None], "dim3": [None]}, "dim2 is missing for the output"),
        ({"dim1": [0.5]}, "dim1 is 0.5; expected a whole number"),
        ({"value": []}, "there are 1 places and 0 values"),
        ({"value": ["five"]}, "the value 'five' is no number"),
        ({"value": [1e300]}, "the value 1e[+]300 is no number that torch.float32 can hold"),
        ({"dim4": [1]}, "has no keyword 'dim4'; it has layer_num, batch"),
        ({"function": 3}, "the function is 3, which cannot be called"),
    ],
)
def test_neurons_that_cannot_be_understood(pfi: FaultInjection, change: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as raised:
        pfi.declare_neuron_fault_injection(**{**NEURON, **change})
    assert isinstance(raised.value, AssertionError)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": []}, "layer_num has 1 entries and k 0"),
        ({"dim3": [None]}, "dim3 is missing for the weight"),
        ({"value": []}, "there are 1 places and 0 values"),
        ({"batch": [1]}, "has no keyword 'batch'"),
    ],
)
def test_weights_that_cannot_be_understood(pfi: FaultInjection, change: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        pfi.declare_weight_fault_injection(**{**WEIGHT, **change})


def test_nothing_declared(pfi: FaultInjection) -> None:
    for declare in (pfi.declare_neuron_fault_injection, pfi.declare_weight_fault_injection):
        with pytest.raises(ValueError, match="a declaration needs places"):
            declare()
    with pytest.raises(DeclarationError, match="layer_num is missing"):
        pfi.declare_weight_fault_injection(value=[1])


def test_indices_that_a_layer_has_no_axis_for(pfi: FaultInjection) -> None:
    """They are not used, and a warning says so; left out they are None."""
    images = torch.randn(2, 1, 4, 4)
    places = {"layer_num": [1], "batch": [0], "dim1": [3], "value": [9]}
    output = pfi.declare_neuron_fault_injection(**places)(images)
    assert output[0, 3] == 9
    with pytest.warns(UserWarning, match="dim2 and dim3 is not used, since there is no such axis"):
        faulty = pfi.declare_neuron_fault_injection(**places, dim2=[1], dim3=[1])
    assert torch.equal(faulty(images), output)


def test_more_values_than_places(pfi: FaultInjection) -> None:
    with pytest.warns(UserWarning, match="there are 1 places and 2 values; the last ones are not used"):
        faulty = pfi.declare_neuron_fault_injection(**{**NEURON, "value": [5, 6]})
    assert faulty.faults == ["output:0[1,2,0]@1 constant(5)"]


def test_no_place_at_all(pfi: FaultInjection) -> None:
    """As when a draw of many weights hits none: the model without faults."""
    images = torch.randn(2, 1, 4, 4)
    empty: list[int] = []
    faulty = pfi.declare_weight_fault_injection(layer_num=empty, k=empty, function=lambda data, place: 0)
    assert torch.equal(faulty(images), pfi.original_model(images))


def test_the_last_of_two_values_for_one_place_stays(pfi: FaultInjection) -> None:
    images = torch.randn(2, 1, 4, 4)
    places = {"layer_num": [1, 1], "batch": [0, 0], "dim1": [2, 2], "value": [7, 8]}
    assert pfi.declare_neuron_fault_injection(**places)(images)[0, 2] == 8
    weights = {"layer_num": [1, 1], "k": [3, 3], "dim1": [4, 4], "value": [7, 8]}
    assert pfi.declare_weight_fault_injection(**weights).faults == ["weight:2[3,4] constant(8)"]


def test_numbers_of_other_types(pfi: FaultInjection) -> None:
    places = {"layer_num": torch.tensor([1]), "batch": range(1), "dim1": (torch.tensor(3),)}
    faulty = pfi.declare_neuron_fault_injection(**places, value=torch.tensor([2.5]))
    assert faulty.faults == ["output:2[3]@0 constant(2.5)"]


def test_bounds_can_be_asked_for(pfi: FaultInjection) -> None:
    pfi.check_bounds([1], [0], [[1], [2], [2]])
    pfi.check_bounds([1], [0], [1], [2], [2])
    with pytest.raises(OutOfBoundsError, match="dim2 is 3"):
        pfi.check_bounds([1], [0], [[1], [3], [2]])
    with pytest.raises(AssertionError, match="injection location missing values"):
        pfi.check_bounds([1], [0], [[1], [2], []])
    pfi.declare_neuron_fault_injection(**NEURON)
    pfi.assert_injection_bounds(0)
    for index in (-1, 1):
        with pytest.raises(OutOfBoundsError, match=f"fault {index} is none of the 1"):
            pfi.assert_injection_bounds(index)
    with pytest.raises(OutOfBoundsError, match="dim is 4, out of bounds for the output"):
        pfi.get_tensor_dim(0, 4)
    assert pfi.get_tensor_dim(0, 3) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "the batch size is 0; expected a whole number of at least 1"),
        ({"batch_size": 1.5}, "the batch size is 1.5"),
        ({"input_shape": 16}, "the input shape is a int; expected a list of sizes"),
    ],
)
def test_arguments_that_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        FaultInjection(network(), **{"batch_size": 1, "input_shape": [1, 4, 4], **arguments})
