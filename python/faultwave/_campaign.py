# SPDX-License-Identifier: Apache-2.0
"""Campaigns: many faults, one a trial, and what they did."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from faultwave import _core
from faultwave._core import Criterion, ErrorModel, Trial
from faultwave._criteria import criterion_of
from faultwave._errors import MismatchError, StoreError, UsageError
from faultwave._injector import error_model_of
from faultwave._inputs import BatchAxes, Inputs, inputs_of, labels_of
from faultwave._progress import Report, Shown
from faultwave._replay import Replay
from faultwave._results import Results, file_of
from faultwave._sites import Sites
from faultwave._specification import Stop, preprocess_of, refuse_unknown, specification_of
from faultwave._subject import Model, Modules, subject_of

Path = str | os.PathLike[str]


class Campaign:
    """Tries many faults on a model, one a trial, and counts what they did.

    The keywords are the keys of a specification (docs/campaigns.md). Making one profiles the model: in eval mode,
    without gradients. The model, its modes and its buffers are afterwards as before.

    Args:
        model: an `nn.Module`; a callable that runs modules on the calling thread; an Injector; or the path of an
            exported program (`.pt2`) or TorchScript archive, which then runs without Python.
        inputs: a tensor [N, ...] whose first axis counts inputs; a tuple or dictionary of such tensors, which the
            model is called with; a list of inputs, each what the model is called with; or the path of a tensor file,
            an image, or a folder of images.
        labels: the right class of each input: integers, or the path of a tensor file. Adds accuracies.
        error: an error model, or its text as in a fault line: `"flip"`, `"random(-1,1)"`, `fw.error_model(...)`.
        trials: how many faults to try, at most; needed unless `stop` or the way of drawing ends the campaign.
        kind: what is hit: "output" (neurons), "input" of an operator, "weight", "bias", "buffer", "network-input".
        sites: globs; each must match a site. Left out: the default sites of the kind.
        draw: "bits", "layers", "stratified", "exhaustive", or "list".
        list: for "list": the path of a file of fault lines.
        per_trial: faults of one trial, or "each layer".
        criteria: what counts as an error: texts such as "top1", or `fw.criterion(...)`. Left out: those that fit the
            outputs.
        seed: the key of everything random.
        engine: "wave", which computes only what differs, or "direct", a real faulty forward a trial.
        audit: share of the wave's trials, 0 to 1, that are run again as real faulty runs.
        stop: `fw.HalfWidth(...)`, `fw.Minutes(...)`, or a list of both.
        inputs_in_turn: trial k takes input k modulo how many, instead of a random one.
        only_right: only inputs whose golden top class is the label.
        random_key: for models that draw random numbers: seeds torch's generators before each forward.
        confidence: of the intervals.
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
        model: Model,
        inputs: Any,
        labels: Any = None,
        *,
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
        keys = {name: value for name, value in locals().items() if name not in _NO_KEYS}
        refuse_unknown(unknown, [*_NO_KEYS[1:-1], *keys])
        spec = specification_of(keys)
        spec.preprocess = preprocess_of(preprocess)
        self._error = _error_of(error, spec)
        self._criteria = _criteria_of(criteria)
        self._inputs = inputs_of(inputs, batch_axes, spec.preprocess)
        self._subject = subject_of(model, self._inputs.arguments, modules, keys["device"] and spec.device, spec.dtype)
        if device is None:
            spec.device = self._subject.device()
        spec.model = self._subject.path
        spec.input = self._inputs.path
        self._labels = _labels_of(labels, self._inputs, spec)
        if spec.only_right and not self._labels:
            raise UsageError("only_right=True needs labels, which say what is right")
        self._spec = spec
        self._core = self._open(None)
        self._store: _core.Store | None = None

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
        return Results(self._store) if self._store is not None else None

    def trial(self, number: int) -> Trial:
        """Trial `number`: its input and its faults. In a stratified campaign the trials of rounds that were run."""
        return self._core.draw(number, self._store)

    def replay(self, number: int) -> Replay:
        """Runs one trial again, alone, as a real faulty run. Raises MismatchError if the outcome is not what was
        recorded."""
        with self._subject.running():
            replay = Replay(self._core.replay(number, self._store), self.criteria)
        row = self._store.row(number) if self._store is not None else None
        if row is not None and (row.outcome, row.fired) != (replay.outcome, replay._core.fired):
            raise MismatchError(
                f"trial {number}: its outcome is {replay.outcome} now and {row.outcome} in the database: "
                "the model or the machine is another"
            )
        return replay

    def run(self, path: Path | None = None, *, progress: bool | Report = True) -> Results:
        """Runs it to its end: a new database at `path`, or in memory without one.

        A database that holds this campaign already goes on where it was stopped. Ctrl-C stops at once and raises
        KeyboardInterrupt: what is finished is kept, and the same call, or `resume`, goes on to the same result as
        an unbroken run.

        Args:
            progress: whether to show a bar (where tqdm is installed); or a function that is called with `done`,
                `total`, `seconds` and `rate` now and then.

        Raises:
            StoreError: the file belongs to another campaign, is none of ours, or cannot be written.
            MismatchError: model, inputs or labels are not those that the database was begun with.
            Error: what a criterion or an error model raised is the cause of it; what was finished is kept.
        """
        if path is None:
            if self._store is None or file_of(self._store):
                self._store = _core.Store.in_memory(self._core.info())
            return self._go_on(self._core, self._store, progress)
        if os.path.exists(path):
            return self.resume(path, progress=progress)
        store = _core.Store.create(os.fspath(path), self._core.info())
        return self._go_on(self._core, store, progress)

    def resume(self, path: Path, *, progress: bool | Report = True) -> Results:
        """Goes on with the campaign in a database, which must be this one. See run()."""
        if not os.path.exists(path):
            raise StoreError(f"there is no database '{os.fspath(path)}' to go on with: begin one with run()")
        core, store = self._recorded(os.fspath(path))
        return self._go_on(core, store, progress)

    def _recorded(self, path: str) -> tuple[_core.Campaign, _core.Store]:
        """The database at `path`, and this campaign as it was begun there."""
        if self._store is not None and self._store.path == path:
            self._store = None  # one may write at a time
        store = _core.Store.open(path, writable=True)
        is_stratified = self._spec.draw == "stratified"
        core = self._core
        if is_stratified:  # strata may go by what golden runs gave when it was begun
            chosen, self._spec.criteria = self._spec.criteria, core.specification.criteria
            try:
                core = self._open(store)
            finally:
                self._spec.criteria = chosen
        _core.check_same_campaign(store.info, core.info(), path)
        return core, store

    def _go_on(self, core: _core.Campaign, store: _core.Store, progress: bool | Report) -> Results:
        self._core = core
        self._store = store
        if not store.ended():
            with self._explained(store), self._subject.running(), self._shown(store, progress) as shown:
                is_at_end = core.run(store, shown.report)
                shown.finish(store.trials_done(), is_at_end)
        if file_of(store):
            self._store = _core.Store.open(store.path)  # so that others may write
        return Results(self._store)

    def _shown(self, store: _core.Store, progress: bool | Report) -> Shown:
        return Shown(progress, self.criteria[0], store.info.trials, store.trials_done())

    @contextmanager
    def _explained(self, store: _core.Store) -> Iterator[None]:
        """Where it is interrupted, says how to go on, and lets go of the database."""
        try:
            yield
        except BaseException as error:
            done = store.trials_done()
            how = f"campaign.resume({store.path!r})" if file_of(store) else "campaign.run()"
            if hasattr(error, "add_note"):
                error.add_note(f"{done:,} of {self.trials:,} trials are kept: go on with {how}")
            if file_of(store):
                self._store = _core.Store.open(store.path)
            raise

    def __repr__(self) -> str:
        spec = self._core.specification
        return (
            f"<Campaign: {spec.error or 'fault lines'} in {len(self._core.sites)} {spec.kind} sites, "
            f"{self.trials:,} trials at most, on {len(self._inputs)} inputs; {', '.join(self.criteria)}>"
        )


# Parameters of Campaign that are no keys of a specification, as they come in a call.
_NO_KEYS = (
    "self",
    "model",
    "inputs",
    "labels",
    "error",
    "criteria",
    "preprocess",
    "batch_axes",
    "modules",
    "unknown",
)


def _error_of(error: ErrorModel | str | None, spec: _core.Specification) -> ErrorModel | None:
    if spec.draw == "list":
        if error is not None:
            raise UsageError("error= does not go with draw='list': the fault lines say what happens")
        return None
    if error is not None and not isinstance(error, ErrorModel | str):
        raise UsageError(f"error is a {type(error).__name__}: expected an error model, or its text such as 'flip'")
    return error_model_of("flip" if error is None else error)


def _criteria_of(criteria: Any) -> list[Criterion]:
    if criteria is None:
        return []
    given = [criteria] if isinstance(criteria, Criterion | str) else list(criteria)
    if not given:
        raise UsageError("criteria is empty: leave it out for those that fit the outputs, or name at least one")
    return [criterion_of(one) for one in given]


def _labels_of(labels: Any, inputs: Inputs, spec: _core.Specification) -> list[int]:
    if labels is None:
        return inputs.labels or []
    if isinstance(labels, str | os.PathLike):
        spec.labels = os.fspath(labels)
        labels = _core.load_tensor(spec.labels)
    return labels_of(labels, len(inputs))
