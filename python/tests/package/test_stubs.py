# SPDX-License-Identifier: Apache-2.0
"""What editors and mypy are told of the extension is what it has."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterable, Iterator

import pytest

import faultwave as fw

Member = ast.ClassDef | ast.FunctionDef | ast.AnnAssign

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


def stub_members() -> dict[str, Member]:
    """Classes, functions and members of classes, by dotted name. Of overloads the last."""
    found: dict[str, Member] = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            found.update(members_of(node))
    return found


def members_of(node: ast.ClassDef) -> Iterator[tuple[str, Member]]:
    """Methods and properties, and attributes that can be set."""
    for member in node.body:
        if isinstance(member, ast.FunctionDef):
            yield f"{node.name}.{member.name}", member
        elif isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
            yield f"{node.name}.{member.target.id}", member


def stub_signatures(name: str) -> set[tuple[str, ...]]:
    """Names of the parameters, of each overload."""
    class_name, _, function = name.rpartition(".")
    node = stub_members()[class_name] if class_name else ast.parse(STUB.read_text())
    assert isinstance(node, ast.ClassDef | ast.Module)
    found = [
        member for member in node.body if isinstance(member, ast.FunctionDef) and member.name == function
    ]
    return {signature_of(member.args) for member in found}


def signature_of(arguments: ast.arguments) -> tuple[str, ...]:
    named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return tuple(argument.arg for argument in named if argument.arg != "self")


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


def extension_signatures(function: object) -> set[tuple[str, ...]]:
    """Likewise, as pybind11 writes them down; none for what has no signature."""
    if isinstance(function, staticmethod):
        function = function.__func__
    text = getattr(function, "__doc__", None) or ""
    found = re.findall(r"^(?:\d+\. )?\w+\((.*)\) -> ", text, flags=re.MULTILINE)
    return {tuple(name for name in re.findall(r"(?:^|, )(\w+): ", one) if name != "self") for one in found}


@pytest.mark.parametrize("name", stub_members())
def test_kinds_and_parameters_are_the_same(name: str) -> None:
    node, value = stub_members()[name], extension_members()[name]
    if isinstance(node, ast.ClassDef):
        assert isinstance(value, type)
        return
    if isinstance(node, ast.AnnAssign):
        assert isinstance(value, property) and value.fset is not None
        return
    if is_property(node):
        assert isinstance(value, property) and value.fset is None
        return
    assert not isinstance(value, property)
    signatures = extension_signatures(value)
    if name.endswith("__hash__"):  # Python's own
        return
    stubbed = stub_signatures(name)
    if signatures == {("arg0",)}:  # a parameter without a name
        assert [len(one) for one in stubbed] == [1]
    else:
        assert stubbed == signatures


def test_everything_is_described() -> None:
    silent = [
        name
        for name, node in stub_members().items()
        if not name.endswith("__") and not isinstance(node, ast.AnnAssign) and not ast.get_docstring(node)
    ]
    assert silent == []


def test_help_tells_what_the_stub_tells() -> None:
    node = stub_members()["Fault.site"]
    assert isinstance(node, ast.FunctionDef)
    assert fw.Fault.site.__doc__ == ast.get_docstring(node)
    assert (fw.Fault.__doc__ or "").startswith("A fault: where, what it does")
