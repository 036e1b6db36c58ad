# SPDX-License-Identifier: Apache-2.0
"""Draws that the error models share."""

from __future__ import annotations

import random


def random_value(min_val: float = -1, max_val: float = 1) -> float:
    """A value drawn uniformly between `min_val` and `max_val` by Python's global generator."""
    return random.uniform(min_val, max_val)
