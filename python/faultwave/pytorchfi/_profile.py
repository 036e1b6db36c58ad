# SPDX-License-Identifier: Apache-2.0
"""A network as it runs on inputs of one shape: Faultwave's injector, and the site of each layer's output."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree

import faultwave as fw
from faultwave.pytorchfi._layers import LayerTypes, OutputLayer, output_modules, weight_layers
from faultwave.pytorchfi._places import can_name, quoted

_PROBE = "pytorchfi.probe"
_probed = threading.local()  # .calls: what operators returned within the layer that is running, or None


@contextmanager
def mode(network: nn.Module, training: bool | None) -> Iterator[None]:
    """All modules in training or eval mode, and afterwards as before. None: as they are."""
    others = (
        [] if training is None else [module for module in network.modules() if module.training != training]
    )
    for module in others:
        module.training = bool(training)
    try:
        yield
    finally:
        for module in others:
            module.training = not training


def fused_layers(network: nn.Module, layer_types: LayerTypes) -> list[nn.Module]:
    """Transformer layers with numbered layers inside.

    PyTorch runs each as one fused operator, unless a module within it has a hook, as with PyTorchFI's faults
    in neurons.
    """
    numbered = {id(module) for _, module in output_modules(network, layer_types)}
    encoders = [module for module in network.modules() if isinstance(module, nn.TransformerEncoderLayer)]
    return [layer for layer in encoders if any(id(module) in numbered for module in layer.modules())]


@contextmanager
def unfused(layers: Sequence[nn.Module]) -> Iterator[None]:
    """These transformer layers run the modules within them, one by one."""
    hooks = [layer.register_forward_pre_hook(_do_nothing) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _do_nothing(_: nn.Module, __: Any) -> None:
    pass


def first_tensor(output: object) -> torch.Tensor | None:
    """The tensor that counts as a layer's output: the first of a tuple or another container."""
    for leaf in _pytree.tree_leaves(output):
        if isinstance(leaf, torch.Tensor):
            return leaf
    return None


class Profile:
    """Which layers a network has on inputs of one shape, and where Faultwave reaches them.

    Args:
        fused: the transformer layers to run one module after the other; None to run them as they are, in
            which case outputs have no numbers.

    Making one runs the network a few times, in eval mode and without gradients; the network and the global
    generators are afterwards as before.
    """

    def __init__(
        self,
        network: nn.Module,
        layer_types: LayerTypes,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        fused: Sequence[nn.Module] | None,
    ) -> None:
        self.outputs: list[OutputLayer] = []
        with unfused(fused or []):
            self.injector = fw.Injector(network, *args, **kwargs)
            if fused is not None:
                self.outputs = self._number_outputs(network, layer_types, args, kwargs)
        self.weight_sites = {site.name: site for site in self.injector.sites if site.kind == "weight"}

    def _number_outputs(
        self, network: nn.Module, layer_types: LayerTypes, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> list[OutputLayer]:
        watch = _Watch(network, layer_types, self.injector)
        probes = watch.probes()
        with ExitStack() as stack:
            stack.enter_context(mode(network, False))
            stack.enter_context(torch.no_grad())
            stack.callback(watch.close)
            if probes:
                self.injector.run(probes, *args, **kwargs)
            else:
                network(*args, **kwargs)
        return watch.layers


class _Watch:
    """Hooks that write down each call of a layer, with the site that its output comes from.

    An error model that changes nothing is armed at all outputs of operators. It tells which ran within the
    module; the last of them that returned the module's output is its site.
    """

    def __init__(self, network: nn.Module, layer_types: LayerTypes, injector: fw.Injector) -> None:
        self.layers: list[OutputLayer] = []
        self._sites = {
            site.name: site for site in injector.sites if site.kind == "output" and _can_be_probed(site)
        }
        self._calls: Counter[str] = Counter()
        self._weights = {layer.path: layer.shape for layer in weight_layers(network, layer_types)}
        self._hooks: list[torch.utils.hooks.RemovableHandle] = []
        # Operators of ours must not be taken for the network's; those of another thread are not seen.
        self._unseen = ThreadPoolExecutor(1)
        entries = list(output_modules(network, layer_types))
        numbers = Counter(id(module) for _, module in entries)
        for path, module in {id(module): (path, module) for path, module in reversed(entries)}.values():
            self._hooks.append(module.register_forward_pre_hook(_begin))
            self._hooks.append(module.register_forward_hook(self._writer(path, numbers[id(module)])))

    def probes(self) -> list[fw.Fault]:
        """A fault that changes nothing in the first batch element of each output that may be a layer's."""
        model = fw.error_model(_PROBE, _probe)
        faults = []
        for name, site in self._sites.items():
            batch = "@0" if site.batch.dim >= 0 else ""
            faults.append(fw.Fault(f"output:{quoted(name)}[*]{batch} {model}"))
        return faults

    def close(self) -> None:
        """Removes the hooks."""
        self._unseen.shutdown()
        for hook in self._hooks:
            hook.remove()
        _probed.calls = None

    def _writer(self, path: str, numbers: int) -> Callable[[nn.Module, Any, Any], None]:
        def write(module: nn.Module, _: Any, output: Any) -> None:
            calls, _probed.calls = _probed.calls, None
            tensor = first_tensor(output)
            if tensor is None:
                return
            layer = OutputLayer(
                path=path,
                call=self._calls[path],
                module_type=type(module),
                shape=tuple(tensor.shape),
                dtype=tensor.dtype,
                weight_shape=self._weights.get(path),
                site=self._unseen.submit(self._site_of, tensor, calls).result(),
            )
            self._calls[path] += 1
            self.layers += [layer] * numbers

        return write

    def _site_of(self, output: torch.Tensor, calls: list[tuple[str, torch.Tensor]]) -> fw.Site | None:
        for name, values in reversed(calls):
            site = self._sites[name]
            is_alike = tuple(site.shape) == tuple(output.shape) and site.dtype == output.dtype
            if is_alike and _equal(values, _first_element(output.detach(), site).flatten().cpu()):
                return site
        return None


def _can_be_probed(site: fw.Site) -> bool:
    return can_name(site) and not site.dtype.is_complex and 0 not in site.shape


def _first_element(output: torch.Tensor, site: fw.Site) -> torch.Tensor:
    return output if site.batch.dim < 0 else output.select(site.batch.dim, 0)


def _begin(_: nn.Module, __: Any) -> None:
    _probed.calls = []


def _probe(values: torch.Tensor, context: fw.ErrorContext) -> torch.Tensor:
    calls = getattr(_probed, "calls", None)
    if calls is not None:
        calls.append((context.site, values.clone()))
    return values


def _equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    return bool(((a == b) | ((a != a) & (b != b))).all())


def _signature(args: Sequence[Any], kwargs: Mapping[str, Any]) -> object:
    """What decides whether a profile holds for these arguments: all but the first size of tensors."""
    leaves, structure = _pytree.tree_flatten((tuple(args), dict(kwargs)))
    shapes = [
        (leaf.dtype, tuple(leaf.shape[1:])) if isinstance(leaf, torch.Tensor) else repr(leaf)
        for leaf in leaves
    ]
    return (tuple(shapes), str(structure))


class Profiles:
    """The profiles of one network, one for each shape of its inputs, made when it is first met."""

    def __init__(self, network: nn.Module, layer_types: LayerTypes, example: Sequence[Any]) -> None:
        self.network = network
        self.fused = fused_layers(network, layer_types)
        self._layer_types = layer_types
        self._example = example
        self._known: dict[object, Profile] = {}
        self._parameters = self._fingerprint()
        self.first = self.of(example, {}, by_module=True)

    def of(self, args: Sequence[Any], kwargs: Mapping[str, Any], by_module: bool) -> Profile:
        """The profile for a call with these arguments; of the example's if there are none.

        A network whose parameters were moved, converted or exchanged is profiled anew.

        Args:
            by_module: whether transformer layers run the modules within them, or are fused.
        """
        parameters = self._fingerprint()
        if parameters != self._parameters:
            self._known.clear()
            self._parameters = parameters
        if not args and not kwargs:
            args = self._example
        by_module = by_module or not self.fused
        signature = (_signature(args, kwargs), by_module)
        if signature not in self._known:
            self._known[signature] = self._profile(args, kwargs, by_module)
        return self._known[signature]

    def _profile(self, args: Sequence[Any], kwargs: Mapping[str, Any], by_module: bool) -> Profile:
        return Profile(self.network, self._layer_types, args, kwargs, self.fused if by_module else None)

    def _fingerprint(self) -> list[tuple[int, torch.dtype]]:
        return [(tensor.data_ptr(), tensor.dtype) for tensor in self.network.parameters()]
