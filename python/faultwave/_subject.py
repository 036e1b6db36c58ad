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
from faultwave._network import Arguments, PythonNetwork, running_eagerly

Model = Callable[..., Any] | Injector | str | os.PathLike[str]
Modules = torch.nn.Module | Mapping[str, torch.nn.Module] | None


class Subject(Protocol):
    """A network as a campaign sees it."""

    core: _core.Network
    path: str  # "" for a model in memory
    fingerprint: str  # of its file; "" for a model in memory, whose values tell

    def device(self) -> str:
        """Where it is, and inputs have to be."""

    def opening(self) -> AbstractContextManager[None]:
        """Around what profiles it."""

    def running(self) -> AbstractContextManager[None]:
        """Around what runs it."""


@contextmanager
def _without_autocast_cache() -> Iterator[None]:
    """A weight that autocast has cached would stand for the faulty one."""
    was_enabled = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    torch.clear_autocast_cache()
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(was_enabled)


class ModelInMemory:
    """An `nn.Module`, or any callable that runs modules on the calling thread."""

    path = ""
    fingerprint = ""

    def __init__(self, model: Callable[..., Any], arguments: Arguments, modules: Modules) -> None:
        self._network = PythonNetwork(model, arguments, modules)
        self.core: _core.Network = self._network.core

    def device(self) -> str:
        return str(self._network.device())

    @contextmanager
    def opening(self) -> Iterator[None]:
        with _without_autocast_cache(), torch.no_grad(), self._network.profiled():
            yield

    @contextmanager
    def running(self) -> Iterator[None]:
        with _without_autocast_cache(), torch.no_grad(), running_eagerly():
            yield


class ModelFile:
    """An exported program or a TorchScript archive, which C++ runs without Python."""

    def __init__(self, path: str, device: str, dtype: str) -> None:
        self.path = path
        self._device = device
        self.core = _core.open_network(path, device, getattr(torch, dtype) if dtype else None)
        self.fingerprint = _core.file_fingerprint(path)

    def device(self) -> str:
        return self._device

    def opening(self) -> AbstractContextManager[None]:
        return nullcontext()

    def running(self) -> AbstractContextManager[None]:
        return nullcontext()


def subject_of(model: Model, arguments: Arguments, modules: Modules, device: str | None, dtype: str) -> Subject:
    """The network of what a user gave as a model. Raises UsageError, InputError, NetworkError."""
    if isinstance(model, str | os.PathLike):
        if modules is not None:
            raise UsageError("modules= goes with a model in memory: the network of a file names its modules itself")
        return ModelFile(os.fspath(model), device or "cpu", dtype)
    if isinstance(model, Injector):
        return ModelInMemory(model.model, arguments, modules if modules is not None else model._network.roots)
    if not callable(model):
        raise UsageError(
            f"the model is a {type(model).__name__}, which cannot be called: give an nn.Module, a function, or the "
            "path of an exported program (.pt2) or TorchScript archive (.pt)"
        )
    return ModelInMemory(model, arguments, modules)
