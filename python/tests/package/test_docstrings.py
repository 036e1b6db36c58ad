# SPDX-License-Identifier: Apache-2.0
"""What the package's docstrings show is what happens, and whatever users see has one."""

from __future__ import annotations

import ast
import doctest
import importlib
import pathlib
import pkgutil
from types import ModuleType
from typing import Any

import pytest

import faultwave as fw

# Importing it starts the program.
_PROGRAM = "faultwave.__main__"


def modules() -> list[ModuleType]:
    found = [fw]
    for module in pkgutil.walk_packages(fw.__path__, "faultwave."):
        if module.name != _PROGRAM:
            found.append(importlib.import_module(module.name))
    return found


def run(test: doctest.DocTest, folder: pathlib.Path) -> None:
    test.globs["folder"] = folder  # for examples that write a file
    report: list[str] = []
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed = doctest.DocTestRunner(optionflags=options).run(test, out=report.append).failed
    assert failed == 0, "".join(report)


def docstring_examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [test for module in modules() for test in finder.find(module) if test.examples]


def stub_examples() -> list[doctest.DocTest]:
    """Those of the extension, whose docstrings stand in its stub."""
    stub = pathlib.Path(fw.__file__).with_name("_core.pyi")
    tests = []
    for node in ast.walk(ast.parse(stub.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node) or ""
            test = doctest.DocTestParser().get_doctest(
                text, vars(fw._core).copy(), node.name, str(stub), node.lineno
            )
            if test.examples:
                tests.append(test)
    return tests


@pytest.mark.parametrize("test", docstring_examples() + stub_examples(), ids=lambda test: test.name)
def test_examples(test: doctest.DocTest, tmp_path: pathlib.Path) -> None:
    run(test, tmp_path)


def public_members(value: Any) -> list[str]:
    if not isinstance(value, type) or not value.__module__.startswith("faultwave"):
        return []
    return [name for name, member in vars(value).items() if not name.startswith("_") and callable(member)]


@pytest.mark.parametrize("name", fw.__all__)
def test_everything_public_has_a_docstring(name: str) -> None:
    value = getattr(fw, name)
    assert value.__doc__, f"{name} has no docstring"
    for member in public_members(value):
        assert getattr(value, member).__doc__, f"{name}.{member} has no docstring"
