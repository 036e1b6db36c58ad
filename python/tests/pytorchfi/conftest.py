# SPDX-License-Identifier: Apache-2.0
"""PyTorchFI itself, beside which its replacement is tested."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest
import torch

# The networks are so small that threads would only wait for one another.
torch.set_num_threads(1)

_MODULES = ("core", "neuron_error_models", "weight_error_models", "util")


@pytest.fixture(scope="session")
def peer() -> SimpleNamespace:
    """PyTorchFI's modules. Without it nothing can be compared, and the test fails and says so."""
    try:
        modules = {name: importlib.import_module(f"pytorchfi.{name}") for name in _MODULES}
    except ImportError as error:
        pytest.fail(f"PyTorchFI is not installed ({error}): pip install --no-deps pytorchfi==0.6.0")
    return SimpleNamespace(**modules)
