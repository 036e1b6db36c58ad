# SPDX-License-Identifier: Apache-2.0
"""The trials of a campaign as tables."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

from faultwave import _core
from faultwave._database import Database
from faultwave._errors import StoreError

if TYPE_CHECKING:
    import pandas
    import pyarrow

# Columns of the export (docs/campaigns.md). All others are one a criterion: 1 if it fired.
_INTEGERS = ("trial", "input", "forwards", "hits", "label", "golden_class", "faulty_class")
_NUMBERS = ("value_before", "value_after", "golden_probability", "faulty_probability")
_NAMES = ("kind", "site", "dtype", "outcome")
_TEXTS = ("fault", "index", "bits_before", "bits_after", "crash")


class Trials:
    """One row a finished trial, ascending: fault, receipt, outcome, top classes, and a column for each
    criterion.

    Trials without a row of their own in the database (`keep`) have their receipts and classes empty.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __len__(self) -> int:
        with self._database.read() as store:
            return store.trials_done()

    def _criteria(self) -> list[str]:
        with self._database.read() as store:
            return list(store.info.criteria)

    def _write_csv(self, path: str) -> None:
        with self._database.read() as store:
            _core.write_csv(store, path)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Writes what `faultwave export` writes. Raises StoreError for a file that exists."""
        _refuse_existing(path)
        self._write_csv(os.fspath(path))

    def to_dataframe(self) -> pandas.DataFrame:
        """A DataFrame: whole numbers as int64, or as Int64 where cells may be empty, names as categories.
        Needs pandas."""
        import pandas

        criteria = self._criteria()
        types: dict[str, Any] = dict.fromkeys(_INTEGERS, "Int64")
        types |= {"trial": "int64", "input": "int64"}
        types |= dict.fromkeys(_NUMBERS, "float64")
        types |= dict.fromkeys(_NAMES, "category")
        types |= dict.fromkeys(_TEXTS, "string")
        types |= dict.fromkeys(criteria, "int8")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trials.csv")
            self._write_csv(path)
            empty = {name: ["", "nan"] if name in _NUMBERS else [""] for name in types}
            table = pandas.read_csv(path, dtype=types, keep_default_na=False, na_values=empty)
        for name in criteria:
            table[name] = table[name].astype(bool)
        return table

    def to_arrow(self) -> pyarrow.Table:
        """An Arrow table. Empty cells are null, and NaN is a number. Needs pyarrow."""
        import pyarrow
        import pyarrow.csv

        types = {name: pyarrow.int64() for name in _INTEGERS}
        types |= {name: pyarrow.float64() for name in _NUMBERS}
        types |= {name: pyarrow.string() for name in _TEXTS}
        types |= {name: pyarrow.dictionary(pyarrow.int32(), pyarrow.string()) for name in _NAMES}
        types |= {name: pyarrow.bool_() for name in self._criteria()}
        convert = pyarrow.csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            true_values=["1"],
            false_values=["0"],
        )
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trials.csv")
            self._write_csv(path)
            return pyarrow.csv.read_csv(path, convert_options=convert)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Writes a Parquet file. Needs pyarrow. Raises StoreError for a file that exists."""
        import pyarrow.parquet

        _refuse_existing(path)
        pyarrow.parquet.write_table(self.to_arrow(), os.fspath(path))

    def __repr__(self) -> str:
        return f"<{len(self):,} trials; to_dataframe(), to_arrow(), to_csv(), to_parquet()>"


def _refuse_existing(path: str | os.PathLike[str]) -> None:
    if os.path.exists(path):
        raise StoreError(f"'{os.fspath(path)}' exists: choose another name, or remove it first")
