# SPDX-License-Identifier: Apache-2.0
"""Faultwave perturbs a running neural network on purpose, and tells how the network takes it."""

from _faultwave import program

if program.is_asked_for():
    program.main()  # python -m faultwave: this process becomes the program, before torch is imported

from faultwave import _native

_native.load()

from faultwave import sequences  # noqa: E402
from faultwave._campaign import Campaign  # noqa: E402
from faultwave._comparison import Comparison, compare  # noqa: E402
from faultwave._core import Criterion, ErrorContext, ErrorModel, Fault, Receipt, Site, Trial, Victim  # noqa: E402
from faultwave._criteria import criterion  # noqa: E402
from faultwave._errors import (  # noqa: E402
    Error,
    IllegalFaultError,
    InputError,
    InternalError,
    MismatchError,
    NetworkError,
    StoreError,
    UsageError,
)
from faultwave._export import Exported, export  # noqa: E402
from faultwave._injector import Armed, Injector  # noqa: E402
from faultwave._models import (  # noqa: E402
    burst,
    constant,
    error_model,
    flip,
    noise,
    random_flips,
    random_value,
    scale,
    stuck_at,
    zero,
)
from faultwave._perturb import perturb  # noqa: E402
from faultwave._results import Group, Groups, Rate, Rates, Results, merge, open  # noqa: E402
from faultwave._sites import Sites  # noqa: E402
from faultwave._specification import HalfWidth, Minutes  # noqa: E402
from faultwave._statistics import clopper_pearson  # noqa: E402

__all__ = [
    "Armed",
    "Campaign",
    "Comparison",
    "Criterion",
    "Error",
    "ErrorContext",
    "ErrorModel",
    "Exported",
    "Fault",
    "Group",
    "Groups",
    "HalfWidth",
    "IllegalFaultError",
    "Injector",
    "InputError",
    "InternalError",
    "Minutes",
    "MismatchError",
    "NetworkError",
    "Rate",
    "Rates",
    "Receipt",
    "Results",
    "Site",
    "Sites",
    "StoreError",
    "Trial",
    "UsageError",
    "Victim",
    "burst",
    "clopper_pearson",
    "compare",
    "constant",
    "criterion",
    "error_model",
    "export",
    "flip",
    "merge",
    "noise",
    "perturb",
    "open",
    "random_flips",
    "random_value",
    "scale",
    "sequences",
    "stuck_at",
    "zero",
]
