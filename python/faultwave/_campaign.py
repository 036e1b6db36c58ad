# SPDX-License-Identifier: Apache-2.0
"""Campaigns: many faults, one a trial, and what they did."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from faultwave import _core
from faultwave._core import Criterion, ErrorModel, Trial
from faultwave._criteria import criterion_of
from faultwave._database import Database
from faultwave._errors import MismatchError, StoreError, UsageError
from faultwave._injector import error_model_of
from faultwave._inputs import BatchAxes, Inputs, in_order, inputs_of, inputs_of_core, labels_of
from faultwave._progress import Report, Shown
from faultwave._replay import Replay
from faultwave._results import Results
from faultwave._sites import Sites
from faultwave._specification import Stop, preprocess_of, refuse_unknown, specification_of
from faultwave._subject import Model, ModelFile, ModelInMemory, Modules, Subject
from faultwave._workers import refuse_in_worker, worker_command

Path = str | os.PathLike[str]


class Campaign:
    """Tries many faults on a model, one a trial, and counts what they did.

    The keywords are the keys of a specification (docs/campaigns.md). Making one profiles the model: in eval
    mode, without gradients. The model, its modes and its buffers are afterwards as before.

    Args:
        model: an `nn.Module`; a callable that runs modules on the calling thread; an Injector; or the path of
            an exported program (`.pt2`) or TorchScript archive, which then runs without Python.
        inputs: a tensor [N, ...] whose first axis counts inputs; a tuple or dictionary of such tensors, which
            the model is called with; a list of inputs, each what the model is called with; a Dataset, or a
            DataLoader that goes through one in order, of inputs or of pairs (input, label); or the path of a
            tensor file, an image, or a folder of images.
        labels: the right class of each input: integers, or the path of a tensor file. Adds accuracies.
        factory: a function without arguments that makes the model, in place of it: what is sent to other
            processes.
        error: an error model, or its text as in a fault line: `"flip"`, `"random(-1,1)"`,
            `fw.error_model(...)`. Left out: "flip", one drawn bit.
        trials: how many faults to try, at most; needed unless `stop` or the way of drawing ends the campaign.
        kind: what is hit: "output" (neurons), "input" of an operator, "weight", "bias", "buffer",
            "network-input". Left out: "output".
        sites: globs; each must match a site. Left out: the default sites of the kind.
        draw: how faults are chosen: "bits", "layers", "stratified", "exhaustive", or "list". Left out: "bits".
        list: for "list": the path of a file of fault lines.
        per_trial: faults of one trial, or "each layer".
        criteria: what counts as an error: texts such as "top1", or `fw.criterion(...)`. Left out: those that
            fit the outputs.
        seed: the key of everything random. Left out: 0.
        engine: "wave", which computes only what differs, or "direct", a real faulty forward a trial.
        audit: share of the wave's trials, 0 to 1, that are run again as real faulty runs.
        stop: `fw.HalfWidth(...)`, `fw.Minutes(...)`, or a list of both.
        inputs_in_turn: trial k takes input k modulo how many, instead of a random one.
        only_right: only inputs whose golden top class is the label.
        random_key: for models that draw random numbers: seeds torch's generators before each forward.
        confidence: of the intervals. Left out: 0.99.
        keep: trials with a row of their own: "all", or "events" (all but masked and benign).
        batch: trials of one forward at most.
        block: trials of one transaction.
        round: trials of the first round, where a campaign goes in rounds.
        timeout, calibrate, device, dtype: see docs/campaigns.md. A model in memory stays where it is.
        preprocess: for images: a dictionary with resize, crop, mean, std.
        memory: what the wave engine may use beside the model: bytes, or "4GB". Changes no result.
        batch_axes: along which axis each tensor counts inputs, -1 for one that is the same for all.
        modules: the modules that a callable runs, by the names in front of their sites.

    Raises:
        UsageError, InputError, NetworkError, IllegalFaultError: one sentence says what was expected.

    Example:
        >>> campaign = fw.Campaign(model, images, trials=1000, seed=1)
        >>> result = campaign.run("a.db")
        >>> print(result.rates["top1"])
    """

    def __init__(
        self,
        model: Model | None = None,
        inputs: Any = None,
        labels: Any = None,
        *,
        factory: Callable[[], Model] | None = None,
        error: ErrorModel | str | None = None,
        trials: int | None = None,
        kind: str | None = None,
        sites: str | Sequence[str] | None = None,
        draw: str | None = None,
        list: Path | None = None,
        per_trial: int | str | None = None,
        criteria: Criterion | str | Sequence[Criterion | str] | None = None,
        seed: int | None = None,
        engine: str | None = None,
        audit: float | None = None,
        stop: Stop | None = None,
        inputs_in_turn: bool | None = None,
        only_right: bool | None = None,
        random_key: int | None = None,
        confidence: float | None = None,
        keep: str | None = None,
        batch: int | None = None,
        block: int | None = None,
        round: int | None = None,
        timeout: float | None = None,
        calibrate: int | None = None,
        device: str | torch.device | None = None,
        dtype: str | torch.dtype | None = None,
        preprocess: Mapping[str, Any] | None = None,
        memory: int | str | None = None,
        batch_axes: BatchAxes = None,
        modules: Modules = None,
        **unknown: Any,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "unknown")}
        refuse_unknown(unknown, [*given])
        self._recipe = given  # what makes the same campaign in another process
        keys = {name: value for name, value in given.items() if name not in _NO_KEYS}
        spec = specification_of(keys)
        spec.preprocess = preprocess_of(preprocess)
        model = _model_of(model, factory)
        if inputs is None:
            raise UsageError("inputs are missing: give a tensor [N, ...], a list, a Dataset, or a path")
        self._error = _error_of(error, spec)
        self._criteria = _criteria_of(criteria)
        self._inputs, self._subject = _opened(model, inputs, batch_axes, modules, spec, device is not None)
        self._labels = _labels_of(labels, self._inputs, spec)
        if spec.only_right and not self._labels:
            raise UsageError("only_right=True needs labels, which say what is right")
        self._spec = spec
        self._core = self._open(None)
        self._database: Database | None = None

    def _open(self, recorded: _core.Store | None) -> _core.Campaign:
        """The core's campaign: a new one, or that which a database holds."""
        spec = self._spec
        with self._subject.opening():
            return _core.Campaign(
                self._subject.core,
                self._inputs.core,
                self._labels,
                self._error,
                self._criteria,
                self._subject.fingerprint,
                spec,
                recorded,
            )

    @property
    def specification(self) -> str:
        """The specification as TOML, every key written out."""
        return str(self._core.specification)

    @property
    def sites(self) -> Sites:
        """The sites that faults are drawn from, in execution order."""
        return Sites(self._core.sites)

    @property
    def criteria(self) -> list[str]:
        """Names of the criteria, in the order of reports."""
        return [*self._core.columns]

    @property
    def trials(self) -> int:
        """How many trials it has, at most."""
        return self._core.trials

    @property
    def warnings(self) -> list[str]:
        """What one should know before reading numbers, one sentence each."""
        return [*self._core.warnings]

    @property
    def results(self) -> Results | None:
        """What was found so far, also after Ctrl-C; None before the first run."""
        return Results(self._database) if self._database is not None else None

    def trial(self, number: int) -> Trial:
        """Trial `number`: its input and its faults. In a stratified campaign, of rounds that were run."""
        with self._recorded() as store:
            return self._core.draw(number, store)

    def replay(self, number: int) -> Replay:
        """Runs one trial again, alone, as a real faulty run. Raises MismatchError if the outcome is not what
        was recorded."""
        with self._recorded() as store:
            with self._subject.running():
                replay = Replay(self._core.replay(number, store), self.criteria)
            row = store.row(number) if store is not None else None
        if row is not None and (row.outcome, row.fired) != (replay.outcome, replay._core.fired):
            raise MismatchError(
                f"trial {number}: its outcome is {replay.outcome} now and {row.outcome} in the database: "
                "the model or the machine is another"
            )
        return replay

    def run(
        self,
        path: Path | None = None,
        *,
        processes: int = 1,
        shard: str = "1/1",
        progress: bool | Report = True,
    ) -> Results:
        """Runs it to its end: into a new database at `path`, or in memory without one.

        A database that holds this campaign already goes on where it was stopped. Ctrl-C stops at once and
        raises KeyboardInterrupt: what is finished is kept, and the same call, or `resume`, goes on to the same
        result as an unbroken run.

        Args:
            processes: how many run blocks; 1 is this one. Worth it for models too small to keep all threads
                busy. Model, inputs and functions travel by pickle, so they belong into a module that can be
                imported; or `model` is a file. Where a fault ends a process or never ends, the trial is a
                crash or a hang.
            shard: "2/3" runs part 2 of 3, for machines that share a campaign; `fw.merge` joins them.
            progress: whether to show a bar (where tqdm is installed); or a function that is called with
                `done`, `total`, `seconds` and `rate` now and then.

        Raises:
            StoreError: the file belongs to another campaign, is none of ours, or cannot be written.
            MismatchError: model, inputs or labels are not those that the database was begun with.
            Error: what a criterion or an error model raised is its cause; what was finished is kept.
        """
        if path is None:
            if self._database is None or self._database.path:
                self._database = Database("", _core.Store.in_memory(self._core.info(shard)))
            return self._go_on(self._database, processes, progress)
        path = os.fspath(path)
        if not os.path.exists(path):
            _core.Store.create(path, self._core.info(shard)).close()
        return self._go_on(Database(path), processes, progress)

    def resume(self, path: Path, *, processes: int = 1, progress: bool | Report = True) -> Results:
        """Goes on with the campaign in a database, which must be this one. See run()."""
        path = os.fspath(path)
        if not os.path.exists(path):
            raise StoreError(f"there is no database '{path}' to go on with: begin one with run()")
        return self._go_on(Database(path), processes, progress)

    @contextmanager
    def _recorded(self) -> Iterator[_core.Store | None]:
        """The database of the last run, or None."""
        if self._database is None:
            yield None
            return
        with self._database.read() as store:
            yield store

    def _as_begun(self, store: _core.Store, path: str) -> _core.Campaign:
        """This campaign as it was begun in a database. Raises MismatchError if it is another."""
        core = self._core
        # Strata may go by what golden runs gave when it was begun.
        if self._spec.draw == "stratified" and path:
            chosen, self._spec.criteria = self._spec.criteria, core.specification.criteria
            try:
                core = self._open(store)
            finally:
                self._spec.criteria = chosen
        _core.check_same_campaign(store.info, core.info(), path)
        return core

    def _go_on(self, database: Database, processes: int, progress: bool | Report) -> Results:
        refuse_in_worker()
        with database.write() as store, self._explained(store, database.path):
            self._core = self._as_begun(store, database.path)
            self._database = database
            if not store.ended():
                self._run_blocks(store, database.path, processes, progress)
        return Results(database)

    def _run_blocks(self, store: _core.Store, path: str, processes: int, progress: bool | Report) -> None:
        command = worker_command(self._recipe, processes, path)
        with (
            self._subject.running(),
            Shown(progress, self.criteria[0], store.info.trials, store.trials_done()) as shown,
        ):
            if command is None:
                is_at_end = self._core.run(store, shown.report)
            else:
                with command as words:
                    is_at_end = _core.run_in_processes(self._core, store, shown.report, words, processes)
            shown.finish(store.trials_done(), is_at_end)

    @contextmanager
    def _explained(self, store: _core.Store, path: str) -> Iterator[None]:
        """Where the run is interrupted, says how to go on."""
        try:
            yield
        except BaseException as error:
            how = f"campaign.resume({path!r})" if path else "campaign.run()"
            if hasattr(error, "add_note") and self._database is not None:
                done = store.trials_done()
                error.add_note(f"{done:,} of {self.trials:,} trials are kept: go on with {how}")
            raise

    def __repr__(self) -> str:
        spec = self._core.specification
        return (
            f"<Campaign: {spec.error or 'fault lines'} in {len(self._core.sites)} {spec.kind} sites, "
            f"{self.trials:,} trials at most, on {len(self._inputs)} inputs; {', '.join(self.criteria)}>"
        )


# Parameters of Campaign that are no keys of a specification, as they come in a call.
_NO_KEYS = (
    "model",
    "factory",
    "inputs",
    "labels",
    "error",
    "criteria",
    "preprocess",
    "batch_axes",
    "modules",
)


def _opened(
    model: Model,
    inputs: Any,
    batch_axes: BatchAxes,
    modules: Modules,
    spec: _core.Specification,
    has_device: bool,
) -> tuple[Inputs, Subject]:
    """The inputs, and the network for them. Notes in the specification where both are from, and lie."""
    if not isinstance(model, str | os.PathLike):
        opened = inputs_of(inputs, batch_axes, spec.preprocess)
        subject = ModelInMemory(model, opened.arguments, modules)
        if not has_device:
            spec.device = subject.device()
        spec.input = opened.path
        return opened, subject
    if modules is not None:
        raise UsageError(
            "modules= goes with a model in memory: the network of a file names its modules itself"
        )
    spec.model = os.fspath(model)
    if isinstance(inputs, str | os.PathLike):
        spec.input = os.fspath(inputs)
        network, core, _, fingerprint = _core.load_experiment(spec)
        return inputs_of_core(core, spec.input), ModelFile(spec.model, network, fingerprint)
    network = _core.open_network(spec.model, spec.device, getattr(torch, spec.dtype) if spec.dtype else None)
    opened = inputs_of(in_order(inputs, network.input_names), batch_axes, spec.preprocess)
    return opened, ModelFile(spec.model, network, _core.file_fingerprint(spec.model))


def _model_of(model: Model | None, factory: Callable[[], Model] | None) -> Model:
    if (model is None) == (factory is None):
        raise UsageError("give a model, or factory=, a function that makes one")
    if factory is None:
        assert model is not None
        return model
    if not callable(factory):
        raise UsageError(f"factory is a {type(factory).__name__}: expected a function that makes the model")
    return factory()


def _error_of(error: ErrorModel | str | None, spec: _core.Specification) -> ErrorModel | None:
    if spec.draw == "list":
        if error is not None:
            raise UsageError("error= does not go with draw='list': the fault lines say what happens")
        return None
    if error is not None and not isinstance(error, ErrorModel | str):
        raise UsageError(
            f"error is a {type(error).__name__}: expected an error model, or its text such as 'flip'"
        )
    return error_model_of("flip" if error is None else error)


def _criteria_of(criteria: Any) -> list[Criterion]:
    if criteria is None:
        return []
    given = [criteria] if isinstance(criteria, Criterion | str) else list(criteria)
    if not given:
        raise UsageError(
            "criteria is empty: leave it out for those that fit the outputs, or name at least one"
        )
    return [criterion_of(one) for one in given]


def _labels_of(labels: Any, inputs: Inputs, spec: _core.Specification) -> list[int]:
    if labels is None:
        return inputs.labels or []
    if isinstance(labels, str | os.PathLike):
        spec.labels = os.fspath(labels)
        labels = _core.load_tensor(spec.labels)
    return labels_of(labels, len(inputs))
