# SPDX-License-Identifier: Apache-2.0
"""What users keep while a campaign runs is not the engine's memory."""

from __future__ import annotations

import networks
import torch

import faultwave as fw


def forwards_of_waves(criterion: fw.Criterion, images: torch.Tensor) -> int:
    campaign = fw.Campaign(
        networks.Small(), images, trials=1600, block=32, seed=1, criteria=criterion, memory="16MB"
    )
    campaign.run(progress=False)
    report = campaign._core.wave_report
    assert report is not None
    return report.forwards


def test_what_a_criterion_keeps_costs_no_forwards(images: torch.Tensor) -> None:
    kept = []

    def keeping(golden: torch.Tensor, faulty: torch.Tensor) -> bool:
        if len(kept) < 100:
            kept.append(torch.zeros(1 << 18))
        return networks.far(golden, faulty)

    def near(golden: torch.Tensor, faulty: torch.Tensor, rounding: float) -> bool:
        return False

    expected = forwards_of_waves(fw.criterion("plain", networks.far, near_border=near), images)
    found = forwards_of_waves(fw.criterion("keeping", keeping, near_border=near), images)
    assert sum(tensor.nbytes for tensor in kept) > 64 << 20  # four times the whole budget
    assert found == expected
