# SPDX-License-Identifier: Apache-2.0
"""What editors and mypy are told of the extension is what it has."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
import sys

import pytest

import faultwave as fw

PACKAGE = pathlib.Path(fw.__file__).parent
STUB = PACKAGE / "_core.pyi"
ROOT = pathlib.Path(__file__).parents[3]

# What pybind11 makes of every class, and of a class without a constructor.
_OF_PYBIND11 = ("metaclass differs", '__init__ is inconsistent, stub does not have *args parameter "args"')


def test_stub_and_extension_have_the_same_names() -> None:
    pytest.importorskip("mypy", reason="mypy is among tools/requirements-checks.txt")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy.stubtest",
            "--concise",
            "--mypy-config-file",
            str(ROOT / "pyproject.toml"),
            "faultwave._core",
        ],
        cwd=PACKAGE.parent,
        env={**os.environ, "MYPYPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
    )
    lines = run.stdout.splitlines()
    assert not run.stderr and any("metaclass differs" in line for line in lines), run.stdout + run.stderr
    assert [line for line in lines if not any(words in line for words in _OF_PYBIND11)] == []


def stub_functions() -> dict[str, tuple[list[str], str]]:
    """Parameters and docstring by dotted name."""
    found: dict[str, tuple[list[str], str]] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{node.name}.")
            elif isinstance(node, ast.FunctionDef):
                arguments = [*node.args.posonlyargs, *node.args.args]
                names = [argument.arg for argument in arguments if argument.arg != "self"]
                found[prefix + node.name] = (names, ast.get_docstring(node) or "")

    visit(ast.parse(STUB.read_text()).body, "")
    return found


def parameters_of(function: object) -> list[str] | None:
    """Names of the parameters as pybind11 writes them down; None for what it does not."""
    signature = re.match(r"\w+\((.*)\) -> ", getattr(function, "__doc__", None) or "")
    if signature is None:
        return None
    names = re.findall(r"(?:^|, )(\w+): ", signature[1])
    return [name for name in names if name != "self"]


@pytest.mark.parametrize(
    "name", [name for name in stub_functions() if not name.endswith(("__eq__", "__hash__"))]
)
def test_parameters_have_their_names(name: str) -> None:
    value: object = fw._core
    for part in name.split("."):
        value = getattr(value, part)
    actual = parameters_of(value)
    if actual is None:
        assert isinstance(value, property) or name.endswith("__init__"), f"{name} has no signature"
        return
    # pybind11 calls a parameter without a name arg0.
    stubbed = stub_functions()[name][0]
    assert len(stubbed) == len(actual)
    for ours, theirs in zip(stubbed, actual):
        assert theirs in (ours, "arg0"), name


def test_everything_is_described() -> None:
    silent = [
        name
        for name, (_, docstring) in stub_functions().items()
        if not docstring and not re.search(r"__\w+__$", name)
    ]
    assert silent == []


def test_help_tells_what_the_stub_tells() -> None:
    assert fw.Fault.site.__doc__ == stub_functions()["Fault.site"][1] != ""
    assert (fw.Fault.__doc__ or "").startswith("A fault: where, what it does")
