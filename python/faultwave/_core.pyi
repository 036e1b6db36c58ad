# SPDX-License-Identifier: Apache-2.0
"""The C++ core of Faultwave (python/src). Use the package faultwave, which is made of it."""

from collections.abc import Callable, Sequence

import torch

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
    def kind(self) -> str:
        """What a fault line begins with: "output", "input", "weight", "bias", "buffer" or "network-input"."""
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
    """A fault: where, what it does, and the key of what it draws. Made of a fault line, which it prints as.

    Raises UsageError for a line that cannot be understood.

    Example:
        >>> Fault("output:conv1[3,0,0] flip(30)").site
        'conv1'
    """

    def __init__(self, line: str) -> None: ...
    @property
    def kind(self) -> str:
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
    def kind(self) -> str:
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
    def hits(self) -> int:
        """How many values it hit, over all forwards."""
    @property
    def victims(self) -> list[Victim]:
        """The values that its first application hit, the first 64 of them."""

class Network:
    """A network that the core can run."""

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

def parse_faults(lines: str) -> list[Fault]:
    """Faults of a text of one or several fault lines. Raises UsageError."""

def make_fault(
    kind: str, site: str, location: str, batch: str, model: ErrorModel, key: int | None = None
) -> Fault:
    """A fault of its parts, the location and the batch as in a fault line."""

def user_error_model(name: str, function: Callable[[torch.Tensor, ErrorContext], torch.Tensor]) -> ErrorModel:
    """Registers an error model of a user's own."""

def error_model_help() -> list[tuple[str, str]]:
    """Form and summary of each error model."""

def clopper_pearson(count: int, trials: int, confidence: float) -> tuple[float, float]:
    """The interval of Clopper and Pearson, from 0 to 1. Raises UsageError."""

def check_interception() -> None:
    """Injects a fault into one operator, and raises if it does not hit."""
