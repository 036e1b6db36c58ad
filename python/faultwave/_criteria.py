# SPDX-License-Identifier: Apache-2.0
"""Criteria of one's own: Python functions that say what counts as an error.

A wave gives outputs that are those of a real faulty run but for rounding. Where that may decide, a trial is
run again as a real faulty run, which takes as long as a forward of the model; so a criterion should know its
border, the outputs at which its answer changes. One of a margin and a threshold finds it by itself.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from faultwave import _core
from faultwave._core import Criterion
from faultwave._errors import UsageError

# What criterion() was called with, by name: for other processes.
own: dict[str, tuple[Any, ...]] = {}

Outputs = torch.Tensor | list[torch.Tensor]
Fires = Callable[..., bool]
Margin = Callable[..., torch.Tensor | float]
NearBorder = Callable[..., bool]

# Beyond the first-order bound of how far rounding moves a margin, for what it leaves out.
_SAFETY = 2.0


def criterion(
    name: str,
    function: Fires | None = None,
    *,
    margin: Margin | None = None,
    threshold: float | None = None,
    near_border: NearBorder | None = None,
) -> Criterion:
    """A criterion of your own. Give either `function`, or `margin` and `threshold`.

    All functions are called with the golden and the faulty output of one batch element, without the batch
    axis, on the CPU: a tensor where the model returns one, else the list of all. A parameter named `label`
    gets the right class of the input, or None. They are called for outputs that differ in at least one bit,
    and must not change them.

    Args:
        name: a letter, then letters, digits and underscores: the column's name.
        function: returns whether the outputs count as an error. Without `near_border` each trial whose output
            is not golden bit for bit is decided by a real faulty run, which takes as long as a forward.
        margin: returns a number, and the criterion fires where it is at least `threshold` (NaN fires, too).
            It must be continuous, and built of torch's differentiable operations: how far rounding may move
            it is taken from its gradient, sum |d margin / d output| x largest move of the output, twice.
            Where it has none, a real faulty run decides.
        threshold: of the margin.
        near_border: `(golden, faulty, rounding) -> bool`: whether the answer could be another one if each
            finite output value, golden or faulty, moved by `rounding`, in parts of the largest magnitude of
            its output.

    Raises:
        UsageError: the name is one of Faultwave's or is none, or the functions do not fit together.

    Example:
        >>> far = fw.criterion(
        ...     "mse", margin=lambda golden, faulty: (golden - faulty).square().mean(), threshold=0.1
        ... )
        >>> fw.Campaign(model, images, criteria=["top1", far], trials=1000).criteria
        ['top1', 'mse']
    """
    own[name] = (name, function, margin, threshold, near_border)
    if (function is None) == (margin is None):
        raise UsageError(f"criterion '{name}': give either a function, or margin= and threshold=")
    if margin is not None:
        if threshold is None or near_border is not None:
            raise UsageError(
                f"criterion '{name}': margin= goes with threshold=, and finds its border by itself"
            )
        return _of_margin(name, margin, float(threshold))
    if threshold is not None:
        raise UsageError(f"criterion '{name}': threshold= goes with margin=")
    assert function is not None
    border = None if near_border is None else _near_function(name, near_border)
    return _core.own_criterion(name, _fires_function(name, function), border)


def remade(name: str, function: Any, margin: Any, threshold: Any, near_border: Any) -> Criterion:
    """The same criterion again, in another process."""
    return criterion(name, function, margin=margin, threshold=threshold, near_border=near_border)


def criterion_of(value: Criterion | str) -> Criterion:
    """A criterion of itself or its text."""
    if isinstance(value, Criterion):
        return value
    if isinstance(value, str):
        return _core.parse_criterion(value)
    raise UsageError(f"a criterion is a text such as 'top1' or fw.criterion(...), and {value!r} is neither")


def _takes_label(name: str, function: Callable[..., Any]) -> bool:
    if not callable(function):
        raise UsageError(f"criterion '{name}': expected a function, and got a {type(function).__name__}")
    try:
        return "label" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # a builtin
        return False


def _one_or_all(outputs: Sequence[torch.Tensor]) -> Any:
    return outputs[0] if len(outputs) == 1 else list(outputs)


def _truth(name: str, answer: Any) -> bool:
    is_one = isinstance(answer, torch.Tensor) and answer.numel() == 1
    if isinstance(answer, bool) or is_one or type(answer).__name__ in ("bool_", "bool"):
        return bool(answer)
    raise TypeError(f"it must return True or False, and returned a {type(answer).__name__}")


def _fires_function(name: str, function: Fires) -> Callable[..., bool]:
    takes_label = _takes_label(name, function)

    def fires(golden: list[torch.Tensor], faulty: list[torch.Tensor], label: int | None, _: None) -> bool:
        options = {"label": label} if takes_label else {}
        return _truth(name, function(_one_or_all(golden), _one_or_all(faulty), **options))

    return fires


def _near_function(name: str, near_border: NearBorder) -> Callable[..., bool]:
    takes_label = _takes_label(name, near_border)

    def near(
        golden: list[torch.Tensor], faulty: list[torch.Tensor], label: int | None, rounding: float
    ) -> bool:
        options = {"label": label} if takes_label else {}
        return _truth(name, near_border(_one_or_all(golden), _one_or_all(faulty), rounding, **options))

    return near


def _largest(tensor: torch.Tensor) -> float:
    """The largest finite magnitude; 0 where there is none."""
    if tensor.numel() == 0:
        return 0.0
    largest = float(tensor.detach().abs().max())
    if math.isfinite(largest):
        return largest
    finite = tensor.detach()[tensor.detach().isfinite()]
    return float(finite.abs().max()) if finite.numel() > 0 else 0.0


def _with_gradient(outputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    return [output.detach().requires_grad_(output.is_floating_point()) for output in outputs]


def _of_margin(name: str, margin: Margin, threshold: float) -> Criterion:
    takes_label = _takes_label(name, margin)

    def value(golden: list[torch.Tensor], faulty: list[torch.Tensor], label: int | None) -> torch.Tensor:
        options = {"label": label} if takes_label else {}
        result = torch.as_tensor(margin(_one_or_all(golden), _one_or_all(faulty), **options))
        if result.numel() != 1 or result.is_complex():
            raise TypeError(f"the margin must be one number, and is a tensor of shape {list(result.shape)}")
        return result.reshape(())

    def fires(golden: list[torch.Tensor], faulty: list[torch.Tensor], label: int | None, _: None) -> bool:
        with torch.no_grad():
            return not float(value(golden, faulty, label)) < threshold

    def near(
        golden: list[torch.Tensor], faulty: list[torch.Tensor], label: int | None, rounding: float
    ) -> bool:
        with torch.enable_grad():
            before, after = _with_gradient(golden), _with_gradient(faulty)
            result = value(before, after, label)
            if not result.requires_grad:
                return True
            leaves = [leaf for leaf in before + after if leaf.requires_grad]
            slopes = torch.autograd.grad(result, leaves, allow_unused=True)
        moves = [rounding * max(_largest(one), _largest(other)) for one, other in zip(golden, faulty)]
        of_leaf = {id(leaf): move for side in (before, after) for leaf, move in zip(side, moves)}
        reach = 0.0
        for leaf, slope in zip(leaves, slopes):
            if slope is not None:
                reach += of_leaf[id(leaf)] * float(slope.abs().sum(dtype=torch.float64))
        distance = abs(float(result.detach()) - threshold)
        # Also where one of them is NaN: nothing is known then.
        return not distance > _SAFETY * reach

    return _core.own_criterion(name, fires, near)
