# SPDX-License-Identifier: Apache-2.0
"""Intervals of rates that were counted outside of a campaign."""

from __future__ import annotations

from faultwave import _core


def clopper_pearson(count: int, trials: int, confidence: float = 0.99) -> tuple[float, float]:
    """The exact two-sided interval of a rate, its low and its high end, for `count` events in `trials` trials.

    Low is the alpha/2 quantile of Beta(count, trials - count + 1), high the 1 - alpha/2 quantile of
    Beta(count + 1, trials - count), with alpha = 1 - confidence (Clopper and Pearson, Biometrika 26, 1934). It holds
    for a number of trials that was fixed beforehand.

    Raises:
        UsageError: unless 0 <= count <= trials and 0 < confidence < 1.

    Example:
        >>> low, high = clopper_pearson(0, 300)
        >>> f"{low:.4f} to {high:.4f}"
        '0.0000 to 0.0175'
    """
    return _core.clopper_pearson(count, trials, confidence)
