# SPDX-License-Identifier: Apache-2.0
"""The builds that the package holds, one for each minor version of torch.

The C++ interface of torch changes with each minor version, so that an extension and a program belong to one of them.
`faultwave/builds/torch_2_13` holds both for torch 2.13, the extension for one or several versions of Python.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import importlib.metadata

PROGRAM = "faultwave"

Version = tuple[int, int]


def minor_of(version: str) -> Version:
    """(2, 13) of "2.13.0+cpu"."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def installed_torch() -> tuple[pathlib.Path, str] | None:
    """Folder and version of the torch that `import torch` would load, which is not imported; None without one."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = pathlib.Path(spec.submodule_search_locations[0])
    if not (folder / "version.py").is_file():
        return None
    version = re.search(r"^__version__ *= *'([^']+)'", (folder / "version.py").read_text(), re.MULTILINE)
    return (folder, version[1]) if version else None


def _package_folders() -> list[pathlib.Path]:
    # Several where the package is installed for editing: its sources, and what was built.
    spec = importlib.util.find_spec("faultwave")
    return [pathlib.Path(folder) for folder in (spec and spec.submodule_search_locations) or []]


def _extension_names() -> list[str]:
    return [f"_core{suffix}" for suffix in importlib.machinery.EXTENSION_SUFFIXES]


def _find(version: Version, names: list[str]) -> pathlib.Path | None:
    for folder in _package_folders():
        for name in names:
            path = folder / "builds" / f"torch_{version[0]}_{version[1]}" / name
            if path.is_file():
                return path
    return None


def extension(version: Version) -> pathlib.Path | None:
    """The extension for a version of torch and this Python; None if the package has none."""
    return _find(version, _extension_names())


def program(version: Version) -> pathlib.Path | None:
    """The program for a version of torch; None if the package has none."""
    return _find(version, [PROGRAM])


def versions() -> list[Version]:
    """Versions of torch that the package holds an extension for, of this Python."""
    found = set()
    for folder in _package_folders():
        for build in folder.glob("builds/torch_*_*"):
            _, major, minor = build.name.split("_")
            found.add((int(major), int(minor)))
    return sorted(version for version in found if extension(version) is not None)


def build_command() -> str:
    """The command that builds the package for the torch that is installed now."""
    import importlib.metadata  # here, since it takes longer to import than the program takes to find

    # pip would otherwise take the wheel that it keeps of an earlier build, whose name does not tell the torch.
    options = "--force-reinstall --no-deps --no-cache-dir"
    python = sys.executable or "python"
    try:
        distribution = importlib.metadata.distribution("faultwave")
    except importlib.metadata.PackageNotFoundError:
        return f"{python} -m pip install {options} . (in the folder of Faultwave's sources)"
    source = _source_folder(distribution)
    if source is not None:
        return f"{python} -m pip install {options} {source}"
    return f"{python} -m pip install {options} --no-binary faultwave faultwave=={distribution.version}"


def _source_folder(distribution: importlib.metadata.Distribution) -> pathlib.Path | None:
    """Where the sources lie that the package was installed from (PEP 610), if they are still there."""
    import json
    import urllib.parse
    import urllib.request

    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if "dir_info" not in origin:
        return None
    folder = pathlib.Path(urllib.request.url2pathname(urllib.parse.urlparse(origin["url"]).path))
    return folder if (folder / "pyproject.toml").is_file() else None


def no_build(torch_version: str) -> str:
    """The sentence for a torch that the package has no build for."""
    have = ", ".join(f"torch {major}.{minor}" for major, minor in versions()) or "no version of torch"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"Faultwave is built for {have} on Python {python}, and what is installed is torch {torch_version}; "
        f"build Faultwave for that with: {build_command()}"
    )
