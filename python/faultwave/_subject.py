# SPDX-License-Identifier: Apache-2.0
"""What a campaign runs: a model in Python, or the file of a network that C++ runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import torch

from faultwave import _core
from faultwave._errors import UsageError
from faultwave._injector import Injector
from faultwave._network import Arguments, PythonNetwork, running_eagerly, without_autocast_cache

Model = Callable[..., Any] | Injector | str | os.PathLike[str]
Modules = torch.nn.Module | Mapping[str, torch.nn.Module] | None


class Subject(Protocol):
    """A network as a campaign sees it."""

    core: _core.Network
    path: str  # "" for a model in memory
    fingerprint: str  # of its file; "" for a model in memory, whose values tell

    def opening(self) -> AbstractContextManager[None]:
        """Around what profiles it."""

    def running(self) -> AbstractContextManager[None]:
        """Around what runs it."""


class ModelInMemory:
    """An `nn.Module`, or any callable that runs modules on the calling thread."""

    path = ""
    fingerprint = ""

    def __init__(self, model: Callable[..., Any] | Injector, arguments: Arguments, modules: Modules) -> None:
        if isinstance(model, Injector):
            modules = model._network.roots if modules is None else modules
            model = model.model
        if not callable(model):
            raise UsageError(
                f"the model is a {type(model).__name__}, which cannot be called: give an nn.Module, a function, "
                "or the path of an exported program (.pt2) or TorchScript archive (.pt)"
            )
        self._network = PythonNetwork(model, arguments, modules)
        self.core: _core.Network = self._network.core

    def device(self) -> str:
        """Where its parameters are."""
        return str(self._network.device())

    @contextmanager
    def opening(self) -> Iterator[None]:
        with torch.no_grad(), self._network.profiled():
            yield

    @contextmanager
    def running(self) -> Iterator[None]:
        with without_autocast_cache(), torch.no_grad(), running_eagerly():
            yield


class ModelFile:
    """An exported program or a TorchScript archive, which C++ runs without Python."""

    def __init__(self, path: str, core: _core.Network, fingerprint: str) -> None:
        self.path = path
        self.core = core
        self.fingerprint = fingerprint

    def opening(self) -> AbstractContextManager[None]:
        return nullcontext()

    def running(self) -> AbstractContextManager[None]:
        return nullcontext()
