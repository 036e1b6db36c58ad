# SPDX-License-Identifier: Apache-2.0
"""Keywords of a campaign, which are the keys of a specification (docs/campaigns.md), checked and typed."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from faultwave import _core
from faultwave._errors import UsageError


@dataclass(frozen=True)
class HalfWidth:
    """Ends a campaign as soon as intervals are narrow enough: `HalfWidth(0.002)` is 0.2 % on either side.

    Args:
        width: half the length of the interval, from 1e-9 to below 0.5.
        criteria: names of the criteria whose intervals must be so narrow; the first one if left out.
    """

    width: float
    criteria: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Minutes:
    """Ends a campaign after the round in which so much time of this run is over."""

    minutes: float


Stop = HalfWidth | Minutes | Sequence[HalfWidth | Minutes]


def near(wrong: str, known: Sequence[str]) -> str:
    """ "; did you mean a or b?", or "" where no name is near."""
    found = difflib.get_close_matches(wrong, known, n=3)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def refuse_unknown(unknown: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raises UsageError for the first keyword that nobody knows, with near names."""
    for name in unknown:
        advice = near(name, known) or f": expected one of {', '.join(known)}"
        raise UsageError(f"a campaign has no keyword '{name}'{advice}")


def _wrong(key: str, value: Any, expected: str) -> UsageError:
    return UsageError(f"{key} is {value!r}, of type {type(value).__name__}: expected {expected}")


def _integer(key: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _wrong(key, value, "a whole number")
    number = int(value.__index__())
    if not 0 <= number < 2**63:
        raise UsageError(f"{key} is {number}: expected a whole number from 0 to 9223372036854775807")
    return number


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise _wrong(key, value, "a number")
    return float(value)


def _boolean(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, value, "True or False")
    return value


def _choice(*choices: str) -> Callable[[str, Any], str]:
    def read(key: str, value: Any) -> str:
        if value not in choices:
            advice = near(value, choices) if isinstance(value, str) else ""
            raise UsageError(
                f"{key} is {value!r}: expected {' or '.join(repr(one) for one in choices)}{advice}"
            )
        return str(value)

    return read


def _texts(key: str, value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise _wrong(key, value, "a text, or a list of texts")
    if not texts:
        raise UsageError(f"{key} is empty: leave it out for the default, or name at least one")
    return list(texts)


def _path(key: str, value: Any) -> str:
    if not isinstance(value, str | os.PathLike):
        raise _wrong(key, value, "the path of a file")
    return os.fspath(value)


def _device(key: str, value: Any) -> str:
    try:
        return str(torch.device(value))
    except (RuntimeError, TypeError) as error:
        raise _wrong(key, value, "a device such as 'cpu' or 'cuda:1'") from error


def _dtype(key: str, value: Any) -> str:
    return str(value).removeprefix("torch.") if isinstance(value, str | torch.dtype) else _path(key, value)


def _per_trial(key: str, value: Any) -> int:
    if value == "each layer":
        return 0
    number = _integer(key, value) if not isinstance(value, str) else 0
    if number < 1:
        raise UsageError(f"{key} is {value!r}: expected a number of faults from 1, or 'each layer'")
    return number


def _memory(key: str, value: Any) -> int:
    if not isinstance(value, str):
        return _integer(key, value)
    found = re.fullmatch(r"(\d+) ?(MB|GB)", value)
    if found is None:
        raise UsageError(
            f"{key} is {value!r}: expected a number of bytes, or a text such as '500MB' or '4GB'"
        )
    return int(found[1]) << (30 if found[2] == "GB" else 20)


def _stop(key: str, value: Any) -> _core.StopRule:
    rules = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    stop = _core.StopRule()
    for rule in rules:
        if isinstance(rule, HalfWidth):
            stop.half_width = _number("HalfWidth", rule.width)
            stop.criteria = _texts("HalfWidth criteria", rule.criteria) if rule.criteria else []
        elif isinstance(rule, Minutes):
            stop.minutes = _number("Minutes", rule.minutes)
        else:
            raise _wrong(key, value, "fw.HalfWidth(...), fw.Minutes(...), or a list of both")
    if not stop.half_width > 0 and not stop.minutes > 0:
        raise UsageError(f"{key} never ends a campaign: expected fw.HalfWidth or fw.Minutes above 0")
    return stop


def preprocess_of(value: Mapping[str, Any] | None) -> _core.Preprocess:
    """How images become tensors: a mapping with `resize`, `crop`, `mean`, `std` (docs/inputs.md)."""
    preprocess = _core.Preprocess()
    if value is None:
        return preprocess
    if not isinstance(value, Mapping):
        raise _wrong("preprocess", value, "a dictionary with resize, crop, mean and std")
    known = ("resize", "crop", "mean", "std")
    for key, item in value.items():
        if key not in known:
            raise UsageError(
                f"preprocess has no key '{key}'{near(str(key), known) or ': expected ' + ', '.join(known)}"
            )
        setattr(
            preprocess, key, _integer(key, item) if key in ("resize", "crop") else [float(x) for x in item]
        )
    preprocess.is_scaled = "mean" in value or "std" in value
    return preprocess


# How each key is read; its name is the field of the core's specification but for those of _FIELDS.
_READERS: dict[str, Callable[[str, Any], Any]] = {
    "engine": _choice("wave", "direct"),
    "audit": _number,
    "device": _device,
    "dtype": _dtype,
    "seed": _integer,
    "trials": _integer,
    "batch": _integer,
    "block": _integer,
    "timeout": _number,
    "round": _integer,
    "stop": _stop,
    "random_key": _integer,
    "inputs_in_turn": _boolean,
    "only_right": _boolean,
    "confidence": _number,
    "keep": _choice("all", "events"),
    "kind": _choice("output", "input", "weight", "bias", "buffer", "network-input"),
    "sites": _texts,
    "draw": _choice("bits", "layers", "stratified", "exhaustive", "list"),
    "list": _path,
    "per_trial": _per_trial,
    "calibrate": _integer,
    "memory": _memory,
}
_FIELDS = {"per_trial": "faults_per_trial", "memory": "memory_bytes"}


def _check_ends(spec: _core.Specification) -> None:
    has_rule = spec.stop.half_width > 0 or spec.stop.minutes > 0
    if spec.trials == 0 and not has_rule and spec.draw not in ("exhaustive", "list"):
        raise UsageError(
            "nothing ends this campaign: give trials=, how many faults to try, or stop=fw.HalfWidth(...) or "
            "fw.Minutes(...)"
        )


def specification_of(keys: Mapping[str, Any]) -> _core.Specification:
    """The core's specification of these keywords; None stands for the default. Raises UsageError."""
    spec = _core.Specification()
    for key, value in keys.items():
        if value is not None:
            setattr(spec, _FIELDS.get(key, key), _READERS[key](key, value))
    if keys.get("trials") == 0:
        raise UsageError("trials is 0: expected at least one trial")
    if (spec.draw == "list") != (spec.list is not None):
        raise UsageError(
            "draw='list' and list= go together: list= is a file of fault lines, one trial's faults a line"
        )
    _check_ends(spec)
    return spec
