# SPDX-License-Identifier: Apache-2.0
"""What all tests of the package share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _same_draws() -> None:
    torch.manual_seed(1)
