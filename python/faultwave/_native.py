# SPDX-License-Identifier: Apache-2.0
"""Finds the extension module that was built for the installed version of torch.

An extension belongs to one minor version of torch, whose C++ interface changes with each. A package may hold several,
`builds/torch_2_13/_core...so`, and the one that fits is loaded under the name `faultwave._core`.
"""

import importlib
import importlib.machinery
import importlib.util
import pathlib
import sys
import types

import torch

_BUILDS = pathlib.Path(__file__).parent / "builds"


def torch_minor() -> tuple[int, int]:
    """Major and minor version of the installed torch."""
    major, minor = torch.__version__.split(".")[:2]
    return int(major), int(minor)


def built_versions() -> list[tuple[int, int]]:
    """Versions of torch that there is an extension for, of this Python."""
    versions = []
    for folder in _BUILDS.glob("torch_*_*"):
        if _extension_in(folder) is not None:
            _, major, minor = folder.name.split("_")
            versions.append((int(major), int(minor)))
    return sorted(versions)


def _extension_in(folder: pathlib.Path) -> pathlib.Path | None:
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = folder / f"_core{suffix}"
        if path.is_file():
            return path
    return None


def load() -> types.ModuleType:
    """Loads the extension. Raises ImportError, saying what to do, where none fits."""
    name = f"{__package__}._core"
    if name in sys.modules:
        return sys.modules[name]
    major, minor = torch_minor()
    path = _extension_in(_BUILDS / f"torch_{major}_{minor}")
    if path is None:
        raise ImportError(_no_build(major, minor))
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    sys.modules[name] = module
    setattr(sys.modules[__package__], "_core", module)
    return module


def _no_build(major: int, minor: int) -> str:
    versions = ", ".join(f"{a}.{b}" for a, b in built_versions()) or "no version of torch"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"Faultwave is installed for torch {versions} on Python {python}, and torch {torch.__version__} is what is "
        f"here; build it for this one with: pip install --no-build-isolation --no-binary faultwave faultwave"
    )
