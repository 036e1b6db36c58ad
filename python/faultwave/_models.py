# SPDX-License-Identifier: Apache-2.0
"""Error models by the names that fault lines have. Wherever one is taken, its text is taken too."""

from __future__ import annotations

from collections.abc import Callable

import torch

from faultwave import _core
from faultwave._core import ErrorContext, ErrorModel

# What error_model() made, by the text of the model: for other processes.
user_functions: dict[str, Callable[[torch.Tensor, ErrorContext], torch.Tensor]] = {}

UserFunction = Callable[[torch.Tensor, ErrorContext], torch.Tensor]


def _model(name: str, *arguments: object, **options: object) -> ErrorModel:
    given = [_text(argument) for argument in arguments]
    given += [f"{option}={_text(value)}" for option, value in options.items() if value is not None]
    return ErrorModel(f"{name}({','.join(given)})" if given else name)


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def flip(*bits: int | str) -> ErrorModel:
    """Flips these bits, 0 the lowest; one drawn bit without any. `flip("int8:6")` flips a bit of another format."""
    return _model("flip", *bits)


def random_flips(count: int) -> ErrorModel:
    """Flips that many different bits, drawn."""
    return _model("flip", any=count)


def burst(length: int, start: int | None = None) -> ErrorModel:
    """Flips adjacent bits, from `start` up; from a drawn one without."""
    return _model("burst", length, start=start)


def stuck_at(value: int, bit: int | None = None) -> ErrorModel:
    """Bit `bit`, or a drawn one, becomes 0 or 1."""
    if value not in (0, 1):
        raise ValueError(f"stuck_at({value}): expected 0 or 1")
    return _model(f"stuck{value}", *([] if bit is None else [bit]))


def random_value(low: float, high: float) -> ErrorModel:
    """A value drawn uniformly from [low, high); for integers from {low, ..., high}."""
    return _model("random", low, high)


def zero() -> ErrorModel:
    """The value becomes 0."""
    return _model("zero")


def constant(value: float) -> ErrorModel:
    """The value becomes this one; inf and nan are allowed for floating point."""
    return _model("constant", value)


def noise(sigma: float) -> ErrorModel:
    """Gaussian noise of mean 0 and standard deviation `sigma` is added."""
    return _model("noise", sigma)


def scale(factor: float) -> ErrorModel:
    """The value is multiplied."""
    return _model("scale", factor)


def error_model(name: str, function: UserFunction) -> ErrorModel:
    """An error model of your own, known from now on as `user(name)` in fault lines.

    Args:
        name: a letter, then letters, digits and underscores.
        function: takes the values that are hit (1-D CPU tensor of the site's type) and an ErrorContext (site, dtype,
            INT8 scale, and random numbers of the fault's key), and returns the new values, of the same shape and
            type. It may be called from several threads.
    """
    model = _core.user_error_model(name, function)
    user_functions[str(model)] = function
    return model
