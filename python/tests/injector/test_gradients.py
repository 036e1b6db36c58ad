# SPDX-License-Identifier: Apache-2.0
"""Faults in the gradients of a backward pass."""

from __future__ import annotations

import pytest
import torch
from support.tiny_networks import Sum

import faultwave as fw


def test_gradients_are_listed_apart() -> None:
    injector = fw.Injector(Sum(), torch.ones(1, 3))
    kinds = {(site.kind, site.name) for site in injector.gradient_sites}
    assert {("output-gradient", "same"), ("weight-gradient", "same")} <= kinds
    assert not any(site.kind.endswith("gradient") for site in injector.sites)
    assert injector.site("same", kind="weight-gradient").shape == (3, 3)


def test_a_fault_in_the_gradient_of_an_output_goes_on_from_there() -> None:
    model = Sum()
    injector = fw.Injector(model, torch.ones(1, 3))
    x = torch.ones(1, 3, requires_grad=True)
    with injector.armed("output-gradient:same[1] constant(5)") as armed:
        y = model(x)
        y.sum().backward()
    assert y.item() == 3.0
    assert x.grad is not None and x.grad.tolist() == [[1.0, 5.0, 1.0]]
    assert (armed.receipts[0].victims[0].before, armed.receipts[0].victims[0].after) == (1.0, 5.0)


def test_a_fault_in_the_gradient_of_a_weight() -> None:
    model = Sum()
    injector = fw.Injector(model, torch.ones(1, 3))
    with injector.armed("weight-gradient:same[0,2] constant(9)"):
        model(torch.ones(1, 3)).sum().backward()
    expected = torch.ones(3, 3)
    expected[0, 2] = 9
    assert model.same.weight.grad is not None and torch.equal(model.same.weight.grad, expected)
    model.zero_grad()
    model(torch.ones(1, 3)).sum().backward()
    assert torch.equal(model.same.weight.grad, torch.ones(3, 3))


def test_without_a_backward_pass_it_has_missed() -> None:
    model = Sum()
    injector = fw.Injector(model, torch.ones(1, 3))
    scope = injector.armed("output-gradient:same[1] constant(5)")
    with pytest.raises(fw.IllegalFaultError, match="armed and hit nothing"), scope:
        model(torch.ones(1, 3))
