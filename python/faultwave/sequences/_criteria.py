# SPDX-License-Identifier: Apache-2.0
"""Criteria for campaigns on language models, whose network returns logits [batch, tokens, vocabulary].

Both know their borders, so that a wave's trial is run again as a real faulty run only where rounding may decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from faultwave._core import Criterion
from faultwave._criteria import criterion
from faultwave._errors import InputError, UsageError
from faultwave.sequences._predictions import check_same_shape, loss
from faultwave.sequences._tokens import Tokens


def perplexity_ratio_above(
    ratio: float, targets: Tokens | Sequence[Tokens], *, name: str = "perplexity_ratio"
) -> Criterion:
    """Fires where the faulty run's perplexity is at least `ratio` times the golden one's, or is NaN.

    The formula is that of `perplexity_ratio`.

    Args:
        ratio: above 0; 1.1 is a tenth more.
        targets: the identifiers that came, [tokens], the same for all inputs; or one such sequence an input. Then the
            campaign's `labels` must be the inputs' numbers, `range(len(inputs))`.
        name: the column's name, for a campaign with several of them.

    Raises:
        UsageError: the ratio is none, or the name is taken.

    Example:
        >>> harmful = perplexity_ratio_above(1.1, ids[1:])
        >>> fw.Campaign(lambda ids: model(ids)[:, :-1], ids[None], criteria=harmful, trials=1000, modules=model)
    """
    if not 0 < ratio < math.inf:
        raise UsageError(f"perplexity_ratio_above({ratio}): expected a finite ratio above 0")

    def margin(golden: torch.Tensor, faulty: torch.Tensor, label: int | None) -> torch.Tensor:
        check_same_shape(golden, faulty)
        expected = _of_input(targets, label)
        return loss(faulty, expected, "faulty") - loss(golden, expected, "golden")

    return criterion(name, margin=margin, threshold=math.log(ratio))


def predictions_differ_above(share: float = 0.0, *, name: str = "predictions_differ") -> Criterion:
    """Fires where the likeliest next token differs at more than this share of the tokens.

    With 0 that is at any token. A token whose faulty logits hold NaN differs. It needs no text to compare with.

    Args:
        share: from 0 to below 1.
        name: the column's name, for a campaign with several of them.

    Raises:
        UsageError: the share is none, or the name is taken.

    Example:
        >>> fw.Campaign(model, ids[None], criteria=predictions_differ_above(0.05), trials=1000)
    """
    if not 0 <= share < 1:
        raise UsageError(f"predictions_differ_above({share}): expected a share from 0 to below 1")

    def fires(golden: torch.Tensor, faulty: torch.Tensor) -> bool:
        check_same_shape(golden, faulty)
        return bool(_differ(golden, faulty).sum() > share * len(golden))

    def near_border(golden: torch.Tensor, faulty: torch.Tensor, rounding: float) -> bool:
        differ = _differ(golden, faulty)
        unsure = _close(golden, rounding) | _close(faulty, rounding)
        fewest, most = (differ & ~unsure).sum(), (differ | unsure).sum()
        return bool((fewest > share * len(golden)) != (most > share * len(golden)))

    return criterion(name, fires, near_border=near_border)


def _of_input(targets: Tokens | Sequence[Tokens], label: int | None) -> Tokens:
    """The targets of the input whose number is the label; those of all inputs where there is one sequence."""
    first = targets[0] if len(targets) > 0 else 0
    if not isinstance(first, Sequence) and not (isinstance(first, torch.Tensor) and first.dim() > 0):
        return targets  # type: ignore[return-value]
    if label is None or not 0 <= label < len(targets):
        raise InputError(
            f"there are targets of {len(targets)} inputs, and this input's label is {label}; give the campaign "
            "labels=range(len(inputs))"
        )
    return targets[label]  # type: ignore[return-value]


def _differ(golden: torch.Tensor, faulty: torch.Tensor) -> torch.Tensor:
    """Of each token, whether the likeliest next one differs, [tokens]."""
    return (golden.argmax(-1) != faulty.argmax(-1)) | faulty.isnan().any(-1)


def _close(logits: torch.Tensor, rounding: float) -> torch.Tensor:
    """Of each token, whether rounding may exchange the two likeliest next ones, [tokens]."""
    if logits.shape[-1] < 2:
        return torch.zeros(len(logits), dtype=torch.bool)
    logits = logits.double()
    finite = logits[logits.isfinite()]
    largest = float(finite.abs().max()) if finite.numel() > 0 else 0.0
    best, second = logits.topk(2).values.unbind(-1)
    return best - second <= 2 * rounding * largest
