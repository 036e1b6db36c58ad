# SPDX-License-Identifier: Apache-2.0
"""The C++ core of Faultwave (python/src). Use the package faultwave, which is made of it."""

import builtins
from collections.abc import Callable, Sequence
from typing import Literal, overload

import torch

_SiteKind = Literal[
    "output",
    "input",
    "weight",
    "bias",
    "buffer",
    "network-input",
    "output-gradient",
    "weight-gradient",
    "bias-gradient",
]
_Outcome = Literal["masked", "benign", "sdc", "due", "crash", "hang"]
_Draw = Literal["bits", "layers", "stratified", "exhaustive", "list"]
_Ended = Literal["", "trials", "half width", "time", "shard"]

class BatchAxis:
    """How the elements of a batch lie in a site's tensor: row r of the axis belongs to element (r // run) % batch."""

    @property
    def dim(self) -> int:
        """The axis, which is batch * rows long; -1 for a tensor that does not grow with the batch."""
    @property
    def rows(self) -> int:
        """How many rows of the axis belong to one element of the batch; 1 nearly everywhere."""
    @property
    def run(self) -> int:
        """How many of them lie side by side; divides `rows`."""

class Site:
    """A named place of a network that holds values, where faults can go. No two have the same kind and name."""

    @property
    def name(self) -> str:
        """The name in fault lines: the module's path, and what tells several sites of it apart (`#2`, `:1`)."""
    @property
    def kind(self) -> _SiteKind:
        """What a fault line begins with: "output", "input", "weight", "bias", "buffer" or "network-input"; for
        gradients "output-gradient", "weight-gradient" or "bias-gradient"."""
    @property
    def op(self) -> str:
        """The operator, "aten::conv2d"; "" for tensors that are stored."""
    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor when the network ran on the example, batch axis included."""
    @property
    def dtype(self) -> torch.dtype:
        """Type of the values."""
    @property
    def batch(self) -> BatchAxis:
        """Where the tensor counts the batch."""
    @property
    def channel_axis(self) -> int:
        """Axis of `element_shape` that counts channels; -1 for a scalar."""
    @property
    def is_default(self) -> bool:
        """Whether it is among the sites that are used where none are named."""
    @property
    def number(self) -> int:
        """Position in Injector.sites."""
    @property
    def free_axes(self) -> tuple[int, ...]:
        """Axes of `shape` that have other lengths in other forwards, as far as Injector.learn has seen; ascending."""
    @property
    def element_shape(self) -> tuple[int, ...]:
        """Shape of one element of the batch, which indices in fault lines count in."""
    @property
    def numel(self) -> int:
        """How many values belong to one element of the batch."""
    @property
    def bits(self) -> int:
        """Bits of one value in the tensor's own type; 1 for bool."""

class ErrorContext:
    """What an error model of a user's own is told beside the values, and its random numbers.

    The numbers come from the fault's key: the same fault draws the same ones. Valid during the call only.
    """

    @property
    def site(self) -> str:
        """Name of the site that is hit."""
    @property
    def dtype(self) -> torch.dtype:
        """Type of the values."""
    @property
    def int8_scale(self) -> float | None:
        """Scale of INT8 emulation at this site; None where it was not calibrated or is not floating point."""
    def bits64(self) -> int:
        """64 random bits, as an integer from 0 to 2**64 - 1."""
    def uniform(self) -> float:
        """A number from [0, 1), uniform."""
    def normal(self) -> float:
        """A number of the normal distribution of mean 0 and standard deviation 1."""
    def below(self, bound: int, /) -> int:
        """An integer from 0 to bound - 1, uniform. Raises ValueError for a bound of 0."""

class ErrorModel:
    """What a fault does to a value, made of its text in a fault line: "flip(30)", "random(-1,1)".

    Raises UsageError for a text that is no error model.
    """

    def __init__(self, text: str) -> None: ...
    @property
    def is_drawn(self) -> bool:
        """Whether it draws random numbers, so that a fault with it takes a key."""

class Fault:
    """A fault: where, what it does, and the key of what it draws. Made of a fault line, which it prints as, or of
    its parts by keyword.

    Args:
        line: a fault line.
        kind: kind of the site: "output", "weight" and so on.
        site: name of the site, or a glob.
        location: which values, as in a fault line, "[3,0,0]"; or the index of one value, in Site.element_shape.
            Left out: one value, drawn with the key.
        model: an error model, or its text.
        batch: which elements of the batch: "*" all, "each" a draw for each, or the number of one. Left out: all.
        forwards: in which forwards of the scope it acts, counted from 0: "5", "5:8" for 5 to 7, or "5:" for 5 and
            all behind it. Left out: all.
        key: the key of what it draws, from 0 to 2**64 - 1.

    Raises UsageError for a line, or a part, that cannot be understood.

    Example:
        >>> Fault("output:conv1[3,0,0] flip(30)").site
        'conv1'
        >>> Fault(site="conv1", location=(3, 0, 0), model="flip(30)", forwards="5:8")
        Fault('output:conv1[3,0,0] flip(30)%5:8')
    """

    @overload
    def __init__(self, line: str) -> None: ...
    @overload
    def __init__(
        self,
        *,
        kind: str = "output",
        site: str,
        location: str | Sequence[int] = "[?]",
        model: ErrorModel | str = "flip",
        batch: str = "",
        forwards: str = "",
        key: int | None = None,
    ) -> None: ...
    @property
    def kind(self) -> _SiteKind:
        """Kind of the site: "output", "weight" and so on."""
    @property
    def site(self) -> str:
        """Name of the site, or a glob."""
    @property
    def location(self) -> str:
        """Which values of the site, as in the fault line."""
    @property
    def batch(self) -> str:
        """Which elements of the batch: "*" all, "each" a draw for each, or the number of one."""
    @property
    def model(self) -> str:
        """Text of the error model."""
    @property
    def key(self) -> int | None:
        """The key that random numbers come from; None for a fault that has none yet."""
    @property
    def forwards(self) -> str:
        """In which forwards of the scope it acts, counted from 0: "5", "5:8" or "5:"; "" for all."""
    def with_key(self, key: int) -> Fault:
        """The same fault with another key."""
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

class Victim:
    """One value that a fault hit."""

    @property
    def index(self) -> tuple[int, ...]:
        """Its index in the whole tensor."""
    @property
    def element_index(self) -> tuple[int, ...]:
        """Its index within its element of the batch."""
    @property
    def before(self) -> float:
        """The value before the fault."""
    @property
    def after(self) -> float:
        """The value after it."""
    @property
    def bits_before(self) -> int:
        """The bits before the fault, as an unsigned integer."""
    @property
    def bits_after(self) -> int:
        """The bits after it."""

class Receipt:
    """What a fault did while it was armed."""

    @property
    def fault(self) -> str:
        """The fault line that replays it: all that was drawn is filled in."""
    @property
    def kind(self) -> _SiteKind:
        """Kind of the site."""
    @property
    def site(self) -> str:
        """Name of the site."""
    @property
    def dtype(self) -> torch.dtype:
        """Type of the values."""
    @property
    def forwards(self) -> int:
        """How many times the fault was applied."""
    @property
    def first_forward(self) -> int:
        """In which forward of the scope it was applied first, counted from 0; -1 for in none."""
    @property
    def hits(self) -> int:
        """How many values it hit, over all forwards."""
    @property
    def victims(self) -> list[Victim]:
        """The values that its first application hit, the first 64 of them."""

class Network:
    """A network that the core can run."""

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, in order; empty where they have none."""

class PythonNetwork(Network):
    """A network that Python runs; `owner` is asked for what python/src/python_network.h says."""

    def __init__(
        self,
        owner: object,
        parameters: Sequence[tuple[str, torch.Tensor]],
        buffers: Sequence[tuple[str, torch.Tensor]],
        input_names: Sequence[str],
    ) -> None: ...
    def enter_scope(self, path: str) -> None:
        """A module begins to run on this thread."""
    def leave_scope(self) -> None:
        """The module entered last is done."""

class Injector:
    """The core of faultwave.Injector."""

    def __init__(
        self, network: Network, example: Sequence[torch.Tensor], batch_axes: Sequence[int]
    ) -> None: ...
    @property
    def sites(self) -> list[Site]:
        """All sites, in execution order."""
    def site(self, kind: str, name: str) -> Site:
        """The site of a name. Raises IllegalFaultError if there is none."""
    def select(self, kind: str, globs: Sequence[str]) -> list[Site]:
        """Sites of a kind whose name matches one of the globs; the default ones without any."""
    @property
    def batch(self) -> int:
        """Batch size of the example."""
    @property
    def batch_is_free(self) -> bool:
        """Whether the network ran at another batch size, too."""
    def calibrate(self, inputs: Sequence[Sequence[torch.Tensor]]) -> None:
        """Records the largest absolute value of each site over these inputs."""
    def learn(self, loop: Callable[[], object]) -> None:
        """Runs `loop` and learns from its forwards which axes of sites have other lengths (Site.free_axes)."""
    def int8_scale(self, site: Site) -> float | None:
        """Largest absolute value / 127."""
    def resolve(self, fault: Fault) -> Fault:
        """The fault with all that it draws filled in. Raises IllegalFaultError."""
    def random_fault(self, kind: str, model: ErrorModel, key: int | None = None) -> Fault:
        """A fault at one random value of the default sites of a kind."""

class Armed:
    """The core of faultwave.Armed: armed from its making on, on the thread that made it."""

    def __init__(self, injector: Injector, faults: Sequence[Fault]) -> None: ...
    def disarm(self) -> None:
        """Raises IllegalFaultError if a fault hit nothing."""
    def disarm_after_error(self) -> None:
        """Disarms where the network raised; raises what interception itself threw, if anything."""
    def abandon(self) -> None:
        """From now on nothing is hit. From any thread."""
    def missed(self) -> list[str]:
        """Lines of the faults that have hit nothing so far."""
    def receipts(self) -> list[Receipt]:
        """One a fault, in the order given."""

class StateScope:
    """Remembers what a network may write to, and puts it back."""

    def __init__(self, injector: Injector) -> None: ...
    def put_back(self) -> None:
        """Puts it back."""
    def detach(self, tensor: torch.Tensor, /) -> torch.Tensor:
        """The tensor, copied if it lies in memory that is put back."""

class StopRule:
    """When a campaign has seen enough: at the end of the first round for which one of these holds."""

    def __init__(self) -> None: ...
    half_width: float  # of the intervals, as a share; 0: no matter how wide
    criteria: list[str]  # whose intervals; empty: the first one's
    minutes: float  # of this run; 0: no matter how long

class Preprocess:
    """How an 8-bit image becomes a tensor [3, height, width] of FP32 (docs/inputs.md)."""

    def __init__(self) -> None: ...
    resize: int | None  # the shorter side is scaled to so many pixels
    crop: int | None  # the middle that is cut out, pixels a side
    mean: list[float]  # subtracted, of each of the three channels, after division by 255
    std: list[float]  # divided by, likewise
    is_scaled: bool  # mean or std were given

class Specification:
    """What a campaign does. Attributes are the keys of its file, docs/campaigns.md; as text it is that file.

    Setting `kind` or `draw` to what is none raises UsageError.
    """

    def __init__(self) -> None: ...
    model: str  # path; "" for a network in memory
    input: str  # path; "" for inputs in memory
    labels: str  # path; "" without, or for labels in memory
    engine: str  # "wave" or "direct"
    audit: float  # share of the wave's trials, 0 to 1
    device: str
    dtype: str  # "float32", say; "" keeps the network's own
    preprocess: Preprocess
    seed: int  # 0 to 2**64 - 1
    trials: int  # at most so many; 0: until something else ends it
    batch: int  # rows of one forward
    block: int  # trials that are drawn and run together
    timeout: float  # seconds after which a trial that runs alone is a hang; 0: by the golden run
    round: int  # trials of the first round
    stop: StopRule
    random_key: int | None
    inputs_in_turn: bool
    only_right: bool
    criteria: builtins.list[str]  # none: those that fit the outputs
    confidence: float  # of the intervals
    keep: str  # "all" or "events"; "": by the number of trials
    kind: str
    sites: builtins.list[str]  # globs; none: the default sites of the kind
    error: str  # an error model as in a fault line
    draw: str
    list: str | None  # path of a file of fault lines
    faults_per_trial: int  # 0: one in each site
    calibrate: int  # inputs that scales of INT8 emulation are taken from
    memory_bytes: int  # the wave engine's budget; 0: its default

class InputSet:
    """The numbered inputs that a campaign runs on."""

    def __len__(self) -> int: ...
    def get(self, index: int) -> list[torch.Tensor]:
        """Tensors of one input, without batch axes, on the CPU. Raises InputError."""
    @property
    def batch_axes(self) -> list[int]:
        """For each tensor of an input, the axis along which a batch is put together; -1 for none."""
    def name(self, index: int) -> str:
        """A short name for people: file name, or "#3"."""
    def fingerprint(self) -> str:
        """SHA-256 in hex over all values, shapes and types."""

class Criterion:
    """What counts as an error: a built-in criterion, whose text it prints as, or one made by `fw.criterion`."""

    @property
    def name(self) -> str:
        """Name of its column in results, without numbers: "confidence" for "confidence(0.2)"."""

class Trial:
    """One trial of a campaign: which faults act while the network runs on which input.

    Example:
        >>> fw.Campaign(model, images, trials=1000, seed=1).trial(3)
        Trial(3, input=15, 'output:0[7,4,3] flip(30)')
    """

    @property
    def number(self) -> int:
        """Its number, from 0, which with the campaign's seed is the key of all that it draws."""
    @property
    def input(self) -> int:
        """Number of the input that it runs on, from 0."""
    @property
    def faults(self) -> list[Fault]:
        """Its faults, with all that was drawn filled in; `fw.Injector.run` and `armed` take them as they are."""

class Replayed:
    """One trial that was run again as a real faulty run."""

    @property
    def trial(self) -> Trial:
        """Which one."""
    @property
    def golden(self) -> list[torch.Tensor]:
        """Outputs of the fault-free run, without the batch axis, on the CPU."""
    @property
    def faulty(self) -> list[torch.Tensor]:
        """Outputs of the faulty run, likewise; empty if it crashed."""
    @property
    def receipts(self) -> list[Receipt]:
        """One a fault; empty if the run crashed before it told."""
    @property
    def crash(self) -> str:
        """What the run raised; "" if nothing."""
    @property
    def outcome(self) -> _Outcome:
        """What came of it: "masked", "benign", "sdc", "due" or "crash"."""
    @property
    def fired(self) -> int:
        """Which criteria fired: bit i is criterion i of Campaign.columns."""

class Interval:
    """A rate with its confidence interval."""

    @property
    def estimate(self) -> float:
        """The estimated rate, as a share from 0 to 1; a difference of two rates lies between -1 and 1."""
    @property
    def low(self) -> float:
        """Lower end of the interval."""
    @property
    def high(self) -> float:
        """Upper end of the interval."""
    @property
    def confidence(self) -> float:
        """Probability with which such an interval holds the true rate: 0.99, say."""

class Tally:
    """Counts of trials. In a stratified campaign trials are not of equal weight."""

    @property
    def trials(self) -> int:
        """How many trials."""
    @property
    def fired(self) -> list[int]:
        """In how many of them each criterion fired, in the order of CampaignInfo.criteria."""
    @property
    def classes(self) -> dict[str, int]:
        """How many were "masked", "benign", "sdc", "due", "crash" and "hang"."""

class StoredSite:
    """A site that a campaign draws faults from, as its database records it."""

    @property
    def kind(self) -> _SiteKind:
        """What a fault line begins with: "output", "weight" and so on."""
    @property
    def name(self) -> str:
        """The name in fault lines."""
    @property
    def op(self) -> str:
        """The operator, "aten::conv2d"; "" for tensors that are stored."""
    @property
    def dtype(self) -> str:
        """Type of the values, "float32"."""
    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one element of the batch."""
    @property
    def values(self) -> int:
        """How many values belong to one element of the batch."""
    @property
    def bits(self) -> int:
        """Bits of one value."""
    @property
    def probability(self) -> float:
        """Probability that a trial falls on this site."""

class CampaignInfo:
    """All of a campaign that is fixed before its first trial, as its database records it."""

    @property
    def specification(self) -> Specification:
        """What runs."""
    @property
    def trials(self) -> int:
        """How many trials it has, at most."""
    @property
    def inputs(self) -> int:
        """How many inputs there are."""
    @property
    def eligible_inputs(self) -> list[int]:
        """Numbers of the inputs that are drawn from; empty for all."""
    @property
    def confidence(self) -> float:
        """Of the intervals."""
    @property
    def error(self) -> str:
        """Text of the error model."""
    @property
    def draw(self) -> _Draw:
        """How faults are drawn."""
    @property
    def criteria(self) -> list[str]:
        """Names of the criteria, in the order of the bits of TrialRow.fired."""
    @property
    def criteria_text(self) -> list[str]:
        """The same as specified, "confidence(0.2)"."""
    @property
    def sites(self) -> list[StoredSite]:
        """The sites that are drawn from, in execution order."""
    @property
    def choices(self) -> list[str]:
        """Texts of the error model's alternatives, "flip(0)" and so on; one if it has none."""
    @property
    def labels(self) -> list[int]:
        """The right class of each input; empty without labels."""

class TrialRow:
    """One trial as its database records it. The value hit first stands for all that were."""

    @property
    def trial(self) -> int:
        """Its number."""
    @property
    def input(self) -> int:
        """Number of its input."""
    @property
    def fault(self) -> str:
        """Its fault line."""
    @property
    def index(self) -> tuple[int, ...]:
        """Index of the value within its element of the batch."""
    @property
    def value_before(self) -> float:
        """The value before the fault."""
    @property
    def value_after(self) -> float:
        """The value after it."""
    @property
    def hits(self) -> int:
        """How many values were hit; 0 only where the run ended first, and nothing is known of a value."""
    @property
    def outcome(self) -> _Outcome:
        """What came of it."""
    @property
    def fired(self) -> int:
        """Which criteria fired: bit i is criterion i of CampaignInfo.criteria."""
    @property
    def crash(self) -> str:
        """What the run raised, or what ended its process; "" for neither."""
    @property
    def label(self) -> int | None:
        """The right class of the input; None without labels."""
    @property
    def golden_class(self) -> int | None:
        """Top class of the fault-free run; None without scores."""
    @property
    def faulty_class(self) -> int | None:
        """Top class of the faulty run; None without scores."""

class Store:
    """A campaign's database. One object belongs to one thread at a time.

    Methods raise StoreError if the file is damaged, locked, or cannot be written.
    """

    @staticmethod
    def create(path: str, info: CampaignInfo) -> Store:
        """A new database, open for writing: complete or not at all, and never over a file that exists."""
    @staticmethod
    def in_memory(info: CampaignInfo) -> Store:
        """One in memory, which is gone with the object."""
    @staticmethod
    def open(path: str, writable: bool = False) -> Store:
        """One that exists. One process at a time may write; others may read meanwhile."""
    def close(self) -> None:
        """Lets go of the file. The object must not be used afterwards."""
    @property
    def path(self) -> str:
        """Its file; ":memory:" for one in memory."""
    @property
    def info(self) -> CampaignInfo:
        """What was fixed before the first trial."""
    def ended(self) -> _Ended:
        """Why the campaign is at its end; "" while it is not."""
    def trials_done(self) -> int:
        """How many trials are done."""
    def row(self, trial: int) -> TrialRow | None:
        """The row of a trial; None if it is not done, or was not worth keeping."""

class RateGroup:
    """How often each criterion fired, over a part of a campaign's population."""

    @property
    def name(self) -> str:
        """Which part: "output:conv1", "flip(30)", "class 3"; "(all)" for the whole."""
    @property
    def tally(self) -> Tally:
        """Its trials, counted as drawn."""
    @property
    def rates(self) -> list[Interval]:
        """One a criterion, in the order of CampaignInfo.criteria, each trial with its weight."""
    @property
    def crash(self) -> Interval:
        """How often a run crashed."""
    @property
    def hang(self) -> Interval:
        """How often a run did not end in its time."""

class Accuracy:
    """How often the top class is the label."""

    @property
    def inputs(self) -> int:
        """How many inputs trials ran on, each counted once."""
    @property
    def golden_right(self) -> int:
        """Of how many of them the golden top class is the label."""
    @property
    def lost(self) -> Interval:
        """Rate of trials in which a right answer became wrong."""
    @property
    def won(self) -> Interval:
        """Rate of trials in which a wrong answer became right."""
    @property
    def golden(self) -> float:
        """Accuracy of the fault-free network: golden_right / inputs."""
    @property
    def faulty(self) -> float:
        """Accuracy under a fault: golden - lost + won, which inputs a trial happened to fall on cancels out of."""

class Summary:
    """What a campaign found so far."""

    @property
    def interval(self) -> str:
        """Kind of its intervals, "Clopper-Pearson", say."""
    @property
    def ended(self) -> _Ended:
        """Why the campaign is at its end; "" while it is not."""
    @property
    def has_layers(self) -> bool:
        """False where a trial has several faults, which lie in several layers."""
    @property
    def overall(self) -> RateGroup:
        """The whole population."""
    @property
    def accuracy(self) -> Accuracy | None:
        """With labels, once trials are done; else None."""
    @property
    def groups(self) -> list[RateGroup]:
        """The parts that the summary is by, in their natural order."""
    @property
    def decided_again(self) -> int:
        """Trials near a criterion's border, whose outcome is that of a real faulty run."""
    @property
    def audited(self) -> int:
        """Of the other trials, those that were run again as a check."""
    def text(self, most: int = 0, width: int = 0) -> str:
        """The report for people: `most` parts, the worst first, 0 for all; within `width` columns, 0 for any."""
    def json(self) -> str:
        """The report as JSON (docs/campaigns.md)."""

class Looked:
    """A rate as it stood after so many trials."""

    @property
    def trials(self) -> int:
        """How many trials."""
    @property
    def rate(self) -> Interval:
        """The rate over them."""

class Progress:
    """How far a running campaign is."""

    @property
    def done(self) -> int:
        """Trials that are done, by earlier runs too."""
    @property
    def total(self) -> int:
        """Trials in all, at most."""
    @property
    def done_before(self) -> int:
        """Trials that earlier runs have done."""
    @property
    def tally(self) -> Tally:
        """Counts of the trials that are done."""
    @property
    def rate(self) -> Interval | None:
        """Of the first criterion after the last whole round; None where the campaign does not go in rounds."""
    @property
    def half_width(self) -> float:
        """Half the length of the interval at which it stops; 0 where it does not."""
    @property
    def seconds(self) -> float:
        """Time of this run, in seconds."""

class WaveReport:
    """What a campaign's wave engine did so far, in this process."""

    @property
    def forwards(self) -> int:
        """Golden forwards that it ran."""
    @property
    def trials(self) -> int:
        """Trials that it followed to the end."""
    @property
    def left(self) -> dict[str, int]:
        """Trials that it could not follow, which were run as real faulty runs, by reason."""

class Campaign:
    """The core of faultwave.Campaign: a network and its inputs, profiled, with the trials of a specification.

    `labels` has a class for each input, or none. `criteria` come beside those that the specification names, and
    `error` stands in place of the specification's. `network_fingerprint` is SHA-256 in hex, or "" to take it of the
    network's values. `recorded` is the database of a campaign that goes on, or None.

    Raises UsageError, InputError, NetworkError or IllegalFaultError.
    """

    def __init__(
        self,
        network: Network,
        inputs: InputSet,
        labels: Sequence[int],
        error: ErrorModel | None,
        criteria: Sequence[Criterion],
        network_fingerprint: str,
        specification: Specification,
        recorded: Store | None,
    ) -> None: ...
    @property
    def specification(self) -> Specification:
        """With everything that was chosen filled in."""
    @property
    def trials(self) -> int:
        """How many trials it has, at most."""
    @property
    def columns(self) -> list[str]:
        """Names of the criteria, in the order of reports."""
    @property
    def sites(self) -> list[Site]:
        """The sites that faults are drawn from, in execution order."""
    @property
    def warnings(self) -> list[str]:
        """What one should know before reading numbers, one sentence each."""
    @property
    def wave_report(self) -> WaveReport | None:
        """None where no wave engine runs."""
    def info(self, shard: str = "1/1") -> CampaignInfo:
        """What a database of this campaign, or of one shard of it, records. Raises UsageError."""
    def draw(self, number: int, store: Store | None = None) -> Trial:
        """Trial `number`; of a stratified campaign by the rounds in `store`. Raises UsageError for one that it has
        not."""
    def run(self, store: Store, progress: Callable[[Progress], object] | None) -> bool:
        """Goes on until it is at its end, and returns whether it is. `progress` is called ten times a second at
        most."""
    def replay(self, number: int, store: Store | None = None) -> Replayed:
        """Runs one trial alone, as a real faulty run."""

class PairedCounts:
    """Pairs of trials with the same fault in two campaigns, by whether a criterion fired."""

    @property
    def both(self) -> int:
        """Pairs in which it fired in both."""
    @property
    def first_only(self) -> int:
        """Pairs in which it fired in the first alone."""
    @property
    def second_only(self) -> int:
        """Pairs in which it fired in the second alone."""
    @property
    def neither(self) -> int:
        """Pairs in which it fired in none."""

class ComparedCriterion:
    """One criterion in two campaigns with the same faults."""

    @property
    def name(self) -> str:
        """Its name; "crash" and "hang" for runs without an output."""
    @property
    def counts(self) -> PairedCounts:
        """Pairs of trials by where it fired."""
    @property
    def first(self) -> Interval:
        """Its rate in the first campaign, over the pairs."""
    @property
    def second(self) -> Interval:
        """Its rate in the second campaign, over the pairs."""
    @property
    def difference(self) -> Interval:
        """First rate minus second, from -1 to 1."""
    @property
    def p_value(self) -> float:
        """Of McNemar's exact two-sided test of equal rates."""
    @property
    def worse(self) -> Literal["first", "second"] | None:
        """In which campaign it fires more often; None where the test does not tell."""

class Comparison:
    """Two campaigns that tried the same faults on the same inputs, trial by trial."""

    @property
    def first(self) -> str:
        """Database of the first."""
    @property
    def second(self) -> str:
        """Database of the second."""
    @property
    def pairs(self) -> int:
        """Trials that both have done."""
    @property
    def confidence(self) -> float:
        """Of the intervals and the test."""
    @property
    def is_exact(self) -> bool:
        """Whether both tried every fault, so that rates are known without error."""
    @property
    def is_fixed(self) -> bool:
        """Whether the number of pairs does not follow from results."""
    @property
    def criteria(self) -> list[ComparedCriterion]:
        """The criteria that both have, in the order of the first."""
    def text(self) -> str:
        """A table with a line for each criterion."""
    def json(self) -> str:
        """The comparison as JSON (docs/campaigns.md)."""

def parse_faults(lines: str) -> list[Fault]:
    """Faults of a text of one or several fault lines. Raises UsageError."""

def user_error_model(name: str, function: Callable[[torch.Tensor, ErrorContext], torch.Tensor]) -> ErrorModel:
    """Registers an error model of a user's own."""

def error_model_help() -> list[tuple[str, str]]:
    """Form and summary of each error model."""

def perturb(
    parameters: Sequence[tuple[str, torch.Tensor]],
    buffers: Sequence[tuple[str, torch.Tensor]],
    faults: Sequence[Fault],
) -> list[Receipt]:
    """Writes faults into the tensors themselves, one receipt a fault. Raises IllegalFaultError before any is."""

def open_network(path: str, device: str, dtype: torch.dtype | None) -> Network:
    """The network of a TorchScript archive or an exported program, in its own type for None. Raises InputError or
    NetworkError."""

def file_fingerprint(path: str) -> str:
    """SHA-256 of a file's bytes, in hex. Raises InputError."""

def inputs_from_tensors(tensors: Sequence[torch.Tensor], batch_axes: Sequence[int]) -> InputSet:
    """Inputs of tensors that count them, each along its axis; -1 for one that is the same for all. Raises
    InputError."""

def inputs_from_list(inputs: Sequence[Sequence[torch.Tensor]], batch_axes: Sequence[int]) -> InputSet:
    """Inputs one by one; a batch is put together along new axes, or is of one input if there are none. Raises
    InputError."""

def inputs_from_reader(
    size: int, read: Callable[[int], Sequence[torch.Tensor]], batch_axes: Sequence[int]
) -> InputSet:
    """Inputs that `read` gives by their number. What it raises is the cause of an InputError."""

def load_tensor(path: str) -> torch.Tensor:
    """The tensor of a `.npy`, `.safetensors` or `.pt` file. Raises InputError."""

def open_inputs(path: str, preprocess: Preprocess) -> InputSet:
    """Inputs of a tensor file whose first axis counts them, an image, or a folder of images. Raises InputError."""

def parse_criterion(text: str) -> Criterion:
    """The criterion of a text, "confidence(0.2)". Raises UsageError."""

def is_near_border(
    criterion: Criterion, golden: Sequence[torch.Tensor], faulty: Sequence[torch.Tensor], rounding: float
) -> bool:
    """Whether its answer could be another one if each finite output value moved by `rounding`, in parts of the
    largest magnitude of its output."""

def criterion_names() -> list[str]:
    """Names of the built-in criteria, and of those that plugins bring."""

def own_criterion(
    name: str,
    fires: Callable[[list[torch.Tensor], list[torch.Tensor], int | None, None], bool],
    is_near_border: Callable[[list[torch.Tensor], list[torch.Tensor], int | None, float], bool] | None,
) -> Criterion:
    """A criterion that functions decide: (golden outputs, faulty outputs, label, None), or the rounding in place of
    None. Without `is_near_border` real faulty runs decide. Raises UsageError for a name that is none."""

def summarize(store: Store, by: str = "layer") -> Summary:
    """What a campaign found: by "layer", "bit", "channel", "class" or "input". Raises UsageError for others."""

def by_layer_and_bit(store: Store) -> list[RateGroup]:
    """For each site, in order, a part for each of CampaignInfo.choices, in order."""

def convergence(store: Store, criterion: int, looks: Sequence[int]) -> list[Looked]:
    """The rate of one criterion, by its position, after each of these numbers of trials, which ascend."""

def clopper_pearson(count: int, trials: int, confidence: float) -> tuple[float, float]:
    """The interval of Clopper and Pearson, from 0 to 1. Raises UsageError."""

def write_csv(store: Store, path: str) -> None:
    """Writes a row a trial (docs/campaigns.md). Raises StoreError."""

def write_json(store: Store, path: str) -> None:
    """Writes an object a trial, likewise."""

def load_experiment(specification: Specification) -> tuple[Network, InputSet, list[int], str]:
    """Network, inputs, labels and the network file's fingerprint, of the files that a specification names. Raises
    InputError or NetworkError."""

def run_in_processes(
    campaign: Campaign,
    store: Store,
    progress: Callable[[Progress], object] | None,
    command: Sequence[str],
    processes: int,
) -> bool:
    """Campaign.run with its trials in so many processes, which `command` starts."""

def serve_blocks(campaign: Campaign, store: Store, socket: int, page: int) -> None:
    """Runs trials in such a process, as its parent asks through the file descriptors `socket` and `page`."""

def check_same_campaign(recorded: CampaignInfo, now: CampaignInfo, where: str) -> None:
    """Raises MismatchError, which names what differs, unless the two are the same campaign."""

def compare(first: Store, second: Store) -> Comparison:
    """Pairs trial k of one campaign with trial k of the other. Raises MismatchError."""

def merge(databases: Sequence[str], output: str) -> bool:
    """Joins the shards of a campaign into a new database. Raises MismatchError, UsageError or StoreError."""

def check_interception() -> None:
    """Injects a fault into one operator, and raises if it does not hit."""
