# SPDX-License-Identifier: Apache-2.0
"""What modules hold beside parameters: which objects their attributes are, so that it can be put back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

# Attributes of every module that are its make-up, and change only when a user changes the model.
_MAKE_UP = frozenset(vars(torch.nn.Module()))


def _containers(value: Any) -> Iterable[Any]:
    """The lists and dictionaries within a value, itself among them."""
    if type(value) in (list, dict):
        yield value
    if type(value) in (list, tuple):
        for element in value:
            yield from _containers(element)
    elif type(value) is dict:
        for element in value.values():
            yield from _containers(element)


def attribute_tensors(modules: dict[str, torch.nn.Module]) -> list[tuple[str, torch.Tensor]]:
    """Tensors that are plain attributes of modules, by dotted path: no parameters, no buffers, but part of what a
    forward may read and write."""
    tensors = []
    for path, module in modules.items():
        for name, value in vars(module).items():
            if name not in _MAKE_UP and isinstance(value, torch.Tensor):
                tensors.append((f"{path}.{name}" if path else name, value))
    return tensors


class Attributes:
    """Which objects the attributes and buffers of modules hold.

    A forward may replace a buffer by another tensor, append to a list, or count in an attribute. Values of tensors
    that are written to in place are not kept here.
    """

    def __init__(self, modules: Iterable[torch.nn.Module]) -> None:
        self._namespaces: list[dict[str, Any]] = []
        for module in modules:
            self._namespaces.append(module._buffers)
            self._namespaces.append(vars(module))

    def keep(self) -> Callable[[], None]:
        """Remembers them, and returns what puts them back."""
        kept = [dict(namespace) for namespace in self._namespaces]
        contents = self._contents(kept)

        def put_back() -> None:
            for namespace, before in zip(self._namespaces, kept):
                if "training" in before:
                    before["training"] = namespace["training"]  # the mode is the caller's, not state
                _restore(namespace, before)
            for container, before in contents:
                if type(container) is list:
                    container[:] = before
                else:
                    _restore(container, before)

        return put_back

    @staticmethod
    def _contents(kept: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
        contents = []
        for namespace in kept:
            for name, value in namespace.items():
                if name not in _MAKE_UP and type(value) in (list, tuple, dict):
                    contents += [(container, container.copy()) for container in _containers(value)]
        return contents


def _restore(namespace: dict[Any, Any], before: dict[Any, Any]) -> None:
    if len(namespace) == len(before) and all(namespace.get(name, before) is before[name] for name in before):
        return
    for name in namespace.keys() - before.keys():
        del namespace[name]
    namespace.update(before)
