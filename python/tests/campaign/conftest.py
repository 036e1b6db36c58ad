# SPDX-License-Identifier: Apache-2.0
"""What the tests of campaigns share: a small network whose results are quick."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from networks import Small


@pytest.fixture
def model() -> torch.nn.Module:
    return Small()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels(model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    """What the network itself answers, but for the last input."""
    with torch.no_grad():
        answers = model.eval()(images).argmax(1)
    answers[-1] = (answers[-1] + 1) % 10
    return answers


@pytest.fixture(scope="session")
def program() -> str:
    """The program `faultwave` of the same build."""
    path = os.environ.get("FAULTWAVE_PROGRAM")
    if path is None:
        pytest.skip("FAULTWAVE_PROGRAM does not name the program")
    return path
