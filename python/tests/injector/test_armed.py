# SPDX-License-Identifier: Apache-2.0
"""Faults in a scope: what they change, what they leave alone, and what is said when they cannot act."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from support.tiny_networks import Sum, convolutional
from torch import nn

import faultwave as fw

LINE = "output:0[3,1,2]@0 flip(30)"


def test_a_fault_changes_what_its_line_says_and_nothing_else() -> None:
    model = Sum()
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    injector = fw.Injector(model, x)
    with injector.armed("output:same[1]@1 constant(100)") as armed:
        faulty = model(x)
    assert faulty.tolist() == [[6.0], [110.0]]
    assert model(x).tolist() == [[6.0], [15.0]]
    (receipt,) = armed.receipts
    (victim,) = receipt.victims
    assert (victim.index, victim.element_index, victim.before, victim.after) == ((1, 1), (1,), 5.0, 100.0)
    assert receipt.fault == "output:same[1]@1 constant(100)"
    assert (receipt.hits, receipt.forwards) == (1, 1)


def test_a_fault_acts_in_every_forward_of_its_scope() -> None:
    model = Sum()
    x = torch.ones(1, 3)
    injector = fw.Injector(model, x)
    with injector.armed("output:same[0] constant(5)") as armed:
        assert [model(x).item() for _ in range(3)] == [7.0, 7.0, 7.0]
    assert armed.receipts[0].forwards == 3


def test_several_faults_as_lines_objects_and_lists() -> None:
    model = Sum()
    x = torch.ones(1, 3)
    injector = fw.Injector(model, x)
    two = "output:same[0] constant(5); output:same[1] constant(7)"
    objects = [fw.Fault(line) for line in two.split("; ")]
    for faults in ([two], objects, [objects], [objects[0], two.split("; ")[1]]):
        with injector.armed(*faults) as armed:
            assert model(x).item() == 13.0
        assert [receipt.hits for receipt in armed.receipts] == [1, 1]


def test_a_weight_stays_what_it_was() -> None:
    model = Sum()
    x = torch.ones(1, 3)
    injector = fw.Injector(model, x)
    before = model.same.weight.clone()
    with injector.armed("weight:same[2,2] constant(4)"):
        assert model(x).item() == 6.0
        assert torch.equal(model.same.weight, before)
    assert model(x).item() == 3.0


def test_run_puts_back_what_the_network_writes() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))
            self.calls = 0
            self.history: list[float] = []

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.seen += 1  # in place
            self.calls += 1
            self.history.append(float(self.calls))
            return x + self.seen

    model = Counting()
    injector = fw.Injector(model, torch.zeros(1))
    assert (model.seen.item(), model.calls, model.history) == (0, 0, [])
    y = injector.run("output:add[] constant(9)", torch.zeros(1))
    assert y.item() == 9.0
    assert (model.seen.item(), model.calls, model.history) == (0, 0, [])
    model(torch.zeros(1))
    assert (model.seen.item(), model.calls, model.history) == (1, 1, [1.0])


def test_run_puts_a_replaced_buffer_back() -> None:
    class Replacing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("state", torch.zeros(2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.state = self.state + x
            return self.state * 1

    model = Replacing()
    state = model.state
    injector = fw.Injector(model, torch.ones(2), batch_axes=[-1])
    assert model.state is state
    assert injector.run("output:mul[0] constant(9)", torch.ones(2)).tolist() == [9.0, 1.0]
    assert model.state is state and state.tolist() == [0.0, 0.0]


def test_a_fault_that_hits_nothing_is_an_error() -> None:
    injector = fw.Injector(convolutional(), torch.rand(2, 3, 8, 8))
    with (
        pytest.raises(fw.IllegalFaultError, match="armed and hit nothing: 'output:0"),
        injector.armed(LINE) as armed,
    ):
        assert armed.missed == [LINE]


def test_an_exception_of_the_user_comes_first() -> None:
    injector = fw.Injector(convolutional(), torch.rand(2, 3, 8, 8))
    with pytest.raises(KeyError, match="mine"), injector.armed(LINE):
        raise KeyError("mine")


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("output:conv9[0,0,0] zero", fw.IllegalFaultError, "no output site is named 'conv9'"),
        ("output:0[8,0,0] zero", fw.IllegalFaultError, "index 8 on axis 0 is out of range: legal are 0 to 7"),
        ("output:0[-1,0,0] zero", fw.IllegalFaultError, "index -1 on axis 0 is out of range"),
        ("output:0[1,1] zero", fw.IllegalFaultError, r"shape \[8,6,6\]"),
        ("output:0[1,1,1]@2 zero", None, ""),
        ("output:0[1,1,1] flip(40)", fw.IllegalFaultError, "bit 40"),
        ("output:0[1,1,1] flop", fw.UsageError, "did you mean flip"),
        ("output:0(1,1,1) flip", fw.UsageError, "column"),
    ],
)
def test_illegal_faults_are_refused_before_anything_runs(
    line: str, error: type[Exception] | None, message: str
) -> None:
    model = convolutional()
    injector = fw.Injector(model, torch.rand(2, 3, 8, 8))
    if error is None:  # a batch element that the example has not, where batches may be of any size
        with injector.armed(line):
            model(torch.rand(3, 3, 8, 8))
        return
    with pytest.raises(error, match=message), injector.armed(line):
        pytest.fail("armed")
    with injector.armed(LINE):
        model(torch.rand(2, 3, 8, 8))


def test_what_is_no_fault_is_named() -> None:
    injector = fw.Injector(Sum(), torch.ones(1, 3))
    with pytest.raises(fw.UsageError, match="a fault is a fault line or a Fault, and 7 is a int"):
        injector.armed([7])  # type: ignore[list-item]


def test_one_scope_at_a_time_and_each_only_once() -> None:
    model = convolutional()
    x = torch.rand(2, 3, 8, 8)
    injector = fw.Injector(model, x)
    with injector.armed(LINE) as armed:
        model(x)
        with pytest.raises(fw.UsageError, match="armed on this thread already"), injector.armed(LINE):
            pytest.fail("armed twice")
    with pytest.raises(fw.UsageError, match="entered before"), armed:
        pytest.fail("entered twice")


def test_faults_are_in_the_graph_of_autograd() -> None:
    model = Sum()
    injector = fw.Injector(model, torch.ones(1, 3))
    x = torch.ones(1, 3, requires_grad=True)
    with injector.armed("output:same[1] scale(4)"):
        model(x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [[1.0, 4.0, 1.0]]


def test_a_random_fault_is_that_of_its_key() -> None:
    injector = fw.Injector(convolutional(), torch.rand(2, 3, 8, 8))
    assert injector.random_neuron("flip", key=7) == injector.random_neuron(fw.flip(), key=7)
    assert len({str(injector.random_neuron(key=key)) for key in range(8)}) > 1
    assert injector.random_weight(fw.zero(), key=3).kind == "weight"
    assert str(injector.resolve("output:0[?] flip#7")) == str(
        injector.resolve(fw.Fault("output:0[?] flip#7"))
    )


def test_a_model_that_owns_its_injector_is_collected() -> None:
    model = convolutional()
    model.injector = fw.Injector(model, torch.rand(1, 3, 8, 8))  # type: ignore[assignment]
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_random_generators_and_modes_are_left_alone() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.BatchNorm1d(3)).train()
    model[2].eval()
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    fw.Injector(model, torch.ones(2, 3))
    assert torch.equal(torch.rand(4), expected)
    assert [module.training for module in model] == [True, True, False]


def test_training_with_faults() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1)).train()
    injector = fw.Injector(model, torch.rand(8, 3))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    before = [parameter.clone() for parameter in model.parameters()]
    tracked = model[1].num_batches_tracked.item()
    for step in range(3):
        optimiser.zero_grad()
        with injector.armed(injector.random_neuron("random(-1,1)", key=step)) as armed:
            model(torch.rand(8, 3)).square().mean().backward()
        assert armed.receipts[0].hits == 8
        optimiser.step()
    assert model[1].num_batches_tracked.item() == tracked + 3
    assert not any(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
