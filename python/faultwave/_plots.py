# SPDX-License-Identifier: Apache-2.0
"""Pictures of what a campaign found, by matplotlib."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from faultwave import _core
from faultwave._errors import UsageError
from faultwave._specification import near

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from faultwave._results import Groups, Results

_COLOR = "#1f5a93"
_BAND = "#a9c6e3"
_SHOWN_NAMES = 40  # names of layers beside an axis; beyond, every second, third, ...
_LOOKS = 300  # points of a curve


def plot(result: Results, by: str, criterion: str | None, ax: Axes | None) -> Axes:
    """See Results.plot."""
    name = result.criteria[0] if criterion is None else criterion
    known = [*result.criteria, "crash", "hang"]
    if name not in known:
        raise UsageError(
            f"there is no criterion '{name}': expected one of {', '.join(known)}{near(name, known)}"
        )
    draw = _PLOTS.get(by)
    if draw is None:
        raise UsageError(
            f"there is no picture by '{by}': expected {', '.join(_PLOTS)}{near(by, list(_PLOTS))}"
        )
    return draw(result, name, ax)


def _axes(ax: Axes | None, width: float, height: float) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, height), layout="constrained")
    return axes


def _grouped(number: int) -> str:
    return f"{number:,}"


def _describe(ax: Axes, result: Results, name: str, what: str) -> None:
    """The title, and below it in small print what the numbers are of."""
    info = result._info
    ax.set_title(f"{name} {what}", loc="left", fontsize=11, fontweight="bold", pad=22)
    line = (
        f"{info.error} in {_grouped(sum(site.values for site in info.sites))} values of {len(info.sites)} sites, "
        f"{_grouped(result.trials_done)} trials, intervals at {100 * info.confidence:g} %"
    )
    ax.annotate(
        line,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 5),
        textcoords="offset points",
        fontsize=8,
        color="0.35",
        va="bottom",
    )


def _tidy(ax: Axes, grid: Literal["x", "y", "both"]) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis=grid, color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)


def _short(layer: str) -> str:
    """A site's name without its kind, and with a long path cut in its middle."""
    name = layer.split(":", 1)[1] if ":" in layer else layer
    return name if len(name) <= 34 else f"{name[:12]}…{name[-20:]}"


def _percents(groups: Groups, name: str) -> tuple[list[float], list[list[float]]]:
    """Estimates, and how far intervals reach to either side, in percent; NaN for a part without trials."""
    rates = [group.rates[name] for group in groups]
    middle = [100 * rate.estimate if rate.trials else math.nan for rate in rates]
    below = [max(0.0, 100 * (rate.estimate - rate.low)) if rate.trials else math.nan for rate in rates]
    above = [max(0.0, 100 * (rate.high - rate.estimate)) if rate.trials else math.nan for rate in rates]
    return middle, [below, above]


def _require(groups: Sequence[Any], what: str) -> None:
    if not groups:
        raise UsageError(
            f"there is nothing to draw by {what}: trials of several faults lie in several layers"
        )


def _by_layer(result: Results, name: str, ax: Axes | None) -> Axes:
    """Layers from top to bottom as they run, with intervals as error bars."""
    groups = result.by("layer")
    _require(groups, "layer")
    count = len(groups)
    ax = _axes(ax, 7.2, min(1.6 + 0.24 * count, 13.0))
    middle, reach = _percents(groups, name)
    places = list(range(count))
    size = 5 if count <= _SHOWN_NAMES else 3.5
    ax.errorbar(
        middle, places, xerr=reach, fmt="o", color=_COLOR, ecolor=_BAND, elinewidth=2, markersize=size
    )
    step = math.ceil(count / _SHOWN_NAMES)
    ax.set_yticks(
        places[::step], [_short(group.name) for group in groups[::step]], fontsize=8 if count > 20 else 9
    )
    ax.set_ylim(count - 0.4, -0.6)
    ax.set_xlabel(f"{name}, % of trials")
    ax.set_ylabel("layer, in execution order" + (f" (every {_ordinal(step)} named)" if step > 1 else ""))
    overall = result.rates[name]
    label = f"all layers {100 * overall.estimate:.3g} %"
    ax.axvline(100 * overall.estimate, color="0.45", linewidth=1, linestyle="--", zorder=1, label=label)
    ax.legend(frameon=False, fontsize=9, loc="best")
    right = ax.get_xlim()[1]
    ax.set_xlim(-0.015 * right, right)
    _tidy(ax, "x")
    _describe(ax, result, name, "by layer")
    return ax


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _bit_of(choice: str) -> int | None:
    """The number of the bit in `flip(30)`."""
    found = re.fullmatch(r"[a-z0-9_]+\((?:[a-z0-9_]+:)?(\d+)\)", choice)
    return int(found[1]) if found else None


def _bit_fields(bits: int, dtypes: set[str]) -> list[tuple[str, int, int]]:
    """Names of the fields of a floating-point number, each with its first bit and one behind its last."""
    exponent = {"float32": 8, "float16": 5, "bfloat16": 8, "float64": 11}.get(next(iter(dtypes)), 0)
    width = {"float32": 32, "float16": 16, "bfloat16": 16, "float64": 64}.get(next(iter(dtypes)), 0)
    if len(dtypes) != 1 or exponent == 0 or bits != width:
        return []
    return [
        ("mantissa", 0, bits - 1 - exponent),
        ("exponent", bits - 1 - exponent, bits - 1),
        ("sign", bits - 1, bits),
    ]


def _name_fields(ax: Axes, fields: Sequence[tuple[str, int, int]]) -> None:
    """Writes above a bit axis what the bits are."""
    for name, first, end in fields:
        if first > 0:
            ax.axvline(first - 0.5, color="0.75", linewidth=0.8, zorder=1)
        middle = (first + end - 1) / 2
        ax.annotate(
            name,
            (middle, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, -3),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=8,
            color="0.45",
            rotation=90 if end - first == 1 else 0,
        )


def _bit_names(choices: Sequence[str]) -> tuple[list[str], str]:
    numbers = [_bit_of(choice) for choice in choices]
    if all(number is not None for number in numbers):
        return [str(number) for number in numbers], "bit, 0 the lowest"
    return list(choices), "error"


def _fields_of(result: Results) -> list[tuple[str, int, int]]:
    info = result._info
    numbers = [_bit_of(choice) for choice in info.choices]
    if numbers != list(range(len(numbers))) or any(":" in choice for choice in info.choices):
        return []
    return _bit_fields(len(numbers), {site.dtype for site in info.sites})


def _by_bit(result: Results, name: str, ax: Axes | None) -> Axes:
    groups = result.by("bit")
    _require(groups, "bit")
    ax = _axes(ax, 7.2, 3.6)
    middle, reach = _percents(groups, name)
    names, label = _bit_names([group.name for group in groups])
    places = list(range(len(groups)))
    ax.bar(places, middle, color=_BAND, width=0.8)
    ax.errorbar(places, middle, yerr=reach, fmt="none", ecolor=_COLOR, elinewidth=1.4, capsize=2)
    step = math.ceil(len(places) / 32)
    ax.set_xticks(places[::step], names[::step], fontsize=8)
    ax.set_xlim(-0.7, len(places) - 0.3)
    top = max((value + up for value, up in zip(middle, reach[1]) if not math.isnan(value)), default=1.0)
    ax.set_ylim(0, 1.16 * top if top > 0 else 1)
    ax.set_xlabel(label)
    ax.set_ylabel(f"{name}, % of trials")
    _name_fields(ax, _fields_of(result))
    _tidy(ax, "y")
    _describe(ax, result, name, "by bit")
    return ax


def _by_layer_and_bit(result: Results, name: str, ax: Axes | None) -> Axes:
    """Estimates as a heat map; a cell without trials is left grey."""
    import numpy

    groups = result.by("layer", "bit")
    _require(groups, "layer and bit")
    layers = list(dict.fromkeys(group.keys["layer"] for group in groups))
    bits = list(dict.fromkeys(group.keys["bit"] for group in groups))
    rates = [group.rates[name] for group in groups]
    values = numpy.array([100 * rate.estimate if rate.trials else math.nan for rate in rates])
    ax = _axes(ax, 8.0, min(1.9 + 0.2 * len(layers), 12.0))
    ax.set_facecolor("0.88")
    table = values.reshape(len(layers), len(bits))
    image = ax.imshow(table, aspect="auto", cmap="viridis", vmin=0, interpolation="nearest")
    names, label = _bit_names(bits)
    step = math.ceil(len(bits) / 16)
    ax.set_xticks(range(0, len(bits), step), names[::step], fontsize=8)
    step = math.ceil(len(layers) / _SHOWN_NAMES)
    ax.set_yticks(range(0, len(layers), step), [_short(layer) for layer in layers[::step]], fontsize=8)
    ax.set_xlabel(label)
    ax.set_ylabel("layer, in execution order" + (f" (every {_ordinal(step)} named)" if step > 1 else ""))
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02)
    bar.set_label(f"{name}, % of trials (grey: none)", fontsize=9)
    _describe(ax, result, name, "by layer and bit")
    return ax


def _convergence(result: Results, name: str, ax: Axes | None) -> Axes:
    """The rate and its interval as one would have read them after so many trials."""
    info = result._info
    if name not in info.criteria:
        raise UsageError(
            f"the convergence of '{name}' cannot be drawn: expected one of {', '.join(info.criteria)}"
        )
    if result._summary().interval != "Clopper-Pearson":
        raise UsageError(
            "the convergence of this campaign cannot be drawn: its trials do not count alike, or every fault was tried"
        )
    done = result.trials_done
    count = min(done, _LOOKS)
    looks = sorted({max(1, round(done ** ((i + 1) / count))) for i in range(count)}) if done else []
    with result._database.read() as store:
        found = _core.convergence(store, info.criteria.index(name), looks)
    trials = [look.trials for look in found]
    ax = _axes(ax, 7.2, 3.6)
    low = [100 * look.rate.low for look in found]
    high = [100 * look.rate.high for look in found]
    ax.fill_between(
        trials, low, high, color=_BAND, linewidth=0, label=f"{100 * info.confidence:g} % interval"
    )
    ax.plot(trials, [100 * look.rate.estimate for look in found], color=_COLOR, linewidth=1.6, label="rate")
    ax.set_xscale("log")
    ax.set_xlim(max(min(trials, default=1), done / 1000 if done > 1000 else 1), max(done, 2))
    shown = [value for value, at in zip(high, trials) if at >= min(done, max(20, done / 100))]
    ax.set_ylim(0, min(100.0, 1.1 * max(shown, default=1.0)) or 1)
    ax.xaxis.set_major_formatter(lambda value, _: _grouped(round(value)))
    ax.set_xlabel("trials")
    ax.set_ylabel(f"{name}, % of trials")
    ax.legend(frameon=False, fontsize=9, loc="upper right")
    _tidy(ax, "both")
    _describe(ax, result, name, "over trials")
    return ax


_PLOTS: dict[str, Callable[[Results, str, Axes | None], Axes]] = {
    "layer": _by_layer,
    "bit": _by_bit,
    "layer x bit": _by_layer_and_bit,
    "convergence": _convergence,
}
