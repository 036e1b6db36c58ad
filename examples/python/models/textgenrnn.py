# SPDX-License-Identifier: Apache-2.0
"""The character model of textgenrnn: two LSTM layers, and attention over what they and the embedding give.

    pip download --no-deps --no-binary :all: textgenrnn==2.0.0 && tar xzf textgenrnn-2.0.0.tar.gz
    pip install h5py

brings its weights and vocabulary (2 MB, MIT licence), in textgenrnn-2.0.0/textgenrnn.
"""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import torch
from torch import nn

LENGTH = 40  # how many characters it sees


class TextGenRnn(nn.Module):
    """The last 40 characters, [batch, 40] identifiers, 0 in front of a shorter text, to logits of the next one,
    [batch, 465]."""

    def __init__(self, vocabulary: int = 465, width: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 100)
        self.rnn1 = nn.LSTM(100, width, batch_first=True)
        self.rnn2 = nn.LSTM(width, width, batch_first=True)
        self.attention = nn.Linear(100 + 2 * width, 1, bias=False)
        self.output = nn.Linear(100 + 2 * width, vocabulary)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        embedded = self.embedding(windows)
        first, _ = self.rnn1(embedded)
        second, _ = self.rnn2(first)
        found = torch.cat([embedded, first, second], 2)
        return self.output((found * self.attention(found).softmax(1)).sum(1))


class CharacterModel:
    """A language model of characters. Forward k of `generate` gives character k."""

    def __init__(self, folder: Path) -> None:
        self.network = TextGenRnn().eval().requires_grad_(False)
        with h5py.File(folder / "textgenrnn_weights.hdf5") as file:
            stored = {name: torch.from_numpy(file[name][()]) for name in _names(file)}
        self.network.load_state_dict(_parameters(stored))
        self._identifiers: dict[str, int] = json.loads(
            (folder / "textgenrnn_vocab.json").read_text(encoding="utf-8")
        )
        self._characters = {number: character for character, number in self._identifiers.items()}
        self.start = self._identifiers["<s>"]

    def encode(self, text: str) -> list[int]:
        """The sign for a start, and the identifiers of the characters."""
        return [self.start, *(self._identifiers[character] for character in text)]

    def decode(self, tokens: list[int]) -> str:
        """The text of identifiers, up to the sign for its end."""
        end = tokens.index(self.start) if self.start in tokens else len(tokens)
        return "".join(self._characters.get(token, "") for token in tokens[:end])

    @torch.no_grad()
    def score(self, tokens: list[int]) -> torch.Tensor:
        """What it predicts for each token but the first, [tokens - 1, vocabulary]: one forward, a token a batch
        element."""
        return self.network(torch.tensor([_window(tokens[:end]) for end in range(1, len(tokens))]))

    @torch.no_grad()
    def generate(self, prompt: list[int], count: int) -> list[int]:
        """The likeliest next token, `count` times."""
        tokens = list(prompt)
        for _ in range(count):
            tokens.append(int(self.network(torch.tensor([_window(tokens)])).argmax()))
        return tokens[len(prompt) :]


def _window(tokens: list[int]) -> list[int]:
    tokens = tokens[-LENGTH:]
    return [0] * (LENGTH - len(tokens)) + tokens


def _names(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def _parameters(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Parameters by our names, of those by Keras's."""
    parameters = {
        "embedding.weight": stored["embedding/embedding/embeddings:0"],
        "attention.weight": stored["attention/attention/attention_W:0"].T,
        "output.weight": stored["output/output/kernel:0"].T,
        "output.bias": stored["output/output/bias:0"],
    }
    for ours, theirs in (("rnn1", "rnn_1/rnn_1"), ("rnn2", "rnn_2/rnn_2")):
        inner, outer = stored[f"{theirs}/bias:0"].chunk(2)
        parameters |= {
            f"{ours}.weight_ih_l0": _gates(stored[f"{theirs}/kernel:0"]),
            f"{ours}.weight_hh_l0": _gates(stored[f"{theirs}/recurrent_kernel:0"]),
            f"{ours}.bias_ih_l0": inner,
            f"{ours}.bias_hh_l0": outer,
        }
    return parameters


def _gates(kernel: torch.Tensor) -> torch.Tensor:
    """A kernel in the form of cuDNN, [inputs, 4 * width] whose parts hold each gate's [width, inputs], as torch has it,
    [4 * width, inputs]."""
    inputs, width = kernel.shape[0], kernel.shape[1] // 4
    return torch.cat([gate.reshape(width, inputs) for gate in kernel.chunk(4, 1)])
