# SPDX-License-Identifier: Apache-2.0
"""Two campaigns that tried the same faults, trial by trial."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from faultwave import _core
from faultwave._results import Results

if TYPE_CHECKING:
    import pandas


class Comparison:
    """Whether one network takes the same faults better than another: pairs of trials, criterion by criterion.

    `criteria` has for each criterion `counts` (both, first_only, second_only, neither), the rates `first` and
    `second` with their `difference` as intervals, `p_value` of McNemar's test, and `worse` ("first", "second"
    or None).
    """

    def __init__(self, core: _core.Comparison) -> None:
        self._core = core

    @property
    def pairs(self) -> int:
        """Trials that both campaigns have done."""
        return self._core.pairs

    @property
    def criteria(self) -> dict[str, _core.ComparedCriterion]:
        """By name."""
        return {criterion.name: criterion for criterion in self._core.criteria}

    def to_dataframe(self) -> pandas.DataFrame:
        """One row a criterion. Needs pandas."""
        import pandas

        rows = []
        for name, one in self.criteria.items():
            row = {"criterion": name, "first": one.first.estimate, "second": one.second.estimate}
            row |= {"difference": one.difference.estimate, "difference_low": one.difference.low}
            row |= {"difference_high": one.difference.high, "p_value": one.p_value, "worse": one.worse}
            row |= {"both": one.counts.both, "first_only": one.counts.first_only}
            row |= {"second_only": one.counts.second_only, "neither": one.counts.neither}
            rows.append(row)
        return pandas.DataFrame(rows)

    def text(self) -> str:
        """What `faultwave diff` prints."""
        return self._core.text()

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text())}</pre>"


def compare(first: Results, second: Results) -> Comparison:
    """Pairs trial k of one campaign with trial k of another: "is the protected network better?"

    Raises MismatchError if seed, way of drawing, error or inputs differ, naming the first trial whose fault
    does, and for stratified campaigns, whose trials do not count alike.
    """
    with first._database.read() as one, second._database.read() as other:
        return Comparison(_core.compare(one, other))
