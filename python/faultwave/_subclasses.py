# SPDX-License-Identifier: Apache-2.0
"""Parameters that are tensor subclasses, such as torchao's quantised weights, as the plain tensors they are made of."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import is_traceable_wrapper_subclass


class _Rebuilt(torch.nn.Module):
    """The subclass made of its plain tensors, whose names lead to them: "tensor_impl.int_data"."""

    def __init__(self, tensor: Any) -> None:
        super().__init__()
        self._type = type(tensor)
        names, self._context = tensor.__tensor_flatten__()
        self._size, self._stride = tensor.size(), tensor.stride()
        self._inner: dict[str, _Rebuilt | None] = {}
        for name in names:
            inner = getattr(tensor, name)
            self._inner[name] = _Rebuilt(inner) if is_traceable_wrapper_subclass(inner) else None

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        return self._rebuild(list(tensors))

    def _rebuild(self, tensors: list[torch.Tensor]) -> torch.Tensor:
        inner = {
            name: part._rebuild(tensors) if part else tensors.pop(0) for name, part in self._inner.items()
        }
        rebuilt: torch.Tensor = self._type.__tensor_unflatten__(
            inner, self._context, self._size, self._stride
        )
        return rebuilt

    def right_inverse(self, tensor: Any) -> list[torch.Tensor]:
        plain: list[torch.Tensor] = []
        for name, part in self._inner.items():
            inner = getattr(tensor, name)
            plain += part.right_inverse(inner) if part else [inner]
        return plain


def parameters(model: torch.nn.Module) -> list[str]:
    """Names of the parameters that are wrapper subclasses."""
    return [name for name, parameter in model.named_parameters() if is_traceable_wrapper_subclass(parameter)]


def unwrap(model: torch.nn.Module) -> None:
    """Makes these parameters, in place, computed ones of plain parameters."""
    for module in list(model.modules()):
        for name, parameter in list(module.named_parameters(recurse=False)):
            if is_traceable_wrapper_subclass(parameter):
                parametrize.register_parametrization(module, name, _Rebuilt(parameter), unsafe=True)


def is_unwrapped(model: torch.nn.Module) -> bool:
    """Whether unwrap() has changed it."""
    return any(isinstance(module, _Rebuilt) for module in model.modules())
