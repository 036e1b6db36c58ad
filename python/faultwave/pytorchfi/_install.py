# SPDX-License-Identifier: Apache-2.0
"""Makes `import pytorchfi` mean this package, for programs whose imports should stay as they are."""

from __future__ import annotations

import sys
import types

from faultwave._errors import UsageError

_NAME = "pytorchfi"
_PACKAGE = "faultwave.pytorchfi"


def _modules() -> dict[str, types.ModuleType]:
    """The package and its public modules, by the names that they get."""
    names = ("", ".core", ".error_models", ".neuron_error_models", ".util", ".weight_error_models")
    return {_NAME + name: sys.modules[_PACKAGE + name] for name in names}


def install() -> None:
    """From now on `import pytorchfi` gives this package, whether PyTorchFI is installed or not.

    Raises faultwave.UsageError if PyTorchFI itself has been imported already: its names would stay in use
    beside these. A second call does nothing.
    """
    present = sys.modules.get(_NAME)
    if present is not None and present is not sys.modules[_PACKAGE]:
        raise UsageError(
            f"PyTorchFI is imported already, from {getattr(present, '__file__', None)}; call "
            "faultwave.pytorchfi.install() before anything imports it"
        )
    sys.modules.update(_modules())


def uninstall() -> None:
    """Takes install() back: the next `import pytorchfi` finds PyTorchFI, or nothing."""
    for name, module in _modules().items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
