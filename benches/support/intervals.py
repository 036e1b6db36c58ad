# SPDX-License-Identifier: Apache-2.0
"""The interval of Clopper and Pearson, for outcomes that another tool's trials gave."""

import math

STEPS = 60  # of a bisection: beyond the last bit of a double


def at_most(events: int, trials: int, rate: float) -> float:
    """P(X <= events) of a binomial variable."""
    if rate <= 0 or events >= trials:
        return 1.0
    if rate >= 1:
        return 0.0
    total = 0.0
    for k in range(events + 1):
        ways = math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        total += math.exp(ways + k * math.log(rate) + (trials - k) * math.log1p(-rate))
    return min(total, 1.0)


def rate_at(events: int, trials: int, probability: float) -> float:
    """The rate at which P(X <= events) is this; it falls as the rate grows."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if at_most(events, trials, middle) > probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def clopper_pearson(events: int, trials: int, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else rate_at(events - 1, trials, 1 - tail)
    high = 1.0 if events == trials else rate_at(events, trials, tail)
    return low, high
