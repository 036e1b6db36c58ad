# SPDX-License-Identifier: Apache-2.0
"""Loads the extension that was built for the installed version of torch, as `faultwave._core`, and tries it out."""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import sys
import types

import torch

from _faultwave import builds

_NAME = "faultwave._core"


def load() -> types.ModuleType:
    """The extension. Raises ImportError, saying what to do, where none fits or none works."""
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    path = builds.extension(builds.minor_of(torch.__version__))
    if path is None:
        raise ImportError(builds.no_build(torch.__version__))
    # Two copies of SQLite in one process would break each other's locks: Python's own comes first, and ours is that.
    with contextlib.suppress(ImportError):
        import _sqlite3  # noqa: F401
    module = _module_at(str(path))
    _try_out(module)
    sys.modules[_NAME] = module
    sys.modules["faultwave"]._core = module  # type: ignore[attr-defined]
    return module


def _module_at(path: str) -> types.ModuleType:
    loader = importlib.machinery.ExtensionFileLoader(_NAME, path)
    spec = importlib.util.spec_from_file_location(_NAME, path, loader=loader)
    assert spec is not None
    try:
        module = importlib.util.module_from_spec(spec)
    except ImportError as error:
        raise ImportError(
            f"the extension of Faultwave at {path} cannot be loaded with torch {torch.__version__} ({error}); "
            f"build it again with: {builds.build_command()}"
        ) from error
    loader.exec_module(module)
    return module


def _try_out(module: types.ModuleType) -> None:
    """One fault in one operator. It misses if something else sees operators in Faultwave's place."""
    try:
        module.check_interception()
    except Exception as error:
        raise ImportError(
            f"Faultwave cannot see the operators of torch {torch.__version__}: {error}"
        ) from error
