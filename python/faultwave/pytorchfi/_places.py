# SPDX-License-Identifier: Apache-2.0
"""Places in a layer's tensor, as fault lines write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import faultwave as fw

Index = tuple[int, ...]

_BARE_NAME = re.compile(r'[^\s\x00-\x1f\x7f\[\]"@;]+')


def quoted(name: str) -> str:
    """A site name as it stands in a fault line."""
    if _BARE_NAME.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\x{ord(match[0]):02x}", escaped) + '"'


def _box(index: Index) -> str:
    return ",".join(str(position) for position in index)


def can_name(site: fw.Site) -> bool:
    """Whether an index into the whole tensor says the batch element by itself.

    Where an element takes up several positions of the batch axis, that depends on the size of the batch.
    """
    return bool(site.batch.rows == 1)


def neuron_line(site: fw.Site, index: Index, value: float) -> str:
    """The fault that sets one value of an output; `index` has one number an axis, the batch axis included."""
    axis = site.batch.dim
    if axis < 0:
        location, batch = index, ""
    else:
        location, batch = index[:axis] + index[axis + 1 :], f"@{index[axis]}"
    return f"output:{quoted(site.name)}[{_box(location)}]{batch} constant({value!r})"


def weight_line(site: fw.Site, indices: Sequence[Index], value: float) -> str:
    """The fault that sets these weights to one value."""
    boxes = "|".join(_box(index) for index in indices)
    return f"weight:{quoted(site.name)}[{boxes}] constant({value!r})"


def flat_index(parts: Iterable[object]) -> tuple[object, ...]:
    """The indices of a location in one tuple, without None at its end. A tuple among them is spread."""
    index: list[object] = []
    for part in parts:
        if isinstance(part, tuple | list):
            index.extend(part)
        else:
            index.append(part)
    while index and index[-1] is None:
        index.pop()
    return tuple(index)
