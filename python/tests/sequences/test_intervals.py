# SPDX-License-Identifier: Apache-2.0
"""Exact intervals of rates, against the binomial distribution that defines them."""

from __future__ import annotations

import math

import pytest

import faultwave as fw


def at_most(count: int, trials: int, rate: float) -> float:
    """The probability of `count` events or fewer."""
    return sum(math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(count + 1))


@pytest.mark.parametrize(("count", "trials"), [(0, 30), (3, 100), (50, 100), (99, 100), (7, 7)])
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_each_end_leaves_half_of_the_doubt(count: int, trials: int, confidence: float) -> None:
    low, high = fw.clopper_pearson(count, trials, confidence)
    doubt = (1 - confidence) / 2
    if count == 0:
        assert low == 0
    else:
        assert 1 - at_most(count - 1, trials, low) == pytest.approx(doubt, rel=1e-6)
    if count == trials:
        assert high == 1
    else:
        assert at_most(count, trials, high) == pytest.approx(doubt, rel=1e-6)


@pytest.mark.parametrize(
    ("count", "trials", "confidence"), [(5, 3, 0.99), (-1, 3, 0.99), (1, 3, 1.0), (1, 3, 0.0)]
)
def test_what_has_no_interval(count: int, trials: int, confidence: float) -> None:
    with pytest.raises(fw.UsageError):
        fw.clopper_pearson(count, trials, confidence)
