# SPDX-License-Identifier: Apache-2.0
"""Starts the command line program: `faultwave ...` and `python -m faultwave ...`.

The program takes this process over, so that its exit code, signals, standard streams and terminal are its own, and
Python is gone. torch is not imported, which would take longer than the program does to start.
"""

from __future__ import annotations

import os
import pathlib
import sys
from typing import NoReturn

from _faultwave import builds

_NO_PROGRAM = 127  # a shell's code for a command that is not there


def main() -> NoReturn:
    """Becomes the program, with this process's arguments."""
    installed = builds.installed_torch()
    if installed is None:
        _fail(
            "torch is not installed for this Python, and the program runs on its libraries; install torch first"
        )
    folder, version = installed
    path = builds.program(builds.minor_of(version))
    if path is None:
        _fail(builds.no_build(version))
    _become(path, sys.argv[1:], folder / "lib")


def _become(path: pathlib.Path, arguments: list[str], libraries: pathlib.Path) -> NoReturn:
    environment = dict(os.environ)
    # An installed program looks for torch beside its own package. Elsewhere it is told, and so are its workers.
    if not os.path.samefile(path.parents[3], libraries.parents[1]):
        paths = [str(libraries), environment.get("LD_LIBRARY_PATH", "")]
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, paths))
    os.execve(path, ["faultwave", *arguments], environment)


def _fail(sentence: str) -> NoReturn:
    print(f"faultwave: {sentence}", file=sys.stderr)
    raise SystemExit(_NO_PROGRAM)


def is_asked_for() -> bool:
    """Whether this is `python -m faultwave`, while Python imports the package on the way to its __main__."""
    # Until Python has found the module, argv[0] is "-m"; orig_argv is the command line as it was.
    if sys.argv[:1] != ["-m"]:
        return False
    options = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    return options[-2:] == ["-m", "faultwave"] or options[-1:] == ["-mfaultwave"]
