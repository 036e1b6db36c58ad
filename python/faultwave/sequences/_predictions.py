# SPDX-License-Identifier: Apache-2.0
"""What a language model predicts: perplexity, and how far a fault moved it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from faultwave._errors import InputError
from faultwave.sequences._tokens import Tokens, described, identifiers_of

# How many rows of logits are turned into FP64 at a time: a vocabulary of 262,144 tokens takes 2 MiB a row.
_ROWS = 16


def perplexity(logits: torch.Tensor, targets: Tokens) -> float:
    """The perplexity of a text: exp(-mean over tokens of ln p(target)), with p = softmax(logits), in FP64.

    A model that is certain of each token has perplexity 1, one that guesses has that of the size of the vocabulary. It
    is infinite where a target has no probability, and NaN where logits hold NaN or +infinity.

    Args:
        logits: [tokens, vocabulary], floating point; row t is what the model predicts for target t.
        targets: [tokens], the identifiers that came, from 0 to vocabulary - 1. A causal model predicts the next token:
            `perplexity(logits[:-1], ids[1:])`.

    Example:
        >>> round(perplexity(torch.zeros(3, 8), [0, 5, 7]), 9)
        8.0
    """
    return _exp(float(loss(logits, targets, "logits")))


def perplexity_ratio(golden: torch.Tensor, faulty: torch.Tensor, targets: Tokens) -> float:
    """The perplexity of the faulty run over that of the golden one, of the same text.

    1 where the fault does no harm, and NaN where a perplexity is NaN, or both are infinite. It is worked out as
    exp(mean ln p(golden) - mean ln p(faulty)), in FP64, so that large perplexities do not overflow.

    Args:
        golden: logits [tokens, vocabulary], floating point.
        faulty: likewise.
        targets: [tokens], the identifiers that came, from 0 to vocabulary - 1.

    Example:
        >>> golden, faulty = torch.tensor([[3.0, 3.0]]), torch.tensor([[0.0, -1000.0]])
        >>> round(perplexity_ratio(golden, faulty, [0]), 9)
        0.5
    """
    check_same_shape(golden, faulty)
    return _exp(float(loss(faulty, targets, "faulty") - loss(golden, targets, "golden")))


def kl_divergence(golden: torch.Tensor, faulty: torch.Tensor) -> float:
    """How far a fault moved the predictions: mean over tokens of KL(p golden || p faulty), in nats, in FP64.

    KL(p || q) = sum of p ln(p / q) over the vocabulary (Kullback and Leibler, 1951), with p and q softmax of the
    logits. It needs no text to compare with. 0 where nothing moved, infinite where a token that golden expects has no
    probability any more, NaN where logits hold NaN or +infinity.

    Args:
        golden: logits [tokens, vocabulary], floating point.
        faulty: likewise.

    Example:
        >>> golden, faulty = torch.tensor([[0.0, -1000.0]]), torch.tensor([[2.0, 2.0]])
        >>> round(kl_divergence(golden, faulty), 6)  # ln 2
        0.693147
    """
    check_same_shape(golden, faulty)
    total = 0.0
    for rows in _parts(len(golden)):
        ln_p, ln_q = golden[rows].double().log_softmax(-1), faulty[rows].double().log_softmax(-1)
        p = ln_p.exp()
        # What has no probability adds nothing, whatever the faulty run gives it.
        total += float(torch.where(p == 0, 0.0, p * (ln_p - ln_q)).sum())
    return total / len(golden)


def check_logits(logits: torch.Tensor, name: str) -> None:
    if not isinstance(logits, torch.Tensor):
        raise InputError(f"{name}: expected a tensor [tokens, vocabulary], and got a {type(logits).__name__}")
    if logits.dim() != 2 or not logits.is_floating_point() or 0 in logits.shape:
        raise InputError(
            f"{name}: expected floating-point logits [tokens, vocabulary] of one token or more, and got "
            f"{described(logits)}; give the elements of a batch one by one"
        )


def check_same_shape(golden: torch.Tensor, faulty: torch.Tensor) -> None:
    check_logits(golden, "golden")
    check_logits(faulty, "faulty")
    if golden.shape != faulty.shape:
        raise InputError(
            f"golden logits are {list(golden.shape)} and faulty ones {list(faulty.shape)}; run both on the same tokens"
        )


def _target_tensor(logits: torch.Tensor, targets: Tokens) -> torch.Tensor:
    identifiers = identifiers_of(targets, "targets")
    tokens, vocabulary = logits.shape
    if len(identifiers) != tokens:
        raise InputError(
            f"there are {len(identifiers)} targets and logits of {tokens} tokens; row t of the logits predicts target t"
        )
    for position, target in enumerate(identifiers):
        if not 0 <= target < vocabulary:
            raise InputError(
                f"target {position} is {target}, and the vocabulary has the identifiers 0 to {vocabulary - 1}; leave "
                "out the rows of padding"
            )
    return torch.tensor(identifiers, device=logits.device)


def loss(logits: torch.Tensor, targets: Tokens, name: str) -> torch.Tensor:
    """The mean over tokens of -ln p(target), in nats: one FP64 number, with a gradient where the logits have one."""
    check_logits(logits, name)
    expected = _target_tensor(logits, targets)
    total = torch.zeros((), dtype=torch.float64, device=logits.device)
    for rows in _parts(len(logits)):
        ln_p = logits[rows].double().log_softmax(-1)
        total = total - ln_p.gather(1, expected[rows, None]).sum()
    return total / len(logits)


def _parts(tokens: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS) for start in range(0, tokens, _ROWS))


def _exp(value: float) -> float:
    """exp, with infinity where that is beyond the largest FP64 number."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
