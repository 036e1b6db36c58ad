# SPDX-License-Identifier: Apache-2.0
"""Small networks of different make, with random weights, to compare PyTorchFI and its replacement on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn


class Residual(nn.Module):
    """Blocks with a shortcut and batch norms."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm0 = nn.BatchNorm2d(8)
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(8, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm0(self.stem(x)))
        y = self.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return self.head(self.relu(x + y).mean((2, 3)))


class Dense(nn.Module):
    """Each layer reads the outputs of all before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3 + 4 * i, 4, 3, padding=1) for i in range(4))
        self.head = nn.Linear(19, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.cat([x, torch.relu(layer(x))], 1)
        return self.head(x.amax((2, 3)))


class Branches(nn.Module):
    """Convolutions of several sizes beside one another."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(3, 4, 5, padding=2)
        self.narrow = nn.Conv2d(3, 4, 1)
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 4, 1), nn.Tanh())
        self.head = nn.Conv2d(12, 7, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.cat([self.wide(x).relu(), self.narrow(x).sigmoid(), self.pooled(x)], 1)
        return self.head(x).flatten(2).logsumexp(2)


class Excitation(nn.Module):
    """A gate for each feature map, computed from all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, stride=2)
        self.squeeze = nn.Conv2d(16, 4, 1)
        self.excite = nn.Conv2d(4, 16, 1)
        self.activation = nn.SiLU(inplace=True)
        self.head = nn.Linear(16, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.activation(self.conv(x))
        gate = self.excite(self.activation(self.squeeze(x.mean((2, 3), keepdim=True))))
        return self.head((x * gate.sigmoid()).sum((2, 3)))


class Repeated(nn.Module):
    """One layer that runs three times, so that outputs and weights have different numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 1)
        self.step = nn.Conv2d(6, 6, 3, padding=1)
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for _ in range(3):
            x = torch.tanh(self.step(x))
        return self.head(x.mean((2, 3)))


class Patches(nn.Module):
    """A transformer encoder on patches of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, stride=4)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.encoder(tokens)[:, 0])


class EncoderDecoder(nn.Module):
    """Down and up again, with a bridge; an image for an image."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.inner = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.head = nn.Conv2d(7, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.inner(torch.relu(self.down(x))))
        return self.head(torch.cat([x, self.up(y)], 1))


def chain() -> nn.Module:
    """Convolutions with pooling, then linear layers."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(48, 20),
        nn.ReLU(),
        nn.Linear(20, 10),
    )


def depthwise() -> nn.Module:
    """Expansion, a convolution for each channel, projection."""
    return nn.Sequential(
        nn.Conv2d(3, 12, 1, bias=False),
        nn.BatchNorm2d(12),
        nn.ReLU6(inplace=True),
        nn.Conv2d(12, 12, 3, padding=1, groups=12, bias=False),
        nn.BatchNorm2d(12),
        nn.ReLU6(inplace=True),
        nn.Conv2d(12, 6, 1, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 10),
    )


def perceptron() -> nn.Module:
    """Linear layers alone."""
    return nn.Sequential(nn.Linear(10, 32), nn.GELU(), nn.LayerNorm(32), nn.Linear(32, 32), nn.Linear(32, 6))


def sequence() -> nn.Module:
    """Convolutions along one axis."""
    return nn.Sequential(
        nn.Conv1d(4, 8, 3),
        nn.ELU(),
        nn.Conv1d(8, 8, 5, stride=2),
        nn.Hardswish(),
        nn.Flatten(),
        nn.Linear(40, 3),
    )


@dataclass(frozen=True)
class Case:
    """A network, the shape of one input, and what counts as a layer."""

    make: Callable[[], nn.Module]
    input_shape: list[int]
    layer_types: list[type[nn.Module]] = field(default_factory=lambda: [nn.Conv2d, nn.Linear])
    are_numbers_alike: bool = True  # each layer runs once, so that outputs and weights have the same numbers

    def network(self, seed: int = 5) -> nn.Module:
        """In eval mode; norms have statistics that are not 0 and 1."""
        torch.manual_seed(seed)
        network = self.make()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
        return network.eval()


IMAGE = [3, 8, 8]
CASES = {
    "chain": Case(chain, IMAGE),
    "residual": Case(Residual, IMAGE),
    "depthwise": Case(depthwise, IMAGE),
    "dense": Case(Dense, IMAGE),
    "branches": Case(Branches, IMAGE),
    "excitation": Case(Excitation, IMAGE),
    "perceptron": Case(perceptron, [10], [nn.Linear]),
    "sequence": Case(sequence, [4, 16], [nn.Conv1d, nn.Linear]),
    "repeated": Case(Repeated, IMAGE, are_numbers_alike=False),
    "patches": Case(Patches, IMAGE, are_numbers_alike=False),
    "encoder_decoder": Case(EncoderDecoder, IMAGE, [nn.Conv2d, nn.ConvTranspose2d]),
}
