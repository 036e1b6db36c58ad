# SPDX-License-Identifier: Apache-2.0
"""Whisper (Radford et al., 2022), tiny.en: speech to text, with a cache of keys and values.

Attention is written out (product, softmax, product), so that its scores are sites. Prefill and decode run the same
operators: the mask is always added, and the first forward joins its keys to an empty cache.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

END = 50256
# Start of a transcript, then "no time stamps".
PROMPT = [50257, 50362]

# Keys and values of each layer, [batch, heads, tokens, size of a head].
Memory = list[tuple[torch.Tensor, torch.Tensor]]


class Attention(nn.Module):
    """Of several heads, with keys and values that are given."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, tokens, width] to [batch, heads, tokens, size of a head]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def remember(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of x [batch, tokens, width]."""
        return self.split(self.key(x)), self.split(self.value(x))

    def forward(
        self, x: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        query = self.split(self.query(x))
        scores = query @ keys.transpose(2, 3) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores + mask
        return self.out((scores.softmax(-1) @ values).transpose(1, 2).flatten(2))


class EncoderLayer(nn.Module):
    """Attention over the whole audio, then two linear layers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.linear1 = nn.Linear(width, 4 * width)
        self.linear2 = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.attention_norm(x)
        x = x + self.attention(y, *self.attention.remember(y))
        return x + self.linear2(functional.gelu(self.linear1(self.norm(x))))


class DecoderLayer(EncoderLayer):
    """Attention over the tokens so far, then over the audio, then two linear layers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.audio_norm = nn.LayerNorm(width)
        self.audio_attention = Attention(width, heads)

    def forward(  # type: ignore[override]
        self,
        x: torch.Tensor,
        audio: tuple[torch.Tensor, torch.Tensor],
        cache: tuple[torch.Tensor, torch.Tensor],
        mask: torch.Tensor,
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        y = self.attention_norm(x)
        keys, values = self.attention.remember(y)
        keys, values = torch.cat([cache[0], keys], 2), torch.cat([cache[1], values], 2)
        x = x + self.attention(y, keys, values, mask)
        x = x + self.audio_attention(self.audio_norm(x), *audio)
        return x + self.linear2(functional.gelu(self.linear1(self.norm(x)))), (keys, values)


class Encoder(nn.Module):
    """Log-mel spectrogram [batch, 80, 3000] to [batch, 1500, width]."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(80, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.positions = nn.Parameter(torch.zeros(1500, width))
        self.layers = nn.ModuleList(EncoderLayer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel))))
        x = x.transpose(1, 2) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Decoder(nn.Module):
    """Tokens, what the encoder heard, and what was decoded so far, to logits of the next tokens."""

    def __init__(self, width: int, heads: int, layers: int, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(448, width))
        self.layers = nn.ModuleList(DecoderLayer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: torch.Tensor, audio: Memory, cache: Memory) -> tuple[torch.Tensor, Memory]:
        past, count = cache[0][0].shape[2], tokens.shape[1]
        # A token sees itself and those before it.
        mask = torch.full((count, past + count), -math.inf, device=tokens.device).triu(past + 1)
        x = self.embedding(tokens) + self.positions[past : past + count]
        longer = []
        for layer, heard, said in zip(self.layers, audio, cache):
            x, memory = layer(x, heard, said, mask)
            longer.append(memory)
        return self.head(self.norm(x)), longer


class Whisper(nn.Module):
    """Two networks: `listen` runs once a recording, `decode` once on the prompt and then once a token."""

    def __init__(self, width: int = 384, heads: int = 6, layers: int = 4, vocabulary: int = 51_864) -> None:
        super().__init__()
        self.encoder = Encoder(width, heads, layers)
        self.decoder = Decoder(width, heads, layers, vocabulary)

    def listen(self, mel: torch.Tensor) -> Memory:
        """Spectrogram [batch, 80, 3000] to keys and values of the audio, [batch, heads, 1500, size], a layer."""
        heard = self.encoder(mel)
        return [layer.audio_attention.remember(heard) for layer in self.decoder.layers]

    def decode(self, tokens: torch.Tensor, audio: Memory, cache: Memory) -> tuple[torch.Tensor, Memory]:
        """Tokens [batch, tokens] behind those in the cache, to logits [batch, tokens, vocabulary] and the cache with
        these tokens."""
        return self.decoder(tokens, audio, cache)

    def empty_cache(self, batch: int = 1) -> Memory:
        """Of no tokens."""
        attention = self.decoder.layers[0].attention
        heads, size = attention.heads, attention.query.out_features // attention.heads
        return [
            (torch.zeros(batch, heads, 0, size), torch.zeros(batch, heads, 0, size))
            for _ in self.decoder.layers
        ]

    @torch.no_grad()
    def transcribe(self, audio: Memory, most_tokens: int = 60) -> list[int]:
        """The tokens of one recording, the likeliest each time, without the prompt, up to the end of the text or that
        many. Forward 0 reads the prompt, forward k token k - 1."""
        tokens, cache, given = [], self.empty_cache(), PROMPT
        while len(tokens) < most_tokens:
            logits, cache = self.decode(torch.tensor([given]), audio, cache)
            token = int(logits[0, -1].argmax())
            if token == END:
                break
            tokens.append(token)
            given = [token]
        return tokens
