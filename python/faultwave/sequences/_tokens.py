# SPDX-License-Identifier: Apache-2.0
"""Generated tokens: where and how far two sequences of identifiers differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import torch

from faultwave._errors import InputError
from faultwave.sequences._edits import fewest_edits

Tokens = Sequence[int] | torch.Tensor


def first_divergent_token(golden: Tokens, faulty: Tokens) -> int | None:
    """The position, from 0, of the first token that differs; None if there is none.

    Where one sequence is the beginning of the other, that is the length of the shorter one.

    Args:
        golden: identifiers of tokens, a sequence of integers or an integer tensor [tokens].
        faulty: likewise; the length may be another.

    Example:
        >>> first_divergent_token([5, 8, 2], torch.tensor([5, 9, 2]))
        1
        >>> first_divergent_token([5, 8, 2], [5, 8])
        2
    """
    pairs = zip_longest(identifiers_of(golden, "golden"), identifiers_of(faulty, "faulty"))
    return next((position for position, (one, other) in enumerate(pairs) if one != other), None)


def tokens_that_differ(golden: Tokens, faulty: Tokens) -> float:
    """The share of positions at which the sequences differ, from 0 to 1, of the positions of the longer one.

    A position that only one of them has differs. Two empty sequences do not differ.

    Args:
        golden: identifiers of tokens, a sequence of integers or an integer tensor [tokens].
        faulty: likewise; the length may be another.

    Example:
        >>> tokens_that_differ([5, 8, 2, 7], [5, 9, 2])
        0.5
    """
    pairs = list(zip_longest(identifiers_of(golden, "golden"), identifiers_of(faulty, "faulty")))
    return sum(one != other for one, other in pairs) / len(pairs) if pairs else 0.0


def token_edit_distance(golden: Tokens, faulty: Tokens) -> int:
    """The fewest tokens to substitute, delete or insert that make the one sequence of the other.

    This is the distance of Levenshtein (1966). Unlike `tokens_that_differ` it counts one token that slipped in as one
    error, though it moves all that follow. Takes time in proportion to the product of both lengths.

    Args:
        golden: identifiers of tokens, a sequence of integers or an integer tensor [tokens].
        faulty: likewise; the length may be another.

    Example:
        >>> token_edit_distance([5, 8, 2, 7], [5, 1, 8, 2, 7])
        1
    """
    return sum(fewest_edits(identifiers_of(golden, "golden"), identifiers_of(faulty, "faulty")))


def identifiers_of(tokens: Tokens, name: str) -> list[int]:
    if isinstance(tokens, torch.Tensor):
        if (
            tokens.dim() != 1
            or tokens.is_floating_point()
            or tokens.is_complex()
            or tokens.dtype == torch.bool
        ):
            raise InputError(
                f"{name}: expected identifiers of tokens, an integer tensor [tokens], and got {described(tokens)}; "
                "give the sequences of a batch one by one"
            )
        return tokens.tolist()
    if isinstance(tokens, str) or not isinstance(tokens, Sequence):
        raise InputError(
            f"{name}: expected identifiers of tokens, a sequence of integers or an integer tensor [tokens], and got a "
            f"{type(tokens).__name__}"
        )
    for position, token in enumerate(tokens):
        if not hasattr(token, "__index__") or isinstance(token, bool):
            raise InputError(f"{name}: token {position} is {token!r}, and identifiers of tokens are integers")
    return [int(token) for token in tokens]


def described(tensor: torch.Tensor) -> str:
    return f"a tensor of shape {list(tensor.shape)} and type {str(tensor.dtype).removeprefix('torch.')}"
