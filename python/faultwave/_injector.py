# SPDX-License-Identifier: Apache-2.0
"""The injector: knows a network's sites, and arms faults in it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

import torch

from faultwave import _core
from faultwave._core import ErrorModel, Fault, Receipt, Site
from faultwave._errors import UsageError
from faultwave._network import Arguments, PythonNetwork, check_devices, running_eagerly
from faultwave._sites import Sites

FaultLike = Fault | str
Faults = FaultLike | Iterable[FaultLike]


def faults_of(faults: Faults) -> list[Fault]:
    """Faults of one or several fault lines or Fault objects. A line may hold several, joined by `;`."""
    if isinstance(faults, Fault):
        return [faults]
    if isinstance(faults, str):
        return _core.parse_faults(faults)
    found: list[Fault] = []
    for fault in faults:
        if not isinstance(fault, Fault | str):
            raise UsageError(f"a fault is a fault line or a Fault, and {fault!r} is a {type(fault).__name__}")
        found += faults_of(fault)
    return found


def error_model_of(model: ErrorModel | str) -> ErrorModel:
    """An error model of itself or its text."""
    if isinstance(model, ErrorModel):
        return model
    # What a user's name stands for may change.
    return ErrorModel(model) if model.lstrip().startswith("user") else _built_in(model)


@functools.lru_cache(maxsize=64)
def _built_in(text: str) -> ErrorModel:
    return ErrorModel(text)


class Injector:
    """Knows a network's sites and arms faults in it. The network itself is never changed.

    Making one runs a dummy inference in eval mode, without gradients, and some more at twice the batch size to learn
    which axes grow with the batch. Training modes, buffers, attributes and random generators are afterwards as before.

    Args:
        model: an `nn.Module`, or any callable that runs modules on the calling thread.
        example: what the model is called with: tensors, or nested lists, tuples and dictionaries of them, and
            anything else, which stays as it is.
        modules: the modules that a callable runs, by the names in front of their sites, or the only one. Left out:
            the model itself, the module whose method it is, or those in the variables of a function.
        batch_axes: along which axis each tensor of the example counts the batch, -1 for one that is the same for all
            of it. Left out: axis 0 of each tensor that is as long there as the first.
        kwargs: keyword arguments that the model is called with.

    Raises:
        NetworkError: the model cannot be run on the example.
        InputError: the example lies on another device than the model.

    Example:
        >>> import torch, faultwave as fw
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
        >>> injector = fw.Injector(model, torch.ones(1, 4))
        >>> with injector.armed("output:0[2] constant(7)"):
        ...     print(model(torch.ones(1, 4))[0, 2].item())
        7.0
    """

    def __init__(
        self,
        model: Callable[..., Any],
        /,
        *example: Any,
        modules: torch.nn.Module | Mapping[str, torch.nn.Module] | None = None,
        batch_axes: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        if not callable(model):
            raise UsageError(
                f"the model is a {type(model).__name__}, which cannot be called; give an nn.Module"
            )
        arguments = Arguments(example, kwargs)
        self._network = PythonNetwork(model, arguments, modules)
        check_devices(self._network, arguments.tensors)
        with self._network.profiled():
            self._core = _core.Injector(self._network.core, arguments.tensors, list(batch_axes or []))

    @property
    def model(self) -> Callable[..., Any]:
        """The model that it was made for."""
        return self._network.model

    @property
    def sites(self) -> Sites:
        """All sites, in execution order; weights, biases and buffers before the operator that reads them first."""
        return Sites(self._core.sites)

    def site(self, name: str, kind: str = "output") -> Site:
        """The site of a name. Raises IllegalFaultError with near names if there is none."""
        return self._core.site(kind, name)

    def select(self, globs: str | Sequence[str] = (), kind: str = "output") -> Sites:
        """Sites of a kind whose name matches one of the globs (`*`, `?`, `[a-z]`); the default ones of the kind if
        none is given."""
        return Sites(self._core.select(kind, [globs] if isinstance(globs, str) else list(globs)))

    @property
    def batch(self) -> int:
        """The batch size of the example."""
        return self._core.batch

    @property
    def batch_is_free(self) -> bool:
        """Whether the network ran at another batch size than the example's."""
        return self._core.batch_is_free

    def calibrate(self, inputs: Iterable[Any]) -> None:
        """Records the largest absolute value of each site over these inputs, for INT8 emulation.

        Each input is what the model is called with, a tuple where it takes several; the example has been recorded
        already.
        """
        all_tensors = []
        for args in inputs:
            all_tensors.append(Arguments(args if isinstance(args, tuple) else (args,), {}).tensors)
        with self._network.profiled():
            self._core.calibrate(all_tensors)

    def learn(self, loop: Callable[[], Any]) -> None:
        """Runs `loop`, code of your own around forwards of the model, and learns from it what the example does not
        tell: which axes of sites have other lengths in other forwards (Site.free_axes), as those of a decoder's steps.

        Afterwards a fault may name an index on such an axis beyond the example's length. State, modes and random
        generators are as before.
        """
        with self._network.profiled():
            self._core.learn(loop)

    def int8_scale(self, site: Site) -> float | None:
        """Largest absolute value / 127; None for a site that was never finite or is not floating point."""
        return self._core.int8_scale(site)

    def resolve(self, fault: FaultLike) -> Fault:
        """Checks a fault against the profile and fills in what is left to draw, with the fault's own key: what a
        receipt prints. Raises IllegalFaultError."""
        return self._core.resolve(Fault(fault) if isinstance(fault, str) else fault)

    def random_fault(self, kind: str, model: ErrorModel | str, key: int | None = None) -> Fault:
        """A fault at one random value of the default sites of a kind, layer first, drawn with `key`; without one,
        with a fresh key of the system's entropy."""
        return self._core.random_fault(kind, error_model_of(model), key)

    def random_neuron(self, model: ErrorModel | str = "flip", key: int | None = None) -> Fault:
        """A fault at one random neuron; see random_fault."""
        return self.random_fault("output", model, key)

    def random_weight(self, model: ErrorModel | str = "flip", key: int | None = None) -> Fault:
        """A fault at one random weight; see random_fault."""
        return self.random_fault("weight", model, key)

    def armed(self, *faults: Faults) -> Armed:
        """A scope in which the faults act, in every forward of the network on this thread.

        Raises IllegalFaultError before anything is armed, and at the end of the scope if a fault hit nothing.
        """
        return Armed(self, [fault for given in faults for fault in faults_of(given)])

    def run(self, faults: Faults, /, *args: Any, **kwargs: Any) -> Any:
        """The model's result on these arguments with the faults armed. What it writes to its buffers and attributes
        meanwhile is put back."""
        scope = _core.StateScope(self._core)
        try:
            with self.armed(faults):
                result = self.model(*args, **kwargs)
            return _detached(scope, result)
        finally:
            scope.put_back()


def _detached(scope: _core.StateScope, result: Any) -> Any:
    """The result, copied where it lies in memory that is put back."""
    if isinstance(result, torch.Tensor):
        return scope.detach(result)
    return torch.utils._pytree.tree_map_only(torch.Tensor, scope.detach, result)


class Armed:
    """Faults that are armed on the thread that entered the scope, from its beginning to its end.

    Other threads are not affected and may arm faults of their own. One scope at a time per thread: give all faults of
    a trial to one. A scope must not be left open across an `await`: other tasks of the thread would run with the
    fault, so it is disarmed then, and its end raises UsageError.
    """

    __slots__ = ("_injector", "_faults", "_core", "_eagerly", "_tick", "_was_awaited")

    def __init__(self, injector: Injector, faults: list[Fault]) -> None:
        self._injector = injector
        self._faults = faults
        self._core: _core.Armed | None = None
        self._tick: asyncio.Handle | None = None
        self._was_awaited = False

    def __enter__(self) -> Armed:
        if self._core is not None:
            raise UsageError("this scope was entered before; make a new one with Injector.armed()")
        self._eagerly = running_eagerly()
        self._core = _core.Armed(self._injector._core, self._faults)
        self._eagerly.__enter__()
        loop = asyncio._get_running_loop()
        if loop is not None:
            self._tick = loop.call_soon(self._awaited)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._core is not None
        self._eagerly.__exit__(None, None, None)
        if self._tick is not None:
            self._tick.cancel()
        if self._was_awaited:
            raise UsageError(
                "faults were armed across an await, where other tasks of this thread would run with them, so they "
                "were disarmed; leave the scope before awaiting, or run it in a thread of its own"
            )
        if error is None:
            self._core.disarm()
        else:
            self._core.disarm_after_error()

    def _awaited(self) -> None:
        # The event loop runs this only if the task gave way within the scope.
        assert self._core is not None
        self._was_awaited = True
        self._core.abandon()

    @property
    def faults(self) -> list[Fault]:
        """The faults, as given."""
        return list(self._faults)

    @property
    def missed(self) -> list[str]:
        """Lines of the faults that have hit nothing so far."""
        return self._core.missed() if self._core is not None else [str(fault) for fault in self._faults]

    @property
    def receipts(self) -> list[Receipt]:
        """One receipt a fault, in the order given. Waits for the device if the network runs on one."""
        return self._core.receipts() if self._core is not None else []
