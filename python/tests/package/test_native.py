# SPDX-License-Identifier: Apache-2.0
"""How the extension is found and loaded, each in a process of its own."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import pytest
import torch

import _faultwave
import faultwave as fw
from _faultwave import builds

EXTENSION = pathlib.Path(fw._core.__file__)


def python(code: str, folder: pathlib.Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs code in a fresh Python, which begins in `folder` and imports from there first."""
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


def import_error(code: str, folder: pathlib.Path | None = None) -> str:
    """The last line of an import that must fail."""
    run = python(code, folder)
    assert run.returncode == 1, run.stdout + run.stderr
    return run.stderr.strip().splitlines()[-1]


def copied_package(folder: pathlib.Path) -> pathlib.Path:
    """The package without builds, in a folder."""
    for module in (fw, _faultwave):
        source = pathlib.Path(module.__file__ or "").parent
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("builds", "__pycache__"))
    return folder / "faultwave"


def test_a_torch_without_a_build_is_named_with_what_to_do(tmp_path: pathlib.Path) -> None:
    package = copied_package(tmp_path)
    other = package / "builds" / "torch_1_2"
    other.mkdir(parents=True)
    shutil.copy(EXTENSION, other)
    message = import_error("import faultwave", tmp_path)
    assert message.startswith("ImportError: Faultwave is built for torch 1.2 on Python ")
    assert f"what is installed is torch {torch.__version__}" in message
    assert "pip install --force-reinstall --no-deps --no-cache-dir" in message


def test_a_build_that_cannot_be_loaded_is_named(tmp_path: pathlib.Path) -> None:
    package = copied_package(tmp_path)
    here = package / "builds" / EXTENSION.parent.name
    here.mkdir(parents=True)
    (here / EXTENSION.name).write_bytes(b"no library")
    message = import_error("import faultwave", tmp_path)
    assert f"the extension of Faultwave at {here / EXTENSION.name} cannot be loaded" in message
    assert "build it again with: " in message


@pytest.mark.parametrize("key", ["TESTING_ONLY_GenericMode", "TESTING_ONLY_GenericWrapper"])
def test_a_dispatch_key_that_is_taken_is_an_import_error(key: str) -> None:
    message = import_error(
        "import torch\n"
        f"library = torch.library.Library('_', 'IMPL', '{key}')\n"
        "library.fallback(lambda op, *args, **kwargs: op(*args, **kwargs))\n"
        "import faultwave"
    )
    assert message.startswith("ImportError: Faultwave cannot see the operators of torch ")
    assert f"has taken PyTorch's dispatch key {key}" in message


def test_defaults_of_torch_do_not_matter() -> None:
    run = python(
        "import torch\n"
        "torch.set_default_dtype(torch.float64)\n"
        "torch.set_default_device('meta')\n"
        "with torch.inference_mode():\n"
        "    import faultwave"
    )
    assert run.returncode == 0, run.stderr


def test_nothing_but_the_entry_is_exported() -> None:
    nm = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=posix", EXTENSION],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split()[0] for line in nm.stdout.splitlines()] == ["PyInit__core"]


def test_no_path_of_the_build_machine_is_kept() -> None:
    section = subprocess.run(
        ["readelf", "--dynamic", EXTENSION], capture_output=True, text=True, check=True
    ).stdout
    assert "RPATH" not in section and "RUNPATH" not in section


def test_one_sqlite_in_the_process() -> None:
    # Both orders: Python's own is loaded first, whoever asks first.
    for order in ("import sqlite3, faultwave", "import faultwave, sqlite3"):
        run = python(
            f"{order}\n"
            "maps = open('/proc/self/maps').read()\n"
            "print(len({line.split()[-1] for line in maps.splitlines() if 'libsqlite3' in line}))"
        )
        assert run.stdout.strip() in ("0", "1"), run.stdout + run.stderr


def test_versions() -> None:
    version = builds.minor_of(torch.__version__)
    assert builds.minor_of("2.13.0+cpu") == (2, 13)
    assert version in builds.versions()
    assert builds.extension(version) == EXTENSION
    assert builds.extension((1, 2)) is None
    folder, text = builds.installed_torch() or (None, None)
    assert (folder, text) == (pathlib.Path(torch.__file__).parent, str(torch.__version__))
