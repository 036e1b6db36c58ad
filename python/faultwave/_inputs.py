# SPDX-License-Identifier: Apache-2.0
"""The inputs that a campaign runs on, from what people have: tensors, lists, files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree
from torch.utils.data import DataLoader, Dataset

from faultwave import _core
from faultwave._datasets import open_dataset
from faultwave._errors import InputError, UsageError
from faultwave._network import Arguments

BatchAxes = Sequence[int] | Mapping[str, int] | None


@dataclass(frozen=True)
class Inputs:
    """Numbered inputs, with how a model is called with one."""

    core: _core.InputSet
    arguments: Arguments  # of tensors without meaning but for where they stand
    labels: list[int] | None = None  # where the inputs bring them
    path: str = ""

    def __len__(self) -> int:
        return len(self.core)


def _tensor(value: Any, what: str) -> torch.Tensor:
    """A tensor on the CPU, or InputError."""
    if not isinstance(value, torch.Tensor) and hasattr(value, "__array__"):
        value = torch.as_tensor(value)
    if not isinstance(value, torch.Tensor):
        raise InputError(f"{what} is a {type(value).__name__}: expected a tensor")
    if value.device.type == "meta":
        raise InputError(
            f"{what} is on the device 'meta', which holds no values: expected a tensor with data"
        )
    return value.detach().cpu()


def arguments_of(call: Any) -> Arguments:
    """How a model is called with one input: a tuple holds positional arguments, a dictionary keyword
    arguments, and anything else is the only argument."""
    if isinstance(call, Mapping):
        return Arguments((), call)
    return Arguments(call if isinstance(call, tuple) else (call,), {})


def _leaves(call: Any, what: str) -> list[torch.Tensor]:
    leaves = _pytree.tree_leaves(dict(call) if isinstance(call, Mapping) else call)
    if not leaves:
        raise InputError(f"{what} holds no tensor: expected a tensor, or a tuple or dictionary of tensors")
    return [_tensor(leaf, what) for leaf in leaves]


def _as_tensors(call: Any) -> Any:
    """The same with arrays as tensors, so that Arguments finds them."""
    return _pytree.tree_map(lambda leaf: torch.as_tensor(leaf) if hasattr(leaf, "__array__") else leaf, call)


def _axes_of(batch_axes: BatchAxes, call: Any, tensors: int) -> list[int] | None:
    if batch_axes is None:
        return None
    if isinstance(batch_axes, Mapping):
        if not isinstance(call, Mapping):
            raise UsageError(
                "batch_axes is a dictionary, and the inputs are none: give a list, one axis a tensor"
            )
        unknown = [name for name in batch_axes if name not in call]
        if unknown:
            raise UsageError(
                f"batch_axes names '{unknown[0]}', which is not among the inputs: {', '.join(call)}"
            )
        axes = [batch_axes.get(name, 0) for name in call]
    else:
        axes = list(batch_axes)
    if len(axes) != tensors:
        raise UsageError(
            f"batch_axes has {len(axes)} axes for {tensors} tensors: expected one each, -1 for none"
        )
    return axes


def _from_tensors(value: Any, batch_axes: BatchAxes) -> Inputs:
    """One tensor, or a tuple or dictionary of tensors, which count the inputs along an axis."""
    call = _as_tensors(value)
    tensors = _leaves(call, "inputs")
    axes = _axes_of(batch_axes, call, len(tensors)) or [0] * len(tensors)
    return Inputs(_core.inputs_from_tensors(tensors, axes), arguments_of(call))


def _from_list(values: Sequence[Any], batch_axes: BatchAxes) -> Inputs:
    """Inputs one by one, each what the model is called with."""
    if len(values) == 0:
        raise InputError("inputs is an empty list: expected at least one input")
    calls = [_as_tensors(value) for value in values]
    tensors = [_leaves(call, f"input {number}") for number, call in enumerate(calls)]
    axes = _axes_of(batch_axes, calls[0], len(tensors[0])) or []
    return Inputs(_core.inputs_from_list(tensors, axes), arguments_of(calls[0]))


def inputs_of(value: Any, batch_axes: BatchAxes, preprocess: _core.Preprocess) -> Inputs:
    """The inputs of a campaign. Raises InputError or UsageError, with what was expected."""
    if isinstance(value, Inputs):
        return value
    if isinstance(value, str | os.PathLike):
        path = os.fspath(value)
        core = _core.open_inputs(path, preprocess)
        return Inputs(core, Arguments((torch.empty(0),), {}), path=path)
    if isinstance(value, Dataset | DataLoader):
        if batch_axes is not None:
            raise UsageError(
                "batch_axes does not go with a data set: its items are put together along a new axis 0"
            )
        core, call, labels = open_dataset(value)
        return Inputs(core, arguments_of(call), labels)
    if isinstance(value, torch.Tensor | tuple | Mapping) or hasattr(value, "__array__"):
        return _from_tensors(value, batch_axes)
    if isinstance(value, list):
        return _from_list(value, batch_axes)
    raise InputError(
        f"inputs is a {type(value).__name__}: expected a tensor whose first axis counts inputs, a tuple or dictionary "
        "of such tensors, a list of inputs, a Dataset, a DataLoader, or the path of a file or folder of images"
    )


def inputs_of_core(core: _core.InputSet, path: str) -> Inputs:
    """Inputs of a file, for a network of a file, which knows by itself how it is called."""
    return Inputs(core, Arguments((), {}), path=path)


def in_order(value: Any, names: Sequence[str]) -> Any:
    """A dictionary of inputs in the order in which a network of a file takes them; anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    wrong = [name for name in value if name not in names] or [name for name in names if name not in value]
    if wrong:
        raise InputError(
            f"inputs and network do not agree on '{wrong[0]}': the network takes {', '.join(names)}"
        )
    return tuple(value[name] for name in names)


def labels_of(value: Any, inputs: int) -> list[int]:
    """The right class of each input. Raises InputError."""
    tensor = value if isinstance(value, torch.Tensor) else torch.as_tensor(value)
    is_integer = not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)
    if not is_integer or tensor.dim() != 1:
        raise InputError(
            f"labels are {str(tensor.dtype).removeprefix('torch.')} of shape {list(tensor.shape)}: expected one "
            f"integer for each of the {inputs} inputs, in one dimension"
        )
    if len(tensor) != inputs:
        raise InputError(f"there are {len(tensor)} labels for {inputs} inputs: expected one for each")
    return [int(label) for label in tensor.tolist()]
