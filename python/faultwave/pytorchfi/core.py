# SPDX-License-Identifier: Apache-2.0
"""PyTorchFI's injector: declares faults by layer number, and returns models that have them."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from faultwave.pytorchfi._declaration import (
    below,
    check_keywords,
    neuron_place,
    neuron_places,
    values_for,
    warn,
    weight_places,
)
from faultwave.pytorchfi._errors import DeclarationError, OutOfBoundsError
from faultwave.pytorchfi._faulty_model import FaultyModel
from faultwave.pytorchfi._layers import LayerTypes, WeightLayer, unnumbered, weight_layers
from faultwave.pytorchfi._neuron_injections import (
    FunctionInjection,
    Hook,
    Injection,
    NeuronFault,
    NeuronInjection,
)
from faultwave.pytorchfi._older_names import OlderNames
from faultwave.pytorchfi._places import Index
from faultwave.pytorchfi._profile import Profiles
from faultwave.pytorchfi._summary import summary
from faultwave.pytorchfi._weight_injection import WeightInjection, as_held, values_at, values_of

_log = logging.getLogger(__name__)


class FaultInjection(OlderNames):
    """Declares faults in a model by the numbers of its layers.

    Making one draws a random input from torch's global generator, as PyTorchFI does, and runs the model on it
    a few times, in eval mode and without gradients. The model is never changed.

    Args:
        model: the network. One that a declaration returned keeps its faults, so that declarations add up.
        batch_size: of the inputs that faulty models will get, at least 1; batch elements of faults lie below
            it.
        input_shape: of one input, without the batch axis.
        layer_types: modules that count as layers, or ["all"]: those without children of these types.
            nn.Conv2d if left out.
        use_cuda: whether the random input is drawn on the GPU; where the model is, if left out.
        example: the input to profile the model with, or a tuple of several, at batch 1; nothing is drawn
            then. For models that a tensor of random numbers does not suit, as one of token ids.

    Raises:
        DeclarationError: an argument of another kind.
        faultwave.NetworkError: the model does not run on that input.
    """

    def __init__(
        self,
        model: nn.Module,
        batch_size: int,
        input_shape: Sequence[int] | None = None,
        layer_types: LayerTypes | None = None,
        **kwargs: Any,
    ) -> None:
        self.original_model = model
        self.batch_size = batch_size
        self.use_cuda: bool = kwargs.get("use_cuda", _parameter(model).is_cuda)
        self.corrupted_model: nn.Module | None = None
        self.handles: list[Any] = []
        self._input_shape = input_shape or [3, 224, 224]
        self._inj_layer_types = layer_types or [nn.Conv2d]
        self._faulty_models: weakref.WeakSet[FaultyModel] = weakref.WeakSet()
        self._latest: Injection | None = None
        self.current_layer = 0
        self.corrupt_batch: Any = []
        self.corrupt_layer: Any = []
        self.corrupt_dim: list[Any] = [[], [], []]  # dim1, dim2, dim3
        self.corrupt_value: Any = []
        self._check_arguments()
        self._network: nn.Module = model.original_model if isinstance(model, FaultyModel) else model
        self._profiles = Profiles(self._network, self._inj_layer_types, self._example(kwargs.get("example")))
        self._describe_layers()

    def _check_arguments(self) -> None:
        if not isinstance(self._input_shape, list | tuple):
            kind = type(self._input_shape).__name__
            raise DeclarationError(
                f"the input shape is a {kind}; expected a list of sizes, such as [3, 224, 224]"
            )
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise DeclarationError(
                f"the batch size is {self.batch_size!r}; expected a whole number of at least 1"
            )

    def _example(self, given: Any) -> tuple[Any, ...]:
        if given is not None:
            return given if isinstance(given, tuple) else (given,)
        parameter = _parameter(self._network)
        device = (parameter.device if parameter.is_cuda else "cuda") if self.use_cuda else None
        return (torch.randn((1, *self._input_shape), dtype=parameter.dtype, device=device),)

    def _describe_layers(self) -> None:
        outputs = self._profiles.first.outputs
        self.output_size = [list(layer.shape) for layer in outputs]
        self.layers_type = [layer.module_type for layer in outputs]
        self.layers_dim = [len(layer.shape) for layer in outputs]
        self._weight_layers: list[WeightLayer] = weight_layers(self._network, self._inj_layer_types)
        self.weights_size = [layer.shape for layer in self._weight_layers]
        left_out = unnumbered(self._network, self._inj_layer_types)
        if left_out:
            warn(
                f"outputs of {len(left_out)} modules have no number, since modules with children have none: "
                f"{', '.join(left_out[:5])}{', ...' if len(left_out) > 5 else ''}; Faultwave's own injector "
                "reaches them"
            )

    # Declarations.

    def declare_neuron_fault_injection(self, **kwargs: Any) -> nn.Module:
        """A model with faults in neurons.

        Args:
            layer_num: numbers of layers, in order of execution, one a fault.
            batch: batch elements, one a fault.
            dim1, dim2, dim3: indices into the layer's output behind the batch axis, one a fault; None where
                the output has no such axis. An index of dim3 may be a tuple that goes on to further axes.
            value: the new values, one a fault.
            function: in place of values, a function (module, input, output) -> output or None. It is called
                as a forward hook of every layer, and may change the output in place. `current_layer` and
                `update_layer()` are for its use.

        Raises:
            DeclarationError: lists of different lengths, a keyword that is not known, a value that is no
                number.
            OutOfBoundsError: a layer, batch element or index that is not there, negative ones too.
        """
        check_keywords(kwargs, ("layer_num", "batch", "dim1", "dim2", "dim3", "value", "function"))
        self._clear()
        self.corrupt_layer = kwargs.get("layer_num", [])
        self.corrupt_batch = kwargs.get("batch", [])
        self.corrupt_dim = [kwargs.get(f"dim{axis}", []) for axis in (1, 2, 3)]
        self.corrupt_value = kwargs.get("value", [])
        places = neuron_places(self._profiles.first.outputs, self.batch_size, kwargs)
        if "function" in kwargs:
            injection: Injection = self._function_injection(kwargs["function"], places)
        else:
            injection = self._value_injection(places)
        faulty = self._faulty_model(injection)
        self._faulty_models.add(faulty)
        return faulty

    def _value_injection(self, places: Sequence[tuple[int, Index]]) -> NeuronInjection:
        faults = []
        for (layer, index), value in zip(places, values_for(places, self.corrupt_value)):
            held = as_held(value, self._profiles.first.outputs[layer].dtype)
            faults.append(NeuronFault(layer, index, held))
        return NeuronInjection(faults)

    def _function_injection(self, function: Hook, places: Sequence[tuple[int, Index]]) -> FunctionInjection:
        if not callable(function):
            raise DeclarationError(f"the function is {function!r}, which cannot be called")
        declared = self._state()

        @contextmanager
        def showing(injection: FunctionInjection) -> Iterator[None]:
            """Within a forward the attributes that functions read are those of this declaration."""
            before = self._state()
            if injection is not self._latest:
                vars(self).update(declared)
            self.current_layer = 0
            try:
                yield
            finally:
                if injection is not self._latest:
                    vars(self).update(before)

        return FunctionInjection(function, places, self._inj_layer_types, showing)

    def _state(self) -> dict[str, Any]:
        names = ("current_layer", "corrupt_batch", "corrupt_layer", "corrupt_dim", "corrupt_value")
        return {name: getattr(self, name) for name in names}

    def declare_weight_fault_injection(self, **kwargs: Any) -> nn.Module:
        """A model with faults in weights.

        Args:
            layer_num: numbers of layers with weights, in the order of `modules()`, one a fault.
            k, dim1, dim2, dim3: indices into the weight, one a fault; None, or left out, where it has no such
                axis. An index of dim3 may be a tuple that goes on to further axes.
            value: the new values, one a fault.
            function: in place of values, a function (weight, location) -> value. It is called once for each
                fault, in the order of layers, with a copy of the weight that holds what it returned before.

        Raises:
            DeclarationError: lists of different lengths, a keyword that is not known, a value that is no
                number.
            OutOfBoundsError: a layer or an index that is not there, negative ones too.
        """
        check_keywords(kwargs, ("layer_num", "k", "dim1", "dim2", "dim3", "value", "function"))
        self._clear()
        places = weight_places(self._weight_layers, kwargs)
        if "function" in kwargs:
            changes = values_of(self._network, places, kwargs["function"])
        else:
            changes = values_at(self._network, places, values_for(places, kwargs.get("value", [])))
        return self._faulty_model(WeightInjection(self._network, changes))

    def _faulty_model(self, injection: Injection) -> FaultyModel:
        faulty = FaultyModel(self.original_model, self._profiles, injection)
        _log.debug("declared %s", faulty.faults or "a function")
        self._latest = injection
        self.corrupted_model = faulty
        return faulty

    def reset_fault_injection(self) -> None:
        """Forgets the declaration, and disarms all models with faults in neurons that were declared here."""
        self._clear()
        self._latest = None
        self.corrupted_model = None
        for faulty in self._faulty_models:
            faulty.disarm()
        self._faulty_models = weakref.WeakSet()

    def _clear(self) -> None:
        self.current_layer = 0
        self.corrupt_batch = []
        self.corrupt_layer = []
        self.corrupt_dim = [[], [], []]
        self.corrupt_value = []

    def check_bounds(
        self,
        batch: Sequence[int],
        layer: Sequence[int],
        dim: Sequence[Any],
        dim2: Any = None,
        dim3: Any = None,
    ) -> None:
        """Checks places against the network. `dim` is a list of dim1, dim2 and dim3, or they come one by one.

        Raises DeclarationError or OutOfBoundsError.
        """
        dims = list(dim) if dim2 is None and dim3 is None else [dim, dim2, dim3]
        lists = {"batch": batch, "layer_num": layer, "dim1": dims[0], "dim2": dims[1], "dim3": dims[2]}
        neuron_places(self._profiles.first.outputs, self.batch_size, lists)

    def assert_injection_bounds(self, index: int) -> None:
        """Checks one place of the present declaration. Raises DeclarationError or OutOfBoundsError."""
        if not 0 <= index < len(self.corrupt_layer):
            raise OutOfBoundsError(
                f"fault {index} is none of the {len(self.corrupt_layer)} that are declared"
            )
        position = [self.corrupt_batch[index], *(dim[index] if dim else None for dim in self.corrupt_dim)]
        neuron_place(self._profiles.first.outputs, self.batch_size, self.corrupt_layer[index], position)

    # For functions of the user's, which count the layers that have run.

    def update_layer(self, value: int = 1) -> None:
        """Counts on: the layer that runs next is number `current_layer`."""
        self.current_layer += value

    def reset_current_layer(self) -> None:
        """Counts from the first layer again, as every forward of a faulty model does by itself."""
        self.current_layer = 0

    # The layers.

    def get_total_layers(self) -> int:
        """How many outputs have a number: calls of layers in a forward."""
        return len(self.output_size)

    def get_layer_type(self, layer_num: int) -> type[nn.Module]:
        """The class of the module whose output has this number."""
        return self.layers_type[layer_num]

    def get_layer_dim(self, layer_num: int) -> int:
        """How many axes the output has, the batch axis included."""
        return self.layers_dim[layer_num]

    def get_layer_shape(self, layer_num: int) -> list[int]:
        """The shape of the output at batch 1, batch axis included."""
        return self.output_size[layer_num]

    def get_tensor_dim(self, layer: int, dim: int) -> int:
        """The size of one axis of the output. Raises OutOfBoundsError for an axis that it does not have."""
        shape = self.output_size[layer]
        below(dim, len(shape), "dim", f"the output {shape} of layer {layer}")
        return shape[dim]

    def get_weights_size(self, layer_num: int) -> torch.Size:
        """The shape of the weight with this number."""
        return self.weights_size[layer_num]

    def get_weights_dim(self, layer_num: int) -> int:
        """How many axes the weight with this number has."""
        return len(self.weights_size[layer_num])

    def get_total_weight_layers(self) -> int:
        """How many weights have a number. Not in PyTorchFI, which takes the number of outputs for it."""
        return len(self.weights_size)

    def print_pytorchfi_layer_summary(self) -> str:
        """Prints a table of the layers, and returns its text."""
        text = summary(
            self._profiles.first.outputs,
            self._inj_layer_types,
            self._input_shape,
            self.batch_size,
            self.use_cuda,
        )
        print(text)
        return text


def _parameter(model: nn.Module) -> torch.Tensor:
    """The first parameter, which says of what type and where a model is; if none, FP32 on the CPU."""
    return next(model.parameters(), torch.empty(0))


fault_injection = FaultInjection
