# SPDX-License-Identifier: Apache-2.0
"""PyTorchFI's interface on Faultwave's injector, so that a study written for it runs unchanged.

    from faultwave.pytorchfi.core import FaultInjection

or, without touching the study's imports, once at its start:

    import faultwave.pytorchfi
    faultwave.pytorchfi.install()

docs/from_pytorchfi.md says what differs, and how each call is written with Faultwave itself.
"""

from faultwave.pytorchfi import core, error_models, neuron_error_models, util, weight_error_models
from faultwave.pytorchfi._errors import DeclarationError, FaultyModelError, OutOfBoundsError
from faultwave.pytorchfi._faulty_model import FaultyModel
from faultwave.pytorchfi._install import install, uninstall

__all__ = [
    "DeclarationError",
    "FaultyModel",
    "FaultyModelError",
    "OutOfBoundsError",
    "core",
    "error_models",
    "install",
    "neuron_error_models",
    "uninstall",
    "util",
    "weight_error_models",
]
