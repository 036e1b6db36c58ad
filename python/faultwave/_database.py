# SPDX-License-Identifier: Apache-2.0
"""Where a campaign's results are: a file, or memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from faultwave import _core


class Database:
    """A database of this path, which is opened when it is read; or one in memory."""

    def __init__(self, path: str, in_memory: _core.Store | None = None) -> None:
        self.path = path
        self._in_memory = in_memory

    @contextmanager
    def read(self) -> Iterator[_core.Store]:
        """The database, open while the block lasts. Raises StoreError if it cannot be read."""
        if self._in_memory is not None:
            yield self._in_memory
            return
        store = _core.Store.open(self.path)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def write(self) -> Iterator[_core.Store]:
        """Likewise for writing, which one process may do at a time."""
        if self._in_memory is not None:
            yield self._in_memory
            return
        store = _core.Store.open(self.path, writable=True)
        try:
            yield store
        finally:
            store.close()
