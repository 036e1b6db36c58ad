# SPDX-License-Identifier: Apache-2.0
"""Processes that run blocks of a campaign: how one is described to them."""

from __future__ import annotations

import copyreg
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import spawn
from typing import Any

from faultwave import _criteria, _models
from faultwave._core import Criterion, ErrorModel
from faultwave._errors import UsageError

# True in a process that another one started, from before it imports the user's script.
in_worker = False


def refuse_in_worker() -> None:
    """Raises UsageError where a worker imports a script that begins campaigns whenever it is imported."""
    if in_worker:
        raise UsageError(
            "this script runs a campaign where another process imports it: put that under "
            "`if __name__ == '__main__':`"
        )


def _reduce_model(model: ErrorModel) -> tuple[Any, ...]:
    function = _models.user_functions.get(str(model))
    if function is not None:
        name = str(model).removeprefix("user(").removesuffix(")")
        return _models.error_model, (name, function)
    return ErrorModel, (str(model),)


def _reduce_criterion(criterion: Criterion) -> tuple[Any, ...]:
    recipe = _criteria.own.get(str(criterion))
    return (_criteria.remade, recipe) if recipe is not None else (_criteria.criterion_of, (str(criterion),))


copyreg.pickle(ErrorModel, _reduce_model)
copyreg.pickle(Criterion, _reduce_criterion)


def _pickled(recipe: Mapping[str, Any]) -> bytes:
    """The keywords of a campaign for another process. Raises whatever cannot be sent."""
    preparation = spawn.get_preparation_data("faultwave")
    preparation.pop("authkey", None)
    has_main = "init_main_from_path" in preparation or "init_main_from_name" in preparation
    content = pickle.dumps(recipe)
    if b"__main__" in content and not has_main:
        try:
            import cloudpickle
        except ImportError:
            raise pickle.PicklingError("it is defined in a notebook or at a prompt") from None
        content = cloudpickle.dumps(recipe)
    return pickle.dumps((preparation, content))


@contextmanager
def _command(content: bytes) -> Iterator[list[str]]:
    with tempfile.TemporaryDirectory(prefix="faultwave-") as folder:
        path = os.path.join(folder, "campaign.pickle")
        with open(path, "wb") as file:
            file.write(content)
        # Threads that wait sleep, as in the program: processes are there to share a machine.
        is_set = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys()
        start = [] if is_set else ["/usr/bin/env", "GOMP_SPINCOUNT=2000"]
        yield [*start, sys.executable, "-m", "faultwave._worker", path]


def worker_command(
    recipe: Mapping[str, Any], processes: int, database: str
) -> AbstractContextManager[list[str]] | None:
    """What starts a worker, while a `with` block lasts; None where the campaign runs in this process alone:
    where that was asked for, or where it cannot be sent to others, which a warning says."""
    if processes < 1:
        raise UsageError(f"processes is {processes}: expected at least 1")
    if processes == 1:
        return None
    if not database:
        raise UsageError(
            "processes= needs a database, through which processes share the campaign: run('a.db', ...)"
        )
    sent = dict(recipe)
    if sent["factory"] is not None:
        sent["model"] = None
    try:
        return _command(_pickled(sent))
    except Exception as error:  # whatever a user's __reduce__ may raise
        warnings.warn(
            f"the campaign runs in one process, since it cannot be sent to others ({type(error).__name__}: "
            f"{error}): give factory=, a function of a module that makes the model, or the path of an exported "
            "program",
            stacklevel=5,
        )
        return None
