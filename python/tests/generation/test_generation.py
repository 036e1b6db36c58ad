# SPDX-License-Identifier: Apache-2.0
"""Faults around a loop that generates tokens with a cache. What they must give is computed without Faultwave: steps by
hand, with the value changed in between."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

import faultwave as fw
from faultwave import sequences

WIDTH, HEADS, VOCABULARY = 8, 2, 19
PROMPT = [3, 1, 4, 1]
COUNT = 6

Cache = tuple[torch.Tensor, torch.Tensor]
Change = Callable[[int, "Decoder", Cache], Cache]


class Decoder(nn.Module):
    """One layer of attention over what the cache holds and the new tokens, [batch, tokens] to logits
    [batch, tokens, vocabulary] and the longer cache, keys and values [batch, heads, tokens, 4]."""

    def __init__(self, fused: bool = False) -> None:
        super().__init__()
        self.fused = fused
        self.is_uniform = False  # attention that sees no scores, to compute what their loss must give
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, tokens: torch.Tensor, cache: Cache) -> tuple[torch.Tensor, Cache]:
        past, count = cache[0].shape[2], tokens.shape[1]
        x = self.embedding(tokens)
        query, key, value = (
            layer(x).unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        keys, values = torch.cat([cache[0], key], 2), torch.cat([cache[1], value], 2)
        mask = torch.full((count, past + count), -math.inf).triu(past + 1)
        if self.fused:
            y = functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
        else:
            scores = query @ keys.transpose(2, 3) / 2 + mask
            y = (torch.zeros_like(scores) if self.is_uniform else scores).softmax(-1) @ values
        return self.head(x + y.transpose(1, 2).flatten(2)), (keys, values)


def empty_cache() -> Cache:
    return torch.zeros(1, HEADS, 0, WIDTH // HEADS), torch.zeros(1, HEADS, 0, WIDTH // HEADS)


def nothing(step: int, decoder: Decoder, cache: Cache) -> Cache:
    return cache


@torch.no_grad()
def generate(decoder: Decoder, change: Change = nothing) -> tuple[list[int], torch.Tensor]:
    """Tokens, and the logits that each was taken from, [tokens, vocabulary]. Forward k gives token k. `change` is
    called before each forward."""
    tokens: list[int] = []
    logits = []
    cache, given = empty_cache(), PROMPT
    for step in range(COUNT):
        cache = change(step, decoder, cache)
        found, cache = decoder(torch.tensor([given]), cache)
        logits.append(found[0, -1])
        tokens.append(int(found[0, -1].argmax()))
        given = tokens[-1:]
    return tokens, torch.stack(logits)


def injector_of(decoder: Decoder) -> fw.Injector:
    """Profiled on a step in mid-text, which has a cache, and shown the loop."""
    cache = (torch.rand(1, HEADS, 3, WIDTH // HEADS), torch.rand(1, HEADS, 3, WIDTH // HEADS))
    injector = fw.Injector(decoder, torch.tensor([[2]]), cache)
    injector.learn(lambda: generate(decoder))
    return injector


@pytest.fixture(params=["written out", "fused"])
def decoder(request: pytest.FixtureRequest) -> Decoder:
    return Decoder(fused=request.param == "fused").eval()


@pytest.fixture
def written_out() -> Decoder:
    return Decoder().eval()


def assert_same(found: tuple[list[int], torch.Tensor], expected: tuple[list[int], torch.Tensor]) -> None:
    assert found[0] == expected[0]
    torch.testing.assert_close(found[1], expected[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("step", range(COUNT))
def test_a_fault_changes_nothing_before_its_token(decoder: Decoder, step: int) -> None:
    injector = injector_of(decoder)
    golden, golden_logits = generate(decoder)
    wanted = (golden[step] + 1) % VOCABULARY
    with injector.armed(f"output:head[*,{wanted}] constant(1000)%{step}") as armed:
        faulty, faulty_logits = generate(decoder)
    assert faulty[:step] == golden[:step] and torch.equal(faulty_logits[:step], golden_logits[:step])
    assert sequences.first_divergent_token(golden, faulty) == step and faulty[step] == wanted
    # What comes behind is what the decoder says after that token.
    prefix = torch.tensor([PROMPT + faulty[:-1]])
    with torch.no_grad():
        logits, _ = decoder(prefix, empty_cache())
    behind = logits[0, len(PROMPT) + step :]
    torch.testing.assert_close(faulty_logits[step + 1 :], behind, rtol=1e-5, atol=1e-5)
    assert faulty[step + 1 :] == behind.argmax(-1).tolist()
    (receipt,) = armed.receipts
    assert (receipt.first_forward, receipt.forwards) == (step, 1)
    assert receipt.hits == (
        len(PROMPT) if step == 0 else 1
    )  # the prefill has the logits of each token of the prompt
    assert_same(generate(decoder), (golden, golden_logits))


def test_a_lost_cache_entry_stays_lost(decoder: Decoder) -> None:
    def forget(step: int, decoder: Decoder, cache: Cache) -> Cache:
        if step == 3:
            cache[0][0, 1, 2] = 50.0  # the key of token 2 in head 1
            cache[1][0, 0, 5, 3] = -9.0
        return cache

    injector = injector_of(decoder)
    lines = "network-input:cache.0[1,2,*] constant(50)%3; network-input:cache.1[0,5,3] constant(-9)%3"
    with injector.armed(lines) as armed:
        faulty = generate(decoder)
    expected = generate(decoder, forget)
    assert_same(faulty, expected)
    assert not torch.allclose(expected[1], generate(decoder)[1])
    assert [receipt.hits for receipt in armed.receipts] == [WIDTH // HEADS, 1]


@torch.no_grad()
def test_what_goes_into_the_cache_is_read_by_the_next_step(decoder: Decoder) -> None:
    prompt, following = torch.tensor([PROMPT]), torch.tensor([[5]])
    # Feature 4 of what the layer gives is feature 0 of head 1.
    with injector_of(decoder).armed("output:value[3,4] constant(7)%0"):
        _, cache = decoder(prompt, empty_cache())
        faulty, _ = decoder(following, cache)
    _, cache = decoder(prompt, empty_cache())
    golden, _ = decoder(following, cache)
    cache[1][0, 1, 3, 0] = 7.0
    expected, _ = decoder(following, cache)
    torch.testing.assert_close(faulty, expected, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(expected, golden)


def test_scores_without_any_difference(written_out: Decoder) -> None:
    def blind(step: int, decoder: Decoder, cache: Cache) -> Cache:
        decoder.is_uniform = step in (2, 3)
        return cache

    injector = injector_of(written_out)
    with injector.armed("input:softmax[*] zero%2:4") as armed:
        faulty = generate(written_out)
    expected = generate(written_out, blind)
    assert_same(faulty, expected)
    assert not torch.allclose(expected[1], generate(written_out)[1])
    # Two forwards, of 6 and 7 tokens that one token looks at, in each head.
    assert (armed.receipts[0].forwards, armed.receipts[0].hits) == (2, HEADS * (6 + 7))


def test_inputs_of_fused_attention() -> None:
    fused, plain = Decoder(fused=True).eval(), Decoder().eval()
    plain.load_state_dict(fused.state_dict())

    def blind(step: int, decoder: Decoder, cache: Cache) -> Cache:
        decoder.is_uniform = step == 2
        return cache

    injector = injector_of(fused)
    # Where all keys are zero, all scores are.
    with injector.armed("input:scaled_dot_product_attention:1[*] zero%2"):
        faulty = generate(fused)
    assert_same(faulty, generate(plain, blind))


def test_a_weight_that_is_faulty_for_some_steps(decoder: Decoder) -> None:
    weight = decoder.value.weight
    before = weight[1, 2].item()

    def spoil(step: int, decoder: Decoder, cache: Cache) -> Cache:
        with torch.no_grad():
            weight[1, 2] = 30.0 if step in (1, 2) else before
        return cache

    injector = injector_of(decoder)
    with injector.armed("weight:value[1,2] constant(30)%1:3"):
        faulty = generate(decoder)
    assert weight[1, 2].item() == before
    assert_same(faulty, generate(decoder, spoil))


@pytest.mark.parametrize(
    ("kind", "site", "forwards"),
    [
        ("output", "head", "0"),
        ("output", "head", "4"),
        ("network-input", "cache.1", "5"),
        ("input", "softmax", "2"),
        ("output", "value", "1:"),
        ("weight", "query", ""),
    ],
)
def test_a_line_replays_the_same_tokens(written_out: Decoder, kind: str, site: str, forwards: str) -> None:
    injector = injector_of(written_out)
    golden, golden_logits = generate(written_out)
    changed = 0
    for key in range(20):
        fault = fw.Fault(kind=kind, site=site, location="[?]", model="flip(30)", forwards=forwards, key=key)
        runs = []
        for armed_fault in (fault, str(fault)):
            with injector.armed(armed_fault) as armed:
                runs.append((generate(written_out), armed.receipts[0]))
        (first, receipt), (second, again) = runs
        assert (
            torch.equal(first[1].nan_to_num(nan=-1), second[1].nan_to_num(nan=-1)) and first[0] == second[0]
        )
        assert receipt.victims[0].index == again.victims[0].index and receipt.hits == again.hits
        begin = int(forwards.rstrip(":") or 0)
        assert receipt.first_forward == begin and first[0][:begin] == golden[:begin]
        changed += not torch.equal(first[1], golden_logits)
    assert changed > 0


def test_each_forward_draws_in_its_own_shape(written_out: Decoder) -> None:
    injector = injector_of(written_out)
    lengths = []
    for step in range(COUNT):
        with injector.armed(f"output:softmax[?] zero%{step}#{step}") as armed:
            generate(written_out)
        (victim,) = armed.receipts[0].victims
        _, head, row, column = victim.index
        length = len(PROMPT) + step
        assert head < HEADS and row < (len(PROMPT) if step == 0 else 1) and column < length
        lengths.append(column)
    assert max(lengths) > 3  # beyond the example's


def test_what_the_loop_never_reaches_is_an_error(decoder: Decoder) -> None:
    injector = injector_of(decoder)
    for line in (f"output:head[0,3] flip(30)%{COUNT}", "network-input:cache.0[0,100,0] flip(30)"):
        with pytest.raises(fw.IllegalFaultError, match="hit nothing"), injector.armed(line):
            generate(decoder)
