# SPDX-License-Identifier: Apache-2.0
"""Lists of sites that print as tables."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from faultwave._core import Site

if TYPE_CHECKING:
    import pandas

_COLUMNS = ("kind", "name", "op", "shape", "dtype", "channel_axis", "is_default")


def _cell(site: Site, column: str) -> str:
    value = getattr(site, column)
    if column == "shape":
        return "[" + ", ".join(str(size) for size in value) + "]"
    if column == "dtype":
        return str(value).removeprefix("torch.")
    if column == "is_default":
        return "yes" if value else ""
    return str(value)


class Sites(list[Site]):
    """Sites in execution order. A list that prints as a table, in notebooks as HTML."""

    def __init__(self, sites: Iterable[Site] = ()) -> None:
        super().__init__(sites)

    def rows(self) -> list[list[str]]:
        """The cells of the table, one row a site."""
        return [[_cell(site, column) for column in _COLUMNS] for site in self]

    def to_dataframe(self) -> pandas.DataFrame:
        """One row a site. Needs pandas."""
        import pandas

        columns: dict[str, list[Any]] = {
            column: [getattr(site, column) for site in self] for column in _COLUMNS
        }
        columns["dtype"] = [str(site.dtype).removeprefix("torch.") for site in self]
        columns["element_shape"] = [site.element_shape for site in self]
        columns["numel"] = [site.numel for site in self]
        return pandas.DataFrame(columns)

    def __repr__(self) -> str:
        rows = [list(_COLUMNS), *self.rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        lines.append(f"{len(self)} sites")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def row(cells: Iterable[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(row(cells, "td") for cells in self.rows())
        return f"<table><thead>{row(_COLUMNS, 'th')}</thead><tbody>{body}</tbody></table><p>{len(self)} sites</p>"
