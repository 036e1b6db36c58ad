# SPDX-License-Identifier: Apache-2.0
"""`import pytorchfi` means the replacement if asked for. Each test runs in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_install_and_uninstall() -> None:
    done = run(
        "import faultwave.pytorchfi as ours\n"
        "ours.install()\n"
        "ours.install()\n"
        "import pytorchfi\n"
        "from pytorchfi.core import FaultInjection\n"
        "from pytorchfi.neuron_error_models import *\n"
        "from pytorchfi import error_models, util, weight_error_models\n"
        "assert pytorchfi is ours and FaultInjection is ours.core.FaultInjection\n"
        "assert random_neuron_inj is ours.neuron_error_models.random_neuron_inj\n"
        "ours.uninstall()\n"
        "import sys\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'pytorchfi']\n"
    )
    assert done.returncode == 0, done.stderr


def test_install_beside_the_real_one_is_refused(peer: SimpleNamespace) -> None:
    done = run("import pytorchfi\nimport faultwave.pytorchfi as ours\nours.install()\n")
    assert done.returncode != 0
    assert "UsageError: PyTorchFI is imported already, from " in done.stderr


def test_the_root_logger_is_left_alone() -> None:
    done = run(
        "import logging, torch\n"
        "from faultwave.pytorchfi.core import FaultInjection\n"
        "from faultwave.pytorchfi.neuron_error_models import random_neuron_inj\n"
        "pfi = FaultInjection(torch.nn.Sequential(torch.nn.Linear(2, 2)), 1, [2], [torch.nn.Linear])\n"
        "random_neuron_inj(pfi)(torch.ones(1, 2))\n"
        "assert logging.getLogger().handlers == []\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""
