# SPDX-License-Identifier: Apache-2.0
"""Gemma 3 (Gemma Team, 2025), 270M, a transformer with a cache of keys and values; for contexts of up to 512 tokens.

Its weights have terms of their own (ai.google.dev/gemma/terms), so whoever accepts these passes a GGUF file of them.

    pip install gguf

Attention is written out (product, softmax, product), so that its scores are sites. Prefill and decode run the same
operators: the mask is always added, and the first forward joins its keys to an empty cache.
"""

from __future__ import annotations

import math
from pathlib import Path

import gguf
import torch
from torch import nn
from torch.nn import functional

WIDTH, LAYERS, HEADS, HEAD_SIZE, HIDDEN = 640, 18, 4, 256, 2048
VOCABULARY = 262_144
SPACE = "▁"  # how the vocabulary writes one

# Keys and values of each layer, [batch, 1, tokens, 256].
Cache = list[tuple[torch.Tensor, torch.Tensor]]


class RmsNorm(nn.Module):
    """x / sqrt(mean x^2 + 1e-6), scaled."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.weight


def rotated(x: torch.Tensor, first: int, base: float) -> torch.Tensor:
    """Rotary positions (Su et al., 2021) of x [batch, heads, tokens, size], whose first token is number `first`."""
    half = x.shape[-1] // 2
    frequencies = base ** (-torch.arange(half) / half)
    angles = torch.arange(first, first + x.shape[2])[:, None] * frequencies
    cosines, sines = angles.cos(), angles.sin()
    low, high = x[..., :half], x[..., half:]
    return torch.cat([low * cosines - high * sines, high * cosines + low * sines], -1)


class Attention(nn.Module):
    """Four heads of queries, which share one of keys and values."""

    def __init__(self, base: float) -> None:
        super().__init__()
        self.base = base
        self.query = nn.Linear(WIDTH, HEADS * HEAD_SIZE, bias=False)
        self.key = nn.Linear(WIDTH, HEAD_SIZE, bias=False)
        self.value = nn.Linear(WIDTH, HEAD_SIZE, bias=False)
        self.query_norm = RmsNorm(HEAD_SIZE)
        self.key_norm = RmsNorm(HEAD_SIZE)
        self.out = nn.Linear(HEADS * HEAD_SIZE, WIDTH, bias=False)

    def forward(
        self, x: torch.Tensor, cache: tuple[torch.Tensor, torch.Tensor], mask: torch.Tensor
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        past = cache[0].shape[2]
        queries = self.query_norm(self.query(x).unflatten(-1, (HEADS, HEAD_SIZE))).transpose(1, 2)
        keys, values = self.key_norm(self.key(x)).unsqueeze(1), self.value(x).unsqueeze(1)
        keys = torch.cat([cache[0], rotated(keys, past, self.base)], 2)
        values = torch.cat([cache[1], values], 2)
        scores = rotated(queries, past, self.base) @ keys.transpose(2, 3) / math.sqrt(HEAD_SIZE)
        y = (scores + mask).softmax(-1) @ values
        return self.out(y.transpose(1, 2).flatten(2)), (keys, values)


class Block(nn.Module):
    """Attention, then a gated pair of linear layers, each with a norm before and behind it."""

    def __init__(self, base: float) -> None:
        super().__init__()
        self.attention_norm = RmsNorm(WIDTH)
        self.attention = Attention(base)
        self.after_attention_norm = RmsNorm(WIDTH)
        self.norm = RmsNorm(WIDTH)
        self.gate = nn.Linear(WIDTH, HIDDEN, bias=False)
        self.up = nn.Linear(WIDTH, HIDDEN, bias=False)
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)
        self.after_norm = RmsNorm(WIDTH)

    def forward(
        self, x: torch.Tensor, cache: tuple[torch.Tensor, torch.Tensor], mask: torch.Tensor
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        y, cache = self.attention(self.attention_norm(x), cache, mask)
        x = x + self.after_attention_norm(y)
        y = self.norm(x)
        y = functional.gelu(self.gate(y), approximate="tanh") * self.up(y)
        return x + self.after_norm(self.down(y)), cache


class Gemma(nn.Module):
    """Tokens [batch, tokens] behind those in the cache, to logits [batch, tokens, 262144] and the cache with them."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        # Each sixth layer looks far back, and its positions turn more slowly.
        self.layers = nn.ModuleList(Block(1e6 if number % 6 == 5 else 1e4) for number in range(LAYERS))
        self.norm = RmsNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: torch.Tensor, cache: Cache) -> tuple[torch.Tensor, Cache]:
        past, count = cache[0][0].shape[2], tokens.shape[1]
        # A token sees itself and those before it.
        mask = torch.full((count, past + count), -math.inf).triu(past + 1)
        x = self.embedding(tokens) * math.sqrt(WIDTH)
        longer = []
        for layer, memory in zip(self.layers, cache):
            x, memory = layer(x, memory, mask)
            longer.append(memory)
        return self.head(self.norm(x)), longer


def empty_cache() -> Cache:
    """Of no tokens."""
    return [(torch.zeros(1, 1, 0, HEAD_SIZE), torch.zeros(1, 1, 0, HEAD_SIZE)) for _ in range(LAYERS)]


class GemmaModel:
    """A language model of pieces of words. Forward 0 of `generate` reads the prompt, and forward k gives token k."""

    def __init__(self, file: Path) -> None:
        reader = gguf.GGUFReader(file)
        with torch.device("meta"):
            self.network = Gemma()
        self.network.load_state_dict(_parameters(reader), assign=True)
        self.network.eval().requires_grad_(False)
        self.network.head.weight = self.network.embedding.weight
        tokens, scores = reader.fields["tokenizer.ggml.tokens"], reader.fields["tokenizer.ggml.scores"]
        self._tokens = [bytes(tokens.parts[part]).decode() for part in tokens.data]
        self._scores = {token: float(scores.parts[part][0]) for token, part in zip(self._tokens, scores.data)}
        self._identifiers = {token: number for number, token in enumerate(self._tokens)}
        self.start = 2

    def encode(self, text: str) -> list[int]:
        """The sign for a start, and the pieces: of all pairs that are a piece, that of the highest score is joined,
        until there is none."""
        pieces = list(text.replace(" ", SPACE))
        while True:
            pairs = [
                (self._scores.get(a + b, -math.inf), -i) for i, (a, b) in enumerate(zip(pieces, pieces[1:]))
            ]
            score, place = max(pairs, default=(-math.inf, 0))
            if score == -math.inf:
                return [self.start, *(self._identifiers[piece] for piece in pieces)]
            pieces[-place : 2 - place] = [pieces[-place] + pieces[1 - place]]

    def decode(self, tokens: list[int]) -> str:
        """The text of identifiers."""
        return "".join(self._tokens[token] for token in tokens).replace(SPACE, " ")

    @torch.no_grad()
    def score(self, tokens: list[int]) -> torch.Tensor:
        """What it predicts for each token but the first, [tokens - 1, vocabulary]: one forward."""
        logits, _ = self.network(torch.tensor([tokens[:-1]]), empty_cache())
        return logits[0]

    @torch.no_grad()
    def generate(self, prompt: list[int], count: int) -> list[int]:
        """The likeliest next token, `count` times."""
        tokens: list[int] = []
        cache, given = empty_cache(), prompt
        while len(tokens) < count:
            logits, cache = self.network(torch.tensor([given]), cache)
            tokens.append(int(logits[0, -1].argmax()))
            given = tokens[-1:]
        return tokens


_NAMES = {
    "attn_norm": "attention_norm",
    "attn_q": "attention.query",
    "attn_k": "attention.key",
    "attn_v": "attention.value",
    "attn_q_norm": "attention.query_norm",
    "attn_k_norm": "attention.key_norm",
    "attn_output": "attention.out",
    "post_attention_norm": "after_attention_norm",
    "ffn_norm": "norm",
    "ffn_gate": "gate",
    "ffn_up": "up",
    "ffn_down": "down",
    "post_ffw_norm": "after_norm",
}


def _parameters(reader: gguf.GGUFReader) -> dict[str, torch.Tensor]:
    """Parameters by our names, as FP32, of those by GGUF's."""
    parameters = {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        name = tensor.name.replace("token_embd.", "embedding.").replace("output_norm.", "norm.")
        if name.startswith("blk."):
            _, number, kind, last = name.split(".")
            name = f"layers.{number}.{_NAMES[kind]}.{last}"
        parameters[name] = torch.from_numpy(values.astype("float32"))
    return parameters | {"head.weight": parameters["embedding.weight"]}
