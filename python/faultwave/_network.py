# SPDX-License-Identifier: Apache-2.0
"""A Python model as the core sees it: a function of flat tensors, with parameters, buffers and modes."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch.utils import _pytree

from faultwave import _core, _modules, _state
from faultwave._errors import InputError, NetworkError

Leaf = torch.Tensor | int | float | bool


def flatten_outputs(value: Any) -> list[Leaf]:
    """Tensors and numbers of a model's result, in order.

    Containers and data classes may nest; None and text are left out. Of other objects, such as a cache of keys and
    values, the tensors in their attributes count.
    """
    leaves: list[Leaf] = []
    for leaf in _pytree.tree_leaves(value):
        if isinstance(leaf, torch.Tensor | bool | int | float):
            leaves.append(leaf)
        elif dataclasses.is_dataclass(leaf) and not isinstance(leaf, type):
            leaves += flatten_outputs(
                {field.name: getattr(leaf, field.name) for field in dataclasses.fields(leaf)}
            )
        elif leaf is not None and not isinstance(leaf, str):
            tensors = _tensors_within(leaf, set())
            if not tensors:
                raise NetworkError(
                    f"the network returns a {type(leaf).__name__}, which is neither a tensor nor a container of them; "
                    "wrap the model in a function that returns tensors"
                )
            leaves += tensors
    return leaves


def _tensors_within(value: Any, seen: set[int]) -> list[torch.Tensor]:
    """Tensors in the attributes of an object, each object looked at once."""
    if isinstance(value, torch.Tensor):
        return [value]
    if id(value) in seen or isinstance(value, type | torch.nn.Module):
        return []
    seen.add(id(value))
    parts: Iterable[Any] = []
    if isinstance(value, list | tuple):
        parts = value
    elif isinstance(value, dict):
        parts = value.values()
    elif hasattr(value, "__dict__") and not callable(value):
        parts = list(vars(value).values())
    return [tensor for part in parts for tensor in _tensors_within(part, seen)]


def running_eagerly() -> AbstractContextManager[Any]:
    """While it lasts, what torch.compile has compiled runs eagerly: no operator of compiled code can be seen."""
    if "torch._dynamo" not in sys.modules:
        return nullcontext()  # nothing is compiled yet
    stance: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance


@contextmanager
def without_autocast_cache() -> Iterator[None]:
    """While it lasts, no weight that autocast has cached stands for another."""
    was_enabled = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    torch.clear_autocast_cache()
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(was_enabled)


class Arguments:
    """The arguments of a call as flat tensors and all the rest."""

    def __init__(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        leaves, self._structure = _pytree.tree_flatten((tuple(args), dict(kwargs)))
        self.tensors: list[torch.Tensor] = []
        self._others: list[Any] = []
        for leaf in leaves:
            is_tensor = isinstance(leaf, torch.Tensor)
            if is_tensor:
                self.tensors.append(leaf)
            self._others.append(_TENSOR if is_tensor else leaf)

    def filled(self, tensors: Sequence[torch.Tensor]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments and keyword arguments, with these tensors in place of those of the example."""
        following = iter(tensors)
        leaves = [next(following) if leaf is _TENSOR else leaf for leaf in self._others]
        args, kwargs = _pytree.tree_unflatten(leaves, self._structure)
        return args, kwargs

    def names(self, model: Callable[..., Any]) -> list[str]:
        """What the tensors are called: the parameter of the model's forward, and the way from there."""
        leaves, _ = _pytree.tree_flatten_with_path(self.filled(range(len(self.tensors))))  # type: ignore[arg-type]
        parameters = _parameter_names(model)
        names = []
        for (path, _), leaf in zip(leaves, self._others):
            if leaf is _TENSOR:
                names.append(_input_name(path, parameters))
        return names


_TENSOR = object()


def _parameter_names(model: Callable[..., Any]) -> list[str]:
    function = model.forward if isinstance(model, torch.nn.Module) else model
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind in positional]


def _input_name(path: Sequence[Any], parameters: Sequence[str]) -> str:
    # The first step says whether it is a positional or a keyword argument, the second which.
    keys = [getattr(step, "key", getattr(step, "idx", getattr(step, "name", step))) for step in path]
    is_keyword, first, rest = keys[0] == 1, keys[1], keys[2:]
    if not is_keyword and first < len(parameters):
        first = parameters[first]
    return ".".join(str(key) for key in (first, *rest))


class PythonNetwork:
    """What the core asks of a model in Python (python/src/python_network.h)."""

    def __init__(
        self,
        model: Callable[..., Any],
        arguments: Arguments,
        modules: torch.nn.Module | Mapping[str, torch.nn.Module] | None,
    ) -> None:
        self.model = model
        self.arguments = arguments
        self.input_names = arguments.names(model)
        self.roots = _modules.roots_of(model, modules)
        self.modules = _modules.all_modules(self.roots)
        self._attributes = _state.Attributes(self.modules.values())
        self.core = _core.PythonNetwork(
            self,
            parameters=self._tensors(torch.nn.Module.named_parameters),
            buffers=self._tensors(torch.nn.Module.named_buffers) + _state.attribute_tensors(self.modules),
            input_names=self.input_names,
        )

    def _tensors(
        self, named: Callable[..., Iterator[tuple[str, torch.Tensor]]]
    ) -> list[tuple[str, torch.Tensor]]:
        """Tensors of all modules, those that several modules share under each of their names."""
        return [
            item
            for prefix, root in self.roots.items()
            for item in named(root, prefix=prefix, remove_duplicate=False)
        ]

    # What the core calls.

    def forward(self, tensors: list[torch.Tensor]) -> list[Leaf]:
        args, kwargs = self.arguments.filled(tensors)
        return flatten_outputs(self.model(*args, **kwargs))

    def enter_eval(self) -> Callable[[], None] | None:
        # A frozen TorchScript module has no mode any more.
        training = [module for module in self.modules.values() if getattr(module, "training", False)]
        if not training:
            return None
        for module in training:
            module.training = False

        def go_back() -> None:
            for module in training:
                module.training = True

        return go_back

    def keep_state(self) -> Callable[[], None] | None:
        return self._attributes.keep() if self.modules else None

    # For the package.

    @contextmanager
    def profiled(self) -> Iterator[None]:
        """Around what profiles the network: names of modules are told, compiled code runs eagerly, and weights that
        autocast has cached do not stand for others."""
        with running_eagerly(), without_autocast_cache(), _modules.watching(self.modules, self.core):
            yield

    def device(self) -> torch.device:
        """Where the parameters are; the CPU for a network without any."""
        for root in self.roots.values():
            for parameter in root.parameters():
                return parameter.device
        return torch.device("cpu")


def check_devices(network: PythonNetwork, tensors: Sequence[torch.Tensor]) -> None:
    """Raises InputError if the example lies elsewhere than the model."""
    device = network.device()
    for name, tensor in zip(network.input_names, tensors):
        if tensor.device != device:
            raise InputError(
                f"the example input '{name}' is on {tensor.device} and the network on {device}; move one of them"
            )
