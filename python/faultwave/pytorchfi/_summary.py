# SPDX-License-Identifier: Apache-2.0
"""The table of layers, laid out as PyTorchFI's users know it, since they search its text."""

from __future__ import annotations

from collections.abc import Sequence

from faultwave.pytorchfi._layers import LayerTypes, OutputLayer

_WIDTH = 82
_COLUMNS = "{:>5}  {:>15}  {:>10} {:>20} {:>20}"


def _section(title: str) -> list[str]:
    return [f"{title}:", "-" * _WIDTH]


def _row(number: int, layer: OutputLayer) -> str:
    weight = "-" if layer.weight_shape is None else str(list(layer.weight_shape))
    name = layer.module_type.__name__
    return _COLUMNS.format(number, name, str(len(layer.shape)), weight, str(list(layer.shape)))


def summary(
    layers: Sequence[OutputLayer],
    layer_types: LayerTypes,
    input_shape: Sequence[int],
    batch_size: int,
    use_cuda: bool,
) -> str:
    """The layer types, the model's input, and a line for each layer.

    A line has the layer's number, class, number of axes of the output, weight and output.
    """
    names = [kind if isinstance(kind, str) else kind.__name__ for kind in layer_types]
    sizes = "".join(f"{size} " for size in input_shape)
    lines = [" PYTORCHFI INIT SUMMARY ".center(_WIDTH, "="), ""]
    lines += _section("Layer types allowing injections")
    lines += [f"   - {name}" for name in names]
    lines += ["", *_section("Model Info")]
    lines += [
        f"   - Shape of input into the model: ({sizes})",
        f"   - Batch Size: {batch_size}",
        f"   - CUDA Enabled: {use_cuda}",
        "",
    ]
    lines += [*_section("Layer Info")]
    lines += [
        _COLUMNS.format("Layer #", "Layer type", "Dimensions", "Weight Shape", "Output Shape"),
        "-" * _WIDTH,
    ]
    lines += [_row(number, layer) for number, layer in enumerate(layers)]
    return "\n".join([*lines, "=" * _WIDTH, ""])
