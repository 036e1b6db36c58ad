# SPDX-License-Identifier: Apache-2.0
"""Error models: the built-in ones by their names, and a user's own."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from support.tiny_networks import Sum

import faultwave as fw


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (fw.flip(), "flip"),
        (fw.flip(3, 30), "flip(3,30)"),
        (fw.flip("int8:6"), "flip(int8:6)"),
        (fw.random_flips(2), "flip(any=2)"),
        (fw.burst(4), "burst(4)"),
        (fw.burst(4, start=20), "burst(4,start=20)"),
        (fw.stuck_at(0, 7), "stuck0(7)"),
        (fw.stuck_at(1), "stuck1"),
        (fw.random_value(-1, 1), "random(-1,1)"),
        (fw.zero(), "zero"),
        (fw.constant(float("inf")), "constant(inf)"),
        (fw.constant(0.1), "constant(0.1)"),
        (fw.noise(0.5), "noise(0.5)"),
        (fw.scale(2), "scale(2)"),
    ],
)
def test_names_and_texts(model: fw.ErrorModel, text: str) -> None:
    assert str(model) == text
    assert str(fw.ErrorModel(text)) == text


def test_a_wrong_argument() -> None:
    with pytest.raises(ValueError, match=r"stuck_at\(2\)"):
        fw.stuck_at(2)
    with pytest.raises(fw.UsageError):
        fw.random_flips(0)


def test_a_users_own() -> None:
    def double(values: torch.Tensor, context: fw.ErrorContext) -> torch.Tensor:
        assert values.dim() == 1 and context.site == "same" and context.dtype == torch.float32
        return values * 2

    model = fw.error_model("double", double)
    assert str(model) == "user(double)"
    net, x = Sum(), torch.tensor([[1.0, 2.0, 3.0]])
    injector = fw.Injector(net, x)
    assert injector.run("output:same[*] user(double)", x).item() == 12.0


def test_a_users_own_draws_from_the_key() -> None:
    fw.error_model("drawn", lambda values, context: torch.full_like(values, context.uniform()))
    net, x = Sum(), torch.ones(1, 3)
    injector = fw.Injector(net, x)

    def run(key: int) -> float:
        return float(injector.run(f"output:same[0] user(drawn)#{key}", x).item())

    assert run(1) == run(1) != run(2)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda values, context: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda values, context: 7, "it must return a tensor, and returned a int"),
        (lambda values, context: values.double(), "it must return a tensor like the one it gets"),
        (lambda values: values, "TypeError"),
    ],
)
def test_a_users_own_that_fails(function: object, message: str) -> None:
    fw.error_model("failing", function)  # type: ignore[arg-type]
    net, x = Sum(), torch.ones(1, 3)
    injector = fw.Injector(net, x)
    with pytest.raises(fw.IllegalFaultError, match="failing") as caught:
        injector.run("output:same[0] user(failing)", x)
    assert message in str(caught.value)
    if "ZeroDivision" in message:
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert net(x).item() == 3.0


def test_an_interruption_in_a_users_own_passes() -> None:
    def stop(values: torch.Tensor, context: fw.ErrorContext) -> torch.Tensor:
        raise KeyboardInterrupt

    fw.error_model("stop", stop)
    net, x = Sum(), torch.ones(1, 3)
    injector = fw.Injector(net, x)
    with pytest.raises(KeyboardInterrupt):
        injector.run("output:same[0] user(stop)", x)
    assert net(x).item() == 3.0


def test_names_that_are_taken() -> None:
    with pytest.raises(fw.UsageError, match="choose another name"):
        fw.error_model("flip", lambda values, context: values)


def test_a_program_ends_in_order_with_a_model_of_its_own_and_a_scope_left_open() -> None:
    program = (
        "import torch, faultwave as fw\n"
        "fw.error_model('mine', lambda values, context: values)\n"
        "net = torch.nn.Linear(3, 3)\n"
        "scope = fw.Injector(net, torch.ones(1, 3)).armed('output:linear[0] user(mine)')\n"
        "scope.__enter__()\n"
        "net(torch.ones(1, 3))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
