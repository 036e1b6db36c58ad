# SPDX-License-Identifier: Apache-2.0
"""Faultwave perturbs a running neural network on purpose, and tells how the network takes it."""

from _faultwave import program

if program.is_asked_for():
    program.main()  # python -m faultwave: this process becomes the program, before torch is imported

from faultwave import _native

_native.load()

from faultwave._core import ErrorContext, ErrorModel, Fault, Receipt, Site, Victim  # noqa: E402
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
from faultwave._sites import Sites  # noqa: E402

__all__ = [
    "Armed",
    "Error",
    "ErrorContext",
    "ErrorModel",
    "Exported",
    "Fault",
    "IllegalFaultError",
    "Injector",
    "InputError",
    "InternalError",
    "MismatchError",
    "NetworkError",
    "Receipt",
    "Site",
    "Sites",
    "StoreError",
    "UsageError",
    "Victim",
    "burst",
    "constant",
    "error_model",
    "export",
    "flip",
    "noise",
    "random_flips",
    "random_value",
    "scale",
    "stuck_at",
    "zero",
]
