# SPDX-License-Identifier: Apache-2.0
"""What editors and mypy are told of the extension is what it has."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterable
from typing import TypeGuard

import pytest

import faultwave as fw

STUB = pathlib.Path(fw.__file__).with_name("_core.pyi")

# What Python and pybind11 give every class, so that the stub leaves it out.
_OF_EVERY_CLASS = {
    "__module__",
    "__doc__",
    "__new__",
    "__init__",
    "__repr__",
    "__str__",
    "__dict__",
    "__weakref__",
}


def is_property(node: ast.FunctionDef) -> bool:
    return any(
        isinstance(decorator, ast.Name) and decorator.id == "property" for decorator in node.decorator_list
    )


def stub_members() -> dict[str, ast.ClassDef | ast.FunctionDef]:
    """Classes, functions and members of classes, by dotted name."""
    found: dict[str, ast.ClassDef | ast.FunctionDef] = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            found.update(
                {f"{node.name}.{member.name}": member for member in node.body if is_function(member)}
            )
    return found


def is_function(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef)


def extension_members() -> dict[str, object]:
    """Likewise, of the extension."""
    found: dict[str, object] = {}
    for name, value in vars(fw._core).items():
        if name.startswith("__"):
            continue
        found[name] = value
        if isinstance(value, type):
            found.update({f"{name}.{member}": vars(value)[member] for member in vars(value)})
    return found


def names(members: Iterable[str]) -> set[str]:
    return {
        name for name in members if name.rpartition(".")[2] not in _OF_EVERY_CLASS and "pybind11" not in name
    }


def test_names_are_the_same() -> None:
    assert names(stub_members()) == names(extension_members())


def parameters_of(function: object) -> list[str] | None:
    """Names of the parameters as pybind11 writes them down; None for what has none."""
    signature = re.match(r"\w+\((.*)\) -> ", getattr(function, "__doc__", None) or "")
    if signature is None:
        return None
    return [name for name in re.findall(r"(?:^|, )(\w+): ", signature[1]) if name != "self"]


@pytest.mark.parametrize("name", stub_members())
def test_kinds_and_parameters_are_the_same(name: str) -> None:
    node, value = stub_members()[name], extension_members()[name]
    if isinstance(node, ast.ClassDef):
        assert isinstance(value, type)
        return
    assert is_property(node) == isinstance(value, property)
    parameters = parameters_of(value)
    if parameters is None:
        assert is_property(node) or name.endswith("__hash__")
        return
    stubbed = [
        argument.arg for argument in (*node.args.posonlyargs, *node.args.args) if argument.arg != "self"
    ]
    assert len(stubbed) == len(parameters)
    for ours, theirs in zip(stubbed, parameters):
        assert theirs in (ours, "arg0"), "pybind11 calls a parameter without a name arg0"


def test_everything_is_described() -> None:
    silent = [
        name
        for name, node in stub_members().items()
        if not name.endswith("__") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_help_tells_what_the_stub_tells() -> None:
    assert fw.Fault.site.__doc__ == ast.get_docstring(stub_members()["Fault.site"])
    assert (fw.Fault.__doc__ or "").startswith("A fault: where, what it does")
