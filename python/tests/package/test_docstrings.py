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
import torch
from support import tiny_networks

import faultwave as fw

# Importing it starts the program.
_PROGRAM = "faultwave.__main__"


def modules() -> list[ModuleType]:
    found = [fw]
    for module in pkgutil.walk_packages(fw.__path__, "faultwave."):
        if module.name != _PROGRAM:
            found.append(importlib.import_module(module.name))
    return found


def known_names(module: str) -> dict[str, Any]:
    """What an example of a module need not say: the package, torch, a network, and inputs of it."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        if module.startswith("faultwave.sequences"):
            model = torch.nn.Sequential(torch.nn.Embedding(16, 8), torch.nn.Linear(8, 16)).eval()
            return {"fw": fw, "torch": torch, "model": model, "ids": torch.arange(6)}
        model = tiny_networks.convolutional()
        return {"fw": fw, "torch": torch, "model": model, "images": torch.rand(16, 3, 8, 8)}


def run(test: doctest.DocTest) -> None:
    report: list[str] = []
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed = doctest.DocTestRunner(optionflags=options).run(test, out=report.append).failed
    assert failed == 0, "".join(report)


def docstring_examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    tests = []
    for module in modules():
        tests += finder.find(module, extraglobs=known_names(module.__name__))
    return [test for test in tests if test.examples]


def stub_examples() -> list[doctest.DocTest]:
    """Those of the extension, whose docstrings stand in its stub."""
    stub = pathlib.Path(fw.__file__).with_name("_core.pyi")
    tests = []
    for node in ast.walk(ast.parse(stub.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node) or ""
            names = vars(fw._core) | known_names("faultwave._core")
            test = doctest.DocTestParser().get_doctest(text, names, node.name, str(stub), node.lineno)
            if test.examples:
                tests.append(test)
    return tests


@pytest.mark.parametrize("test", docstring_examples() + stub_examples(), ids=lambda test: test.name)
def test_examples(test: doctest.DocTest, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # for the files that they write
    run(test)


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
