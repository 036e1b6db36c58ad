# SPDX-License-Identifier: Apache-2.0
"""Weights that are changed for good."""

from __future__ import annotations

import torch

from faultwave import _core
from faultwave._core import Receipt
from faultwave._injector import Faults, faults_of


def perturb(model: torch.nn.Module, faults: Faults) -> list[Receipt]:
    """Writes faults into a model's parameters and buffers themselves, offline and without a forward.

    Args:
        model: changed in place; copy it first, or keep its `state_dict`, to have the old one too.
        faults: of kind weight, bias or buffer; sites are named as in Injector.sites.

    Returns:
        One receipt a fault.

    Raises:
        IllegalFaultError: a fault is illegal; then nothing has been written.

    Example:
        >>> import torch, faultwave as fw
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False))
        >>> receipts = fw.perturb(model, "weight:0[1,0] constant(5)")
        >>> model[0].weight[1, 0].item()
        5.0
    """
    return _core.perturb(list(model.named_parameters()), list(model.named_buffers()), faults_of(faults))
