# SPDX-License-Identifier: Apache-2.0
"""Exports a model as the file that the command line program, and Network::open in C++, read."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import inspect
import io
import logging
import os
import pathlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils import _pytree

from faultwave import _modules, _state, _subclasses
from faultwave._errors import InputError, NetworkError, UsageError
from faultwave._network import flatten_outputs

# How far apart outputs may lie where they are not equal bit for bit, in parts of the largest magnitude of an output:
# exported programs may sum in another order.
_TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 5e-2}


@dataclasses.dataclass(frozen=True)
class Exported:
    """What was exported. Prints as a few lines: the file, the batch sizes it takes, how it was checked, what was fixed.

    Attributes:
        path: the file.
        batch: the batch sizes that the program takes: "any", "2 or more", or "8 only".
        agreement: how its outputs compare with the model's: "bit for bit", or "within 3e-07 of the largest output".
        fixes: what had to be done for the export, one sentence each. The model itself is as it was.
    """

    path: pathlib.Path
    batch: str
    agreement: str
    fixes: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"exported  {self.path}",
            f"batch     {self.batch}",
            f"outputs   as the model's, {self.agreement}",
        ]
        lines += [f"fixed     {fix}" for fix in self.fixes]
        return "\n".join(lines)

    __repr__ = __str__


def export(model: torch.nn.Module, /, *example_and_path: Any, **kwargs: Any) -> Exported:
    """Exports a model in eval mode, as a program that `faultwave run` takes, and checks that it computes the same.

    The batch size is left free if the model allows it: axis 0 of each tensor that is as long there as the first.
    Tensor subclasses among the parameters, such as torchao's quantised weights, become the plain tensors that they are
    made of, each of which is a site. The model itself is left as it is.

    Args:
        model: an `nn.Module`.
        example_and_path: what the model is called with, then the file to write, which ends in `.pt2`. An old file of
            the name is replaced, and kept if anything fails.
        kwargs: keyword arguments that the model is called with.

    Raises:
        UsageError: the model is no module, or the file has another ending.
        NetworkError: the model cannot be exported, by the name of the module where it fails, or the exported program
            computes something else.

    Example:
        >>> import torch, faultwave as fw
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Dropout())
        >>> print(fw.export(model, torch.rand(2, 4), "net.pt2"))
        exported  net.pt2
        batch     any
        outputs   as the model's, bit for bit
        fixed     it was in train mode, and is exported in eval mode
    """
    *args, path = _checked(model, example_and_path)
    call = _Call(tuple(args), kwargs)
    fixes: list[str] = []
    with _left_as_it_was(model), torch.no_grad():
        reference = _in_eval_mode(model, fixes)
        program, batch, agreement = _exported(_plain(reference, fixes), reference, call, fixes)
    _save(program, path)
    return Exported(path, batch, agreement, tuple(fixes))


def _checked(model: object, example_and_path: Sequence[Any]) -> tuple[Any, ...]:
    if not isinstance(model, torch.nn.Module):
        raise UsageError(
            f"the model is a {type(model).__name__}, and only an nn.Module can be exported; "
            "make one whose forward calls it"
        )
    if not example_and_path or not isinstance(example_and_path[-1], str | os.PathLike):
        raise UsageError("the last argument must be the file to write: export(model, example, 'net.pt2')")
    path = pathlib.Path(example_and_path[-1])
    if path.suffix != ".pt2":
        raise UsageError(f"the file is {path}, and an exported program must end in .pt2")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent} to write {path.name} into; make it first")
    return (*example_and_path[:-1], path)


class _Call:
    """What the model is called with, and how its tensors count the batch."""

    def __init__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.args = args
        self.kwargs = dict(kwargs)
        sizes = [
            leaf.shape[0] for leaf in self._leaves() if isinstance(leaf, torch.Tensor) and leaf.dim() > 0
        ]
        self.batch: int | None = sizes[0] if sizes else None

    def _leaves(self) -> list[Any]:
        return _pytree.tree_leaves((self.args, self.kwargs))

    def _counts_batch(self, leaf: Any) -> bool:
        return isinstance(leaf, torch.Tensor) and leaf.dim() > 0 and leaf.shape[0] == self.batch

    def run(self, model: Callable[..., Any]) -> list[torch.Tensor]:
        """The model's outputs, flat; random numbers are the same ones in each call."""
        args, kwargs = self.copied()
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(0)
            return [torch.as_tensor(leaf).clone() for leaf in flatten_outputs(model(*args, **kwargs))]

    def copied(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, their tensors copied: a model may write to them, and the exporter marks them."""
        args, kwargs = _pytree.tree_map_only(torch.Tensor, torch.clone, (self.args, self.kwargs))
        return args, kwargs

    def times(self, count: int) -> _Call:
        """The same call with the elements of its batch `count` times."""
        args, kwargs = _pytree.tree_map(
            lambda leaf: torch.cat([leaf] * count) if self._counts_batch(leaf) else leaf,
            (self.args, self.kwargs),
        )
        return _Call(args, kwargs)

    def turned_over(self) -> _Call:
        """The same call with other values of the same shapes and ranges: those of each tensor in reverse order."""
        args, kwargs = _pytree.tree_map_only(
            torch.Tensor, lambda leaf: leaf.flip(tuple(range(leaf.dim()))), (self.args, self.kwargs)
        )
        return _Call(args, kwargs)

    def shapes(self, dimension: Any, model: torch.nn.Module) -> Any:
        """What torch.export is told of free sizes: `dimension` for each axis that counts the batch."""

        def of(value: Any) -> Any:
            return _pytree.tree_map(lambda leaf: {0: dimension} if self._counts_batch(leaf) else None, value)

        # By name, for keyword arguments and positional ones alike; variable ones go by their own rules.
        return {**_by_name(model, self.args, of), **{name: of(value) for name, value in self.kwargs.items()}}


def _by_name(model: torch.nn.Module, args: tuple[Any, ...], of: Callable[[Any], Any]) -> dict[str, Any]:
    shapes: dict[str, Any] = {}
    rest = list(args)
    for parameter in inspect.signature(model.forward).parameters.values():
        if not rest:
            break
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            shapes[parameter.name] = tuple(of(value) for value in rest)
            rest = []
        else:
            shapes[parameter.name] = of(rest.pop(0))
    return shapes


def _in_eval_mode(model: torch.nn.Module, fixes: list[str]) -> torch.nn.Module:
    """The model's module itself, not compiled, and in eval mode from now on."""
    module: torch.nn.Module = _modules.uncompiled(model)
    if module is not model:
        fixes.append("it was compiled by torch.compile, and the module within is exported")
    training = [name for name, part in module.named_modules() if part.training]
    if training:
        who = "it" if "" in training else f"'{training[0]}'"
        fixes.append(f"{who} was in train mode, and is exported in eval mode")
    return module.eval()


def _plain(model: torch.nn.Module, fixes: list[str]) -> torch.nn.Module:
    """The model, or a copy of it, with plain tensors for parameters."""
    names = _subclasses.parameters(model)
    if not names:
        return model
    plain = copy.deepcopy(model)
    _subclasses.unwrap(plain)
    fixes.append(
        f"{len(names)} parameters of tensor subclasses became the plain tensors that they are made of"
    )
    return plain


@contextlib.contextmanager
def _left_as_it_was(model: torch.nn.Module) -> Iterator[None]:
    """Puts back modes, attributes, and the values of buffers."""
    modes = {module: module.training for module in model.modules()}
    put_back = _state.Attributes(modes).keep()
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        put_back()
        with torch.no_grad():
            for buffer, value in buffers:
                if not torch.equal(buffer, value):
                    buffer.copy_(value)
        for module, training in modes.items():
            module.training = training


def _exported(
    model: torch.nn.Module, reference: torch.nn.Module, call: _Call, fixes: list[str]
) -> tuple[torch.export.ExportedProgram, str, str]:
    """The program, the batches it takes, and how it agrees; its batch free if that can be."""
    if call.batch is not None:
        # The exporter takes a size of 1 to be meant as 1.
        example = call.times(2) if call.batch == 1 else call
        free = [("any", torch.export.Dim("batch", min=1)), ("2 or more", torch.export.Dim.DYNAMIC)]
        for batch, dimension in free:
            try:
                program = _trace(model, example, example.shapes(dimension, model))
                _compare(program, reference, example.times(2))
                return program, batch, _compare_values(program, reference, example)
            except _NotExported as failure:
                reason = failure
        fixes.append(f"its batch is fixed: with a free one, {reason}")
    try:
        program = _trace(model, call, None)
    except _NotExported as failure:
        raise NetworkError(f"the model cannot be exported: {failure}") from failure.__cause__
    try:
        agreement = _compare_values(program, reference, call)
    except _NotExported as failure:
        raise NetworkError(f"the exported program is not the model: {failure}") from failure.__cause__
    return program, "fixed" if call.batch is None else f"{call.batch} only", agreement


class _NotExported(Exception):
    """One clause that says why."""


def _trace(model: torch.nn.Module, call: _Call, shapes: Any) -> torch.export.ExportedProgram:
    args, kwargs = call.copied()
    with _Running(model) as running, _silence():
        try:
            program = torch.export.export(model, args, kwargs, dynamic_shapes=shapes, strict=False)
            if _subclasses.is_unwrapped(model):
                # What subclasses do is in the program only after their operators have become plain ones.
                program = program.run_decompositions({})
            return program
        except Exception as error:  # whatever the model's own code raises, too
            raise _NotExported(f"{running.place()} {_said(error)}") from error


def _said(error: Exception) -> str:
    """What an exporter's error says to somebody who does not know the exporter."""
    name = type(error).__name__
    if name == "GuardOnDataDependentSymNode":
        return "goes by the values of a tensor (a branch, an index, a size, or .item()), which no exported program can"
    first = str(error).strip().split("\n")[0].split("For more information")[0]
    return f"raises {name}: {first.rstrip(' .!')}"


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The exporter prints what it tries and what it warns of; whatever matters is in what it raises."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class _Running:
    """Knows which module of a model runs, or was running when one raised."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._paths = {id(module): (name, type(module).__name__) for name, module in model.named_modules()}
        self._stack: list[tuple[str, str]] = []

    def __enter__(self) -> _Running:
        def enter(module: torch.nn.Module, _: Any) -> None:
            self._stack.append(self._paths.get(id(module), ("", type(module).__name__)))

        def leave(module: torch.nn.Module, _: Any, __: Any) -> None:
            self._stack.pop()

        self._hooks = [
            torch.nn.modules.module.register_module_forward_pre_hook(enter),
            torch.nn.modules.module.register_module_forward_hook(leave),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def place(self) -> str:
        named = [(name, kind) for name, kind in self._stack if name]
        if named:
            name, kind = named[-1]
            return f"module '{name}' ({kind})"
        return "the model"


def _compare_values(program: torch.export.ExportedProgram, reference: torch.nn.Module, call: _Call) -> str:
    """How they agree on a call, and on one with other values, for a program may hold what it should compute."""
    agreement = _compare(program, reference, call)
    other = call.turned_over()
    try:
        with _left_as_it_was(reference):
            other.run(reference)
    except Exception:
        return agreement  # the model itself does not take these values
    _compare(program, reference, other)
    return agreement


def _compare(program: torch.export.ExportedProgram, reference: torch.nn.Module, call: _Call) -> str:
    """How the program's outputs agree with the reference's. Raises _NotExported if they do not."""
    try:
        with _left_as_it_was(reference):  # whose buffers are the program's
            ours = call.run(program.module())
    except Exception as error:
        raise _NotExported(f"the program, run at a batch of {call.batch}, {_said(error)}") from error
    with _left_as_it_was(reference):
        golden = call.run(reference)
    if len(ours) != len(golden):
        raise _NotExported(f"it has {len(ours)} outputs, and the model {len(golden)}")
    worst = 0.0
    for index, (actual, expected) in enumerate(zip(ours, golden)):
        if actual.shape != expected.shape or actual.dtype != expected.dtype:
            raise _NotExported(f"output {index} differs in shape or type")
        distance = _distance(actual, expected)
        if not distance <= _TOLERANCES.get(expected.dtype, 0.0):
            raise _NotExported(f"output {index} differs by {distance:.2g} of the largest magnitude in it")
        worst = max(worst, distance)
    return "bit for bit" if worst == 0 else f"within {worst:.1g} of the largest output"


def _distance(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference, in parts of the largest finite magnitude expected; NaN must meet NaN."""
    if torch.equal(actual, expected):
        return 0.0
    same = (actual == expected) | (actual.isnan() & expected.isnan())
    if bool(same.all()):
        return 0.0
    wide, reference = actual.double(), expected.double()
    scale = reference[reference.isfinite()].abs().amax().item() if bool(reference.isfinite().any()) else 0.0
    difference = (wide - reference)[~same].abs().amax().item()
    return difference / scale if scale > 0 else float("inf")


def _save(program: torch.export.ExportedProgram, path: pathlib.Path) -> None:
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.pt2")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.export.save(program, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
