# SPDX-License-Identifier: Apache-2.0
"""What a declaration of neuron faults asks for: values, or a function that is called as a hook."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from torch import nn
from torch.utils import _pytree

import faultwave as fw
from faultwave.pytorchfi._errors import OutOfBoundsError
from faultwave.pytorchfi._layers import LayerTypes, OutputLayer, output_modules
from faultwave.pytorchfi._places import Index, neuron_line
from faultwave.pytorchfi._profile import Profile, first_tensor

Hook = Callable[[nn.Module, Any, Any], Any]


@dataclass(frozen=True)
class Victim:
    """One value that was hit."""

    index: Index  # in the layer's output, batch axis included
    before: float
    after: float


@dataclass(frozen=True)
class FunctionReceipt:
    """What a function of the user's did at a place that was declared.

    It has the fields of `faultwave.Receipt` that can be told from outside of the function.
    """

    fault: str  # a fault line that does the same; "" where the layer has no site
    kind: str
    site: str
    hits: int
    victims: list[Victim]


class Injection(Protocol):
    """Acts around each forward of a faulty model."""

    is_in_neurons: bool  # else in weights

    def faults(self, profile: Profile) -> list[fw.Fault]:
        """What Faultwave arms. Raises OutOfBoundsError for a layer that does not run on such inputs."""

    def hooked(self, network: nn.Module, profile: Profile) -> AbstractContextManager[list[FunctionReceipt]]:
        """A scope in which hooks do the rest, and the receipts that they write."""


@dataclass(frozen=True)
class NeuronFault:
    """A value for one neuron."""

    layer: int
    index: Index  # in the layer's output, batch axis included
    value: float


def _layer(profile: Profile, number: int) -> OutputLayer:
    if number >= len(profile.outputs):
        raise OutOfBoundsError(
            f"layer {number} does not run on inputs of this shape, on which the network has "
            f"{len(profile.outputs)} layers; declare the fault with a FaultInjection for this input shape"
        )
    return profile.outputs[number]


class NeuronInjection:
    """Values for neurons. Faultwave sets those in the outputs of operators; a hook sets the others."""

    is_in_neurons = True

    def __init__(self, faults: Sequence[NeuronFault]) -> None:
        self._faults = faults
        self._known: dict[Profile, list[fw.Fault]] = {}

    def faults(self, profile: Profile) -> list[fw.Fault]:
        if profile not in self._known:
            self._known[profile] = self._faults_on(profile)
        return self._known[profile]

    def _faults_on(self, profile: Profile) -> list[fw.Fault]:
        faults = []
        for fault in self._faults:
            site = _layer(profile, fault.layer).site
            if site is not None:
                faults.append(fw.Fault(neuron_line(site, fault.index, fault.value)))
        return faults

    @contextmanager
    def hooked(self, network: nn.Module, profile: Profile) -> Iterator[list[FunctionReceipt]]:
        receipts: list[FunctionReceipt] = []
        by_path: dict[str, list[tuple[int, NeuronFault]]] = defaultdict(list)
        for fault in self._faults:
            layer = _layer(profile, fault.layer)
            if layer.site is None:
                by_path[layer.path].append((layer.call, fault))
        with ExitStack() as stack:
            for path, faults in by_path.items():
                hook = network.get_submodule(path).register_forward_hook(_setter(path, faults, receipts))
                stack.callback(hook.remove)
            yield receipts


def _setter(path: str, faults: Sequence[tuple[int, NeuronFault]], receipts: list[FunctionReceipt]) -> Hook:
    calls: Counter[str] = Counter()

    def set_values(_: nn.Module, __: Any, output: Any) -> Any:
        due = [fault for call, fault in faults if call == calls[path]]
        calls[path] += 1
        for fault in due:
            output, receipt = _with_value(output, fault, path)
            receipts.append(receipt)
        return output if due else None

    return set_values


def _with_value(output: Any, fault: NeuronFault, path: str) -> tuple[Any, FunctionReceipt]:
    """A layer's output with one value set in a copy of its first tensor."""
    tensor = first_tensor(output)
    assert tensor is not None, "the layer had an output when it was profiled"
    faulty = tensor.clone()
    faulty[fault.index] = fault.value
    victim = Victim(fault.index, tensor[fault.index].item(), faulty[fault.index].item())
    output = _pytree.tree_map(lambda leaf: faulty if leaf is tensor else leaf, output)
    return output, FunctionReceipt("", "output", path, 1, [victim])


class FunctionInjection:
    """A function of the user's, called as a forward hook of each layer.

    It is (module, input, output) -> output or None, and may change the output in place. What it does at the
    places that were declared is written down.
    """

    is_in_neurons = True

    def __init__(
        self,
        function: Hook,
        places: Sequence[tuple[int, Index]],
        layer_types: LayerTypes,
        prepare: Callable[[FunctionInjection], AbstractContextManager[None]],
    ) -> None:
        self._function = function
        self._places: dict[int, list[Index]] = defaultdict(list)
        for number, index in places:
            self._places[number].append(index)
        self._layer_types = layer_types
        self._prepare = prepare  # makes the FaultInjection show this declaration while the forward runs

    def faults(self, profile: Profile) -> list[fw.Fault]:
        return []

    @contextmanager
    def hooked(self, network: nn.Module, profile: Profile) -> Iterator[list[FunctionReceipt]]:
        receipts: list[FunctionReceipt] = []
        thread = threading.get_ident()
        number = -1

        def hook(module: nn.Module, arguments: Any, output: Any) -> Any:
            nonlocal number
            if threading.get_ident() != thread:  # the original model runs on another thread meanwhile
                return None
            number += 1
            return self._call(number, profile, receipts, module, arguments, output)

        with self._prepare(self), ExitStack() as stack:
            for _, module in output_modules(network, self._layer_types):
                stack.callback(module.register_forward_hook(hook).remove)
            yield receipts

    def _call(
        self,
        number: int,
        profile: Profile,
        receipts: list[FunctionReceipt],
        module: nn.Module,
        arguments: Any,
        output: Any,
    ) -> Any:
        places = self._places.get(number)
        before = first_tensor(output) if places else None
        if places is None or before is None:
            return self._function(module, arguments, output)
        values = [before[index].item() for index in places]
        result = self._function(module, arguments, output)
        after = first_tensor(output if result is None else result)
        if after is not None:
            for index, value in zip(places, values):
                victim = Victim(index, value, after[index].item())
                receipts.append(_function_receipt(_layer(profile, number), victim))
        return result


def _function_receipt(layer: OutputLayer, victim: Victim) -> FunctionReceipt:
    line = "" if layer.site is None else neuron_line(layer.site, victim.index, victim.after)
    return FunctionReceipt(line, "output", layer.path, 1, [victim])
