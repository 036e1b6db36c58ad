# SPDX-License-Identifier: Apache-2.0
"""What a declaration returns: the model, with the faults armed around each forward."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, NoReturn

import torch
from torch import nn
from torch.utils import _pytree

import faultwave as fw
from faultwave.pytorchfi._errors import FaultyModelError
from faultwave.pytorchfi._neuron_injections import FunctionReceipt, Injection
from faultwave.pytorchfi._profile import Profiles, mode, unfused
from faultwave.pytorchfi._weight_injection import WeightInjection

_MAKE_UP = frozenset(vars(nn.Module()))  # what every module has, hooks among them


class Part(NamedTuple):
    """One declaration, and the profiles of the FaultInjection that it was made with."""

    injection: Injection
    profiles: Profiles


class FaultyModel(nn.Module):
    """A model with faults, for any number of forwards.

    It is no copy: its layers are those of the original model, which is never written to. Faults act within a
    call of it, on the calling thread, and nowhere else. `eval()` and `train()` say in which mode its own
    forwards run; the original keeps its mode.
    """

    def __init__(self, model: nn.Module, profiles: Profiles, injection: Injection) -> None:
        """`model`: the original, or a faulty model, whose faults then act as well."""
        super().__init__()
        earlier = model._parts if isinstance(model, FaultyModel) else []
        network = profiles.network
        self.__dict__.update(
            original_model=network,
            _profiles=profiles,
            _parts=[*earlier, Part(injection, profiles)],
            _is_armed=True,
            _mode=None,
            _receipts=[],
            _parameters=network._parameters,
            _buffers=network._buffers,
            _modules=network._modules,
            training=network.training,
        )

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """That of the original, for isinstance()."""
        return type(self.__dict__["original_model"])

    @property
    def faults(self) -> list[str]:
        """The fault lines that are armed, which Faultwave replays without this package.

        Those of functions are in the receipts, once the functions have run.
        """
        return [str(fault) for part in self._parts for fault in part.injection.faults(part.profiles.first)]

    @property
    def receipts(self) -> list[fw.Receipt | FunctionReceipt]:
        """What the faults did in the last forward: where, and which value before and after."""
        return list(self._receipts)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The model's result with the faults in it.

        Raises faultwave.IllegalFaultError if a fault hits nothing, as one in a batch element that is not
        there.
        """
        with self._armed(args, kwargs):
            return self.original_model(*args, **kwargs)

    @contextmanager
    def armed(self) -> Iterator[None]:
        """A scope in which the faults act in whatever runs the original model on this thread."""
        with self._armed((), {}):
            yield

    def disarm(self) -> None:
        """From now on it is the model without the fault that was declared last."""
        self.__dict__["_is_armed"] = False

    @contextmanager
    def _armed(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[None]:
        """Without arguments: for inputs of the shape that the FaultInjection was made with."""
        parts = self._parts if self._is_armed else self._parts[:-1]
        by_module = any(part.injection.is_in_neurons for part in parts)
        with ExitStack() as stack:
            stack.enter_context(mode(self.original_model, self._mode))
            stack.enter_context(unfused(self._profiles.fused if by_module else []))
            faults, written, profile = [], [], None
            for part in parts:
                profile = part.profiles.of(args, kwargs, by_module)
                faults += part.injection.faults(profile)
                written.append(stack.enter_context(part.injection.hooked(self.original_model, profile)))
            scope = stack.enter_context(profile.injector.armed(faults)) if faults and profile else None
            yield
            self.__dict__["_receipts"] = list(scope.receipts) if scope else []
            for receipts in written:
                self._receipts.extend(receipts)

    def __getattr__(self, name: str) -> Any:
        """Attributes of the original.

        Methods that it has beside those of nn.Module run with the faults armed if they are given a tensor.
        """
        own = self.__dict__
        for namespace in ("_parameters", "_buffers", "_modules"):
            if name in own.get(namespace, ()):
                return own[namespace][name]
        if "original_model" not in own or name.startswith("__"):
            raise AttributeError(name)
        value = getattr(own["original_model"], name)
        is_method = inspect.ismethod(value) and value.__self__ is own["original_model"]
        return self._with_faults(value) if is_method else value

    def _with_faults(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not any(isinstance(leaf, torch.Tensor) for leaf in _pytree.tree_leaves((args, kwargs))):
                return method(*args, **kwargs)
            with self.armed():
                return method(*args, **kwargs)

        return call

    # Python looks these up in the class; nn.Sequential and others have them.

    def __getitem__(self, key: Any) -> Any:
        return self.original_model[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.original_model)

    def __len__(self) -> int:
        return len(self.original_model)

    def __contains__(self, item: Any) -> bool:
        return item in self.original_model

    def __bool__(self) -> bool:
        return bool(self.original_model)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _MAKE_UP:
            self._refuse(f"setting its attribute {name}")
        object.__setattr__(self, name, value)

    def train(self, mode: bool = True) -> FaultyModel:
        """Chooses the mode of its own forwards. The original keeps its mode."""
        self.__dict__.update(training=mode, _mode=mode)
        return self

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """That of the original, with copies of the weights that have faults."""
        state = self.original_model.state_dict(*args, **kwargs)
        prefix = kwargs.get("prefix", "")
        for part in self._parts:
            if isinstance(part.injection, WeightInjection):
                for name, weight in part.injection.faulty_weights().items():
                    state[prefix + name] = weight
        return state

    def load_state_dict(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("load_state_dict()")

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> FaultyModel:
        for tensor in (*self.original_model.parameters(), *self.original_model.buffers()):
            if fn(tensor) is not tensor:
                self._refuse("moving or converting it")
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        self._refuse("copying it")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        self._refuse("pickling it")

    def _refuse(self, what: str) -> NoReturn:
        raise FaultyModelError(
            f"{what} would change or leave behind the original model, whose layers a faulty model shares; do "
            "it with the original model and declare the fault again"
        )
