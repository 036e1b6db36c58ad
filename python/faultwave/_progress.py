# SPDX-License-Identifier: Apache-2.0
"""How far a campaign is, shown by tqdm where that is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faultwave import _core

Report = Callable[[_core.Progress], None]


def _rate_text(progress: _core.Progress, criterion: str) -> str:
    done = max(progress.tally.trials, 1)
    if progress.rate is None:
        return f"{criterion} {100 * progress.tally.fired[0] / done:.2f} %"
    half = (progress.rate.high - progress.rate.low) / 2
    aim = f", aim ±{100 * progress.half_width:.3g} %" if progress.half_width > 0 else ""
    return f"{criterion} {100 * progress.rate.estimate:.2f} % ±{100 * half:.2g} %{aim}"


def _bar(total: int, done: int) -> Any:
    """A bar of tqdm, in notebooks as a widget; None where tqdm is not installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:  # nice to have, and no more
        return None
    return tqdm(total=total, initial=done, unit=" trials", desc="campaign", dynamic_ncols=True)


class Shown:
    """Shows how far a campaign is, from the beginning of a `with` block to its end.

    Args:
        progress: whether to show a bar; or a function of the caller's own, which is told instead.
        criterion: what the rate in the bar is of.
        total: trials in all, at most.
        done: trials that earlier runs have done.
    """

    def __init__(self, progress: bool | Report, criterion: str, total: int, done: int) -> None:
        self._criterion = criterion
        self._bar: Any = _bar(total, done) if progress is True else None
        self.report: Report | None = progress if callable(progress) else None
        if self._bar is not None:
            self.report = self._tell

    def _tell(self, now: _core.Progress) -> None:
        self._bar.total = now.total
        self._bar.n = now.done
        self._bar.set_postfix_str(_rate_text(now, self._criterion), refresh=False)
        self._bar.refresh()

    def finish(self, done: int, is_at_end: bool) -> None:
        """The number that the bar stops at."""
        if self._bar is None:
            return
        self._bar.n = done
        if is_at_end:
            self._bar.total = done
        self._bar.refresh()

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
