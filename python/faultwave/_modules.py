# SPDX-License-Identifier: Apache-2.0
"""Finds the modules that a callable runs, and tells which of them is running."""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook


class Scopes(Protocol):
    """Who is told which module runs."""

    def enter_scope(self, path: str) -> None: ...
    def leave_scope(self) -> None: ...


def uncompiled(model: Any) -> Any:
    """The module within torch.compile's wrapper of it, whose names are those that users know."""
    return getattr(model, "_orig_mod", model)


def _found_in(model: Callable[..., Any]) -> dict[str, torch.nn.Module]:
    if isinstance(model, torch.nn.Module):
        return {"": uncompiled(model)}
    if isinstance(model, functools.partial):
        return _found_in(model.func)
    bound_to = getattr(model, "__self__", None)
    if isinstance(bound_to, torch.nn.Module):
        return {"": uncompiled(bound_to)}
    holders: dict[str, Any] = {}
    if inspect.isfunction(model):
        variables = inspect.getclosurevars(model)
        holders = {**variables.globals, **variables.nonlocals}
    else:
        holders = dict(getattr(bound_to if bound_to is not None else model, "__dict__", {}))
    modules = {
        name: uncompiled(value) for name, value in holders.items() if isinstance(value, torch.nn.Module)
    }
    for name, value in holders.items():
        owner = getattr(value, "__self__", None)
        if isinstance(owner, torch.nn.Module):
            modules.setdefault(name, uncompiled(owner))
    # The one network of a function needs no name in front of its sites.
    return {"": next(iter(modules.values()))} if len(set(map(id, modules.values()))) == 1 else modules


def roots_of(
    model: Callable[..., Any], modules: torch.nn.Module | Mapping[str, torch.nn.Module] | None
) -> dict[str, torch.nn.Module]:
    """The modules that `model` runs, by the name in front of their sites; "" for the only one.

    `modules`: what the user says they are. Otherwise the model itself, the owner of a method, and what a function or
    an object holds in its variables."""
    if modules is None:
        return _found_in(model)
    if isinstance(modules, torch.nn.Module):
        return {"": uncompiled(modules)}
    return {name: uncompiled(module) for name, module in modules.items()}


def all_modules(roots: Mapping[str, torch.nn.Module]) -> dict[str, torch.nn.Module]:
    """Each module once, under its dotted path."""
    found: dict[str, torch.nn.Module] = {}
    seen: set[torch.nn.Module] = set()
    for prefix, root in roots.items():
        for path, module in root.named_modules(memo=seen, prefix=prefix):
            found[path] = module
    return found


@contextmanager
def watching(modules: Mapping[str, torch.nn.Module], scopes: Scopes) -> Iterator[None]:
    """Tells `scopes` which module runs on this thread. Hooks of the whole process, which see the modules of other
    threads and other networks too, and leave them alone."""
    thread = threading.get_ident()
    paths = {id(module): path for path, module in modules.items()}

    def enter(module: torch.nn.Module, _: Any) -> None:
        path = paths.get(id(module))
        if path is not None and threading.get_ident() == thread:
            scopes.enter_scope(path)

    def leave(module: torch.nn.Module, _: Any, __: Any) -> None:
        if id(module) in paths and threading.get_ident() == thread:
            scopes.leave_scope()

    hooks = [register_module_forward_pre_hook(enter), register_module_forward_hook(leave, always_call=True)]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Using `torch.compile\\(module\\)` when there are global hooks")
            yield
    finally:
        for hook in hooks:
            hook.remove()
