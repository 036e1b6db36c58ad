# SPDX-License-Identifier: Apache-2.0
"""What a faulty model is: the original, with faults around each of its forwards."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import pytest
import torch
from torch import nn

import faultwave as fw
from faultwave.pytorchfi import FaultyModelError, neuron_error_models
from faultwave.pytorchfi.core import FaultInjection


class Net(nn.Module):
    """Two linear layers, with a method and an attribute of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(3, 4)
        self.drop = nn.Dropout()
        self.head = nn.Linear(4, 2)
        self.classes = ("cat", "dog")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(torch.relu(self.hidden(x))))

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        """Of a forward that does not go through forward()."""
        return self.forward(x).softmax(-1)

    def class_name(self, number: int) -> str:
        """Takes no tensor, so that no fault has to be hit."""
        return self.classes[number]


@pytest.fixture
def pfi() -> FaultInjection:
    return FaultInjection(Net().eval(), 2, [3], [nn.Linear])


def hidden(pfi: FaultInjection, value: float, batch: int = 0) -> Any:
    return pfi.declare_neuron_fault_injection(layer_num=[0], batch=[batch], dim1=[1], value=[value])


def doubled(pfi: FaultInjection) -> Any:
    """A function that counts layers as PyTorchFI's users do."""

    def double(module: nn.Module, arguments: Any, output: torch.Tensor) -> None:
        if pfi.current_layer in pfi.corrupt_layer:
            output[pfi.corrupt_batch[0], pfi.corrupt_dim[0][0]] *= 2
        pfi.update_layer()

    return pfi.declare_neuron_fault_injection(function=double, layer_num=[0], batch=[1], dim1=[2])


def by_hand(model: Any, x: torch.Tensor, index: tuple[int, int], value: float) -> torch.Tensor:
    y = model.hidden(x)
    y[index] = value
    return model.head(torch.relu(y))


def test_any_number_of_forwards(pfi: FaultInjection) -> None:
    faulty, function = hidden(pfi, 6.0), doubled(pfi)
    for _ in range(3):
        x = torch.randn(2, 3)
        assert torch.equal(faulty(x), by_hand(pfi.original_model, x, (0, 1), 6.0))
        value = pfi.original_model.hidden(x)[1, 2].item() * 2
        assert torch.equal(function(x), by_hand(pfi.original_model, x, (1, 2), value))


def test_declarations_do_not_disarm_one_another(pfi: FaultInjection) -> None:
    x = torch.randn(2, 3)
    first, function, second = hidden(pfi, 6.0), doubled(pfi), hidden(pfi, -7.0, batch=1)
    weight = pfi.declare_weight_fault_injection(layer_num=[1], k=[0], dim1=[0], value=[3.0])
    expected = pfi.original_model.hidden(x)[1, 2].item() * 2
    assert torch.equal(first(x), by_hand(pfi.original_model, x, (0, 1), 6.0))
    assert torch.equal(function(x), by_hand(pfi.original_model, x, (1, 2), expected))
    assert torch.equal(second(x), by_hand(pfi.original_model, x, (1, 1), torch.tensor(-7.0).item()))
    assert not torch.equal(weight(x), pfi.original_model(x))
    assert pfi.corrupted_model is weight


def test_faults_add_up_on_a_faulty_model(pfi: FaultInjection) -> None:
    x = torch.randn(2, 3)
    weight = pfi.declare_weight_fault_injection(layer_num=[1], k=[0], dim1=[1], value=[3.0])
    both = hidden(FaultInjection(weight, 2, [3], [nn.Linear]), 6.0)
    expected = by_hand(pfi.original_model, x, (0, 1), 6.0)
    expected[:, 0] += (3.0 - pfi.original_model.head.weight[0, 1]) * torch.relu(
        torch.tensor([6.0, pfi.original_model.hidden(x)[1, 1].item()])
    )
    torch.testing.assert_close(both(x), expected)
    assert both.faults == ["weight:head[0,1] constant(3)", "output:hidden[1]@0 constant(6)"]


def test_reset_disarms_faults_in_neurons(pfi: FaultInjection) -> None:
    x = torch.randn(2, 3)
    weight = pfi.declare_weight_fault_injection(layer_num=[1], k=[0], dim1=[1], value=[3.0])
    with_fault = weight(x)
    models = [hidden(pfi, 6.0), doubled(pfi)]
    pfi.reset_fault_injection()
    assert pfi.corrupted_model is None
    for model in models:
        assert torch.equal(model(x), pfi.original_model(x))
    assert torch.equal(weight(x), with_fault)


def test_a_fault_that_hits_nothing_is_an_error(pfi: FaultInjection) -> None:
    faulty = hidden(pfi, 6.0, batch=1)
    with pytest.raises(fw.IllegalFaultError):
        faulty(torch.randn(1, 3))
    assert faulty(torch.randn(2, 3)).shape == (2, 2)


def test_receipts_and_lines(pfi: FaultInjection) -> None:
    """Where, and which value before and after; the line does the same without this package."""
    x = torch.randn(2, 3)
    faulty, function = hidden(pfi, 6.0), doubled(pfi)
    output = faulty(x)
    (receipt,) = faulty.receipts
    assert receipt.fault == faulty.faults[0] == "output:hidden[1]@0 constant(6)"
    assert receipt.victims[0].index == (0, 1)
    assert receipt.victims[0].before == pfi.original_model.hidden(x)[0, 1]
    assert receipt.victims[0].after == 6
    assert torch.equal(fw.Injector(pfi.original_model, x).run(faulty.faults, x), output)

    output = function(x)
    (receipt,) = function.receipts
    assert (receipt.kind, receipt.site, receipt.hits) == ("output", "hidden", 1)
    assert receipt.victims[0].index == (1, 2)
    assert receipt.victims[0].after == 2 * receipt.victims[0].before
    assert torch.equal(fw.Injector(pfi.original_model, x).run(receipt.fault, x), output)


def test_nothing_is_copied_or_left_behind(pfi: FaultInjection) -> None:
    model = pfi.original_model
    before = copy.deepcopy(model.state_dict())
    faulty, function = hidden(pfi, 6.0), doubled(pfi)
    weight = pfi.declare_weight_fault_injection(layer_num=[1], k=[0], dim1=[1], value=[3.0])
    for each in (faulty, function, weight):
        each(torch.randn(2, 3))
        assert all(a is b for a, b in zip(each.parameters(), model.parameters()))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    for module in model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks


def test_an_error_in_a_forward_leaves_nothing_armed(pfi: FaultInjection) -> None:
    x = torch.randn(2, 3)

    def fail(module: nn.Module, arguments: Any, output: torch.Tensor) -> None:
        raise KeyError("mine")

    for faulty in (hidden(pfi, 6.0), pfi.declare_neuron_fault_injection(function=fail)):
        with pytest.raises((RuntimeError, KeyError)):
            faulty(torch.randn(2, 3) if faulty.faults == [] else torch.randn(2, 5))
        assert not pfi.original_model.hidden._forward_hooks
    assert torch.equal(hidden(pfi, 6.0)(x), by_hand(pfi.original_model, x, (0, 1), 6.0))


def test_its_mode_is_its_own() -> None:
    model = Net().train()
    faulty = hidden(FaultInjection(model, 2, [3], [nn.Linear]), 6.0)
    assert faulty.training
    faulty.eval()
    assert not faulty.training and model.training and model.drop.training
    x = torch.randn(2, 3)
    assert torch.equal(faulty(x), by_hand(model, x, (0, 1), 6.0))  # nothing is dropped
    assert model.training and model.drop.training


def test_it_is_used_like_the_original(pfi: FaultInjection) -> None:
    x = torch.randn(2, 3)
    faulty = hidden(pfi, 6.0)
    assert isinstance(faulty, Net) and isinstance(faulty, nn.Module)
    assert faulty.hidden is pfi.original_model.hidden
    assert faulty.class_name(1) == "dog"
    assert torch.equal(faulty.scores(x), by_hand(pfi.original_model, x, (0, 1), 6.0).softmax(-1))
    assert [name for name, _ in faulty.named_parameters()] == [
        n for n, _ in pfi.original_model.named_parameters()
    ]
    with pytest.raises(AttributeError):
        _ = faulty.nothing
    chain = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    faulty = neuron_error_models.random_neuron_inj(FaultInjection(chain, 1, [3], [nn.Linear]))
    assert len(faulty) == 2 and faulty[1] is chain[1] and list(faulty) == list(chain) and chain[0] in faulty


def test_a_scope_of_its_own(pfi: FaultInjection) -> None:
    """For what goes neither through forward() nor through a method of the model's."""
    x = torch.randn(2, 3)
    faulty = hidden(pfi, 6.0)
    with faulty.armed():
        y = pfi.original_model.hidden(x)
    assert y[0, 1] == 6


def test_state_dict_has_the_faulty_weights(pfi: FaultInjection) -> None:
    faulty = pfi.declare_weight_fault_injection(layer_num=[1], k=[0], dim1=[1], value=[3.0])
    x = torch.randn(2, 3)
    other = Net().eval()
    other.load_state_dict(faulty.state_dict())
    assert other.head.weight[0, 1] == 3
    assert torch.equal(other(x), faulty(x))
    assert pfi.original_model.head.weight[0, 1] != 3


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.load_state_dict(model.state_dict()),
        lambda model: model.half(),
        lambda model: model.to(torch.float64),
        lambda model: copy.deepcopy(model),
        lambda model: pickle.dumps(model),
        lambda model: setattr(model, "head", nn.Linear(4, 2)),
        lambda model: setattr(model, "classes", ()),
    ],
)
def test_what_would_change_the_original_is_refused(pfi: FaultInjection, change: Any) -> None:
    with pytest.raises(FaultyModelError, match="do it with the original model and declare the fault again"):
        change(hidden(pfi, 6.0))
    assert pfi.original_model.head.weight.dtype == torch.float32


def test_moving_it_to_where_it_is(pfi: FaultInjection) -> None:
    faulty = hidden(pfi, 6.0)
    assert faulty.to("cpu") is faulty and faulty.float() is faulty


def test_a_model_that_was_converted_since(pfi: FaultInjection) -> None:
    faulty = hidden(pfi, 6.0)
    pfi.original_model.double()
    x = torch.randn(2, 3, dtype=torch.float64)
    assert torch.equal(faulty(x), by_hand(pfi.original_model, x, (0, 1), 6.0))


def test_gradients(pfi: FaultInjection) -> None:
    """Those of the original's parameters; none flow through the neuron that was set."""
    x = torch.randn(2, 3)
    hidden(pfi, 6.0)(x).sum().backward()
    gradient = pfi.original_model.hidden.weight.grad.clone()
    pfi.original_model.zero_grad()
    by_hand(pfi.original_model, x, (0, 1), 6.0).sum().backward()
    assert torch.equal(gradient, pfi.original_model.hidden.weight.grad)


def test_other_threads_run_the_original(pfi: FaultInjection) -> None:
    x = torch.randn(2, 3)
    golden = pfi.original_model(x)
    elsewhere: list[torch.Tensor] = []

    def ask(module: nn.Module, arguments: Any, output: torch.Tensor) -> torch.Tensor:
        other = threading.Thread(target=lambda: elsewhere.append(pfi.original_model(x)))
        other.start()
        other.join()
        return output * 0

    with torch.no_grad():
        output = pfi.declare_neuron_fault_injection(function=ask)(x)
    assert len(elsewhere) == 2
    assert all(torch.equal(result, golden) for result in elsewhere)
    assert torch.equal(output, torch.zeros(2, 2))
