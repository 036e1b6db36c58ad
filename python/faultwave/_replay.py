# SPDX-License-Identifier: Apache-2.0
"""One trial that was run again."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from faultwave import _core
from faultwave._core import Receipt, Trial


class Replay:
    """One trial, run again alone as a real faulty run, with all that came of it."""

    def __init__(self, core: _core.Replayed, criteria: Sequence[str]) -> None:
        self._core = core
        self._criteria = tuple(criteria)

    @property
    def trial(self) -> Trial:
        """Its number, its input, its faults."""
        return self._core.trial

    @property
    def receipts(self) -> list[Receipt]:
        """One a fault: which values were hit, before and after. None if the run crashed before it told."""
        return self._core.receipts

    @property
    def golden(self) -> list[torch.Tensor]:
        """Outputs of the fault-free run, without the batch axis, on the CPU."""
        return self._core.golden

    @property
    def faulty(self) -> list[torch.Tensor]:
        """Outputs of the faulty run, likewise; empty if it crashed."""
        return self._core.faulty

    @property
    def outcome(self) -> str:
        """ "masked", "benign", "sdc", "due" or "crash"."""
        return self._core.outcome

    @property
    def fired(self) -> list[str]:
        """Names of the criteria that fired."""
        return [name for bit, name in enumerate(self._criteria) if self._core.fired >> bit & 1]

    @property
    def crash(self) -> str:
        """What the run raised; "" if nothing."""
        return self._core.crash

    def __repr__(self) -> str:
        fired = f": {', '.join(self.fired)}" if self.fired else ""
        lines = [f"trial {self.trial.number} on input {self.trial.input}: {self.outcome}{fired}"]
        lines += [f"  {receipt!r}" for receipt in self.receipts]
        return "\n".join(lines + ([f"  raised {self.crash}"] if self.crash else []))
