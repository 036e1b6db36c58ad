# SPDX-License-Identifier: Apache-2.0
"""Records scores of torchvision's networks for networks_test.cpp: `python record_scores.py`.

Needs torch and torchvision; the file is kept beside this script, so that the tests need neither. Weights, statistics and
images come from a formula that the test computes in C++.
"""

import pathlib

import torch
import torchvision.models as models

SHOWN = range(0, 1000, 125)


def pattern(shape: torch.Size, number: int) -> torch.Tensor:
    """Float64 values in [0, 1) that look random: multiplicative hashing of position and tensor number."""
    position = torch.arange(shape.numel()) + 1000003 * number
    return ((position * 2654435761 % 2**32) // 2**16 / 65536).reshape(shape)


def value_of(name: str, shape: torch.Size, number: int) -> torch.Tensor:
    u = pattern(shape, number)
    if name.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    if name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
        return (0.5 + u).float()
    if len(shape) == 1:
        return (0.2 * u - 0.1).float()
    inputs = shape.numel() // shape[0]
    return ((2 * u - 1) * (6.0 / inputs) ** 0.5).float()


def main() -> None:
    lines = []
    images = (4 * pattern(torch.Size([2, 3, 64, 64]), 0) - 2).float()
    for name in ("alexnet", "resnet18", "mobilenet_v2"):
        network = getattr(models, name)().eval()
        state = network.state_dict()
        for number, key in enumerate(sorted(state), start=1):
            state[key].copy_(value_of(key, state[key].shape, number))
        with torch.no_grad():
            scores = network(images)
        print(name, "std", scores.std().item(), "between images", (scores[0] - scores[1]).std().item())
        for image in range(2):
            shown = " ".join(f"{scores[image, index].item():.9g}" for index in SHOWN)
            lines.append(f"{name} {image} {shown}\n")
    (pathlib.Path(__file__).parent / "torchvision_scores.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
