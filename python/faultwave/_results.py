# SPDX-License-Identifier: Apache-2.0
"""What a campaign found: rates with intervals, tables by layer and the like, and its trials."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from faultwave import _core
from faultwave._database import Database
from faultwave._errors import UsageError
from faultwave._specification import near
from faultwave._trials import Trials

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

_PARTS = ("layer", "bit", "channel", "class", "input")


@dataclass(frozen=True)
class Rate:
    """How often a criterion fired, over a population, with the interval that holds the true rate.

    `estimate`, `low` and `high` are shares from 0 to 1. `count` of `trials` trials fired it; in a stratified
    campaign trials do not count alike, so that the estimate is not `count / trials`.
    """

    criterion: str
    estimate: float
    low: float
    high: float
    confidence: float
    count: int
    trials: int
    of: str  # what the rate is over: population, sampling, error model, interval

    @property
    def half_width(self) -> float:
        """Half the length of the interval."""
        return (self.high - self.low) / 2

    def __str__(self) -> str:
        if self.trials == 0:
            return f"{self.criterion}: no trials"
        return (
            f"{self.criterion}: {_percent(self.estimate)} [{_percent(self.low)}, {_percent(self.high)}] at "
            f"{100 * self.confidence:g} %, {self.count:,} of {self.trials:,} trials"
        )

    def __repr__(self) -> str:
        return f"{self}; {self.of}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


class Rates(Mapping[str, Rate]):
    """The rate of each criterion, by its name, and of runs that crashed or hung ("crash", "hang")."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._rates = {rate.criterion: rate for rate in rates}

    def __getitem__(self, criterion: str) -> Rate:
        if criterion not in self._rates:
            names = list(self._rates)
            raise KeyError(
                f"no criterion '{criterion}'{near(criterion, names) or ': there are ' + ', '.join(names)}"
            )
        return self._rates[criterion]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rates)

    def __len__(self) -> int:
        return len(self._rates)

    def to_dataframe(self) -> pandas.DataFrame:
        """One row a criterion: estimate, low, high, confidence, count, trials. Needs pandas."""
        import pandas

        fields = ("estimate", "low", "high", "confidence", "count", "trials")
        rows = [[getattr(rate, name) for name in fields] for rate in self._rates.values()]
        index = pandas.Index(list(self._rates), name="criterion")
        return pandas.DataFrame(rows, columns=list(fields), index=index)

    def __repr__(self) -> str:
        rates = list(self._rates.values())
        return "\n".join([*(str(rate) for rate in rates), rates[0].of] if rates else ["no rates"])


@dataclass(frozen=True)
class Group:
    """A part of a campaign's population: a layer, a bit, a layer and a bit."""

    name: str
    keys: Mapping[str, str]  # "layer": "output:conv1", say, one for each word that the table is by
    trials: int
    outcomes: Mapping[str, int]  # how many trials were masked, benign, sdc, due, crash, hang
    rates: Rates

    def __repr__(self) -> str:
        first = next(iter(self.rates.values()), None)
        return f"<{self.name}: {first if first is not None else 'no rates'}>"


class Groups(Sequence[Group]):
    """The parts of a population in their natural order: layers as they run, bits from the lowest."""

    def __init__(self, by: Sequence[str], groups: Sequence[Group]) -> None:
        self.by = tuple(by)
        self._groups = list(groups)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, str):
            found = [group for group in self._groups if group.name == position]
            if not found:
                names = [group.name for group in self._groups]
                raise KeyError(f"no {' and '.join(self.by)} '{position}'{near(position, names)}")
            return found[0]
        return self._groups[position]

    def __len__(self) -> int:
        return len(self._groups)

    def to_dataframe(self) -> pandas.DataFrame:
        """One row a part: what it is, trials, outcomes, and for each criterion `top1`, `top1_low`,
        `top1_high`, `top1_count` (rates from 0 to 1). Needs pandas."""
        import pandas

        rows = []
        for group in self._groups:
            row: dict[str, Any] = {**group.keys, "trials": group.trials, **group.outcomes}
            for name, rate in group.rates.items():
                if name in ("crash", "hang"):
                    continue  # their counts stand among the outcomes
                row |= {name: rate.estimate, f"{name}_low": rate.low, f"{name}_high": rate.high}
                row[f"{name}_count"] = rate.count
            rows.append(row)
        return pandas.DataFrame(rows)

    def __repr__(self) -> str:
        if not self._groups:
            return f"no {' and '.join(self.by)} has trials"
        width = max(len(group.name) for group in self._groups)
        lines = []
        for group in self._groups:
            rate = next(iter(group.rates.values()))
            lines.append(f"{group.name.ljust(width)}  {rate}")
        return "\n".join([*lines, next(iter(self._groups[0].rates.values())).of])


class Results:
    """A campaign's database, finished or under way. Made by `fw.open`, and by `Campaign.run`.

    The file is open only while it is read, so that it can be moved, copied and written to meanwhile.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.read() as store:
            self._info = store.info

    @property
    def path(self) -> str:
        """The database's file; "" for a campaign in memory."""
        return self._database.path

    @property
    def specification(self) -> str:
        """The campaign's specification, as TOML."""
        return str(self._info.specification)

    @property
    def sites(self) -> list[_core.StoredSite]:
        """The sites that faults were drawn from, in execution order."""
        return list(self._info.sites)

    @property
    def criteria(self) -> list[str]:
        """Names of the criteria, in the order of the report."""
        return list(self._info.criteria)

    @property
    def trials_done(self) -> int:
        """How many trials are recorded so far."""
        with self._database.read() as store:
            return store.trials_done()

    @property
    def ended(self) -> str:
        """Why the campaign is at its end: "trials", "half width", "time", "shard"; "" while it is not."""
        with self._database.read() as store:
            return store.ended()

    @property
    def statement(self) -> str:
        """What the numbers are of, in one line: error model, population, sampling, kind of interval."""
        info = self._info
        campaign = json.loads(self._summary().json())["campaign"]
        kinds = sorted({site.kind for site in info.sites})
        values = sum(site.values for site in info.sites)
        inputs = len(info.eligible_inputs) or info.inputs
        over = campaign.get("rate_over_all", "")
        drawn = {"exhaustive": "every fault tried", "list": "a list of fault lines"}.get(info.draw, over)
        return (
            f"{info.error} in {len(info.sites)} {' and '.join(kinds)} site{'s' * (len(info.sites) != 1)} with "
            f"{values:,} values, {inputs:,} input{'s' * (inputs != 1)}; {drawn}; seed {campaign['seed']}; interval: "
            f"{campaign['interval']}"
        )

    def _summary(self, by: str = "layer") -> _core.Summary:
        with self._database.read() as store:
            return _core.summarize(store, by)

    def _rates(self, group: _core.RateGroup, of: str) -> Rates:
        tally = group.tally
        named = list(zip(self._info.criteria, group.rates, tally.fired))
        named += [("crash", group.crash, tally.classes["crash"]), ("hang", group.hang, tally.classes["hang"])]
        return Rates(
            [
                Rate(name, rate.estimate, rate.low, rate.high, rate.confidence, count, tally.trials, of)
                for name, rate, count in named
            ]
        )

    @property
    def rates(self) -> Rates:
        """How often each criterion fired, over the whole population."""
        return self._rates(self._summary().overall, self.statement)

    @property
    def outcomes(self) -> dict[str, int]:
        """How many trials were masked, benign, sdc, due, crash, hang."""
        return dict(self._summary().overall.tally.classes)

    @property
    def accuracy(self) -> _core.Accuracy | None:
        """With labels: golden and faulty accuracy, and what faults lost and won; else None."""
        return self._summary().accuracy

    def by(self, *words: str) -> Groups:
        """Rates of parts: by "layer", "bit", "channel", "class" (golden top class), "input", or "layer" and
        "bit".

        By layer and bit it takes milliseconds; by the others all trials are walked, about a second for two
        million. Raises UsageError for anything else.
        """
        for word in words:
            if word not in _PARTS:
                raise UsageError(
                    f"cannot group by {word!r}: expected {', '.join(_PARTS)}{near(str(word), _PARTS)}"
                )
        if words == ("layer", "bit"):
            return self._by_layer_and_bit()
        if len(words) != 1:
            raise UsageError(
                f"cannot group by {' and '.join(words) or 'nothing'}: expected one word, or 'layer', 'bit'"
            )
        of = self.statement
        groups = [self._group({words[0]: group.name}, group, of) for group in self._summary(words[0]).groups]
        return Groups(words, groups)

    def _group(self, keys: dict[str, str], group: _core.RateGroup, of: str) -> Group:
        name = " ".join(keys.values())
        return Group(name, keys, group.tally.trials, dict(group.tally.classes), self._rates(group, of))

    def _by_layer_and_bit(self) -> Groups:
        info = self._info
        of = self.statement
        layers = [f"{site.kind}:{site.name}" for site in info.sites for _ in info.choices]
        with self._database.read() as store:
            found = _core.by_layer_and_bit(store) if self._summary().has_layers else []
        pairs = zip(layers, found)
        return Groups(
            ("layer", "bit"),
            [self._group({"layer": layer, "bit": group.name}, group, of) for layer, group in pairs],
        )

    @property
    def trials(self) -> Trials:
        """All trials that are done, one row each, for pandas, Arrow, Parquet and CSV."""
        return Trials(self._database)

    def text(self, by: str = "layer", most: int = 0, width: int = 0) -> str:
        """The report that `faultwave stats` prints.

        Args:
            by: what the table is by, as in `by()`.
            most: rows of the table, the worst first; 0 for all.
            width: columns of text to fit in; 0 for as wide as it gets.
        """
        return self._summary(by).text(most, width)

    def json(self, by: str = "layer") -> dict[str, Any]:
        """The report as `faultwave stats --json` prints it (docs/campaigns.md), read."""
        report: dict[str, Any] = json.loads(self._summary(by).json())
        return report

    def plot(self, by: str = "layer", criterion: str | None = None, ax: Axes | None = None) -> Axes:
        """A picture of the rates by "layer", "bit", "layer x bit", or of their "convergence". Needs
        matplotlib.

        Args:
            criterion: whose rates; the first one if left out.
            ax: where to draw; a new figure if left out.
        """
        from faultwave import _plots

        return _plots.plot(self, by, criterion, ax)

    def __repr__(self) -> str:
        return self.text(most=20, width=120)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text(most=20, width=140))}</pre>"


def open(path: str | os.PathLike[str]) -> Results:
    """The results in a database, also while a campaign writes to it. Raises StoreError if it cannot be
    read."""
    return Results(Database(os.fspath(path)))


def merge(databases: Sequence[str | os.PathLike[str]], output: str | os.PathLike[str]) -> Results:
    """Joins the shards of a campaign, in any order, into a new database: complete or not at all. Reports and
    exports equal those of a campaign that ran in one piece.

    Raises MismatchError naming what differs, UsageError for a shard that is missing, there twice or not
    finished, and StoreError for files that cannot be read or created.
    """
    _core.merge([os.fspath(path) for path in databases], os.fspath(output))
    return open(output)
