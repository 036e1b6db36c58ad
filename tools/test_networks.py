# SPDX-License-Identifier: Apache-2.0
"""The networks of make_test_data.py: each small, and each with something that a file of a network may hold."""

import torch
import torch.nn.functional as F
from torch import nn


def _set_statistics(norm: nn.BatchNorm2d) -> None:
    nn.init.normal_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.5, 1.5)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        _set_statistics(self.bn1)

    def forward(self, x):
        return F.relu(x + self.conv2(F.relu(self.bn1(self.conv1(x)))))


class Residual(nn.Module):
    """Batch norm, a functional addition, a list of modules, and one module that is used twice."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.head = nn.Linear(16, 16)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = torch.flatten(self.pool(x), 1)
        return self.head(torch.relu(self.head(x)))


class Containers(nn.Module):
    """Inputs in containers, by keyword, None, and a flag; outputs in containers, with numbers and None."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x, pair, flag, *, tables):
        both = torch.cat([x, pair[0]])
        y = self.linear(both) if flag else both
        return {
            "last": (y * 2, [y.sum(0), None]),
            "first": (x * tables["a"] - tables["b"], x.shape[0], 7, 1.5),
        }


class Counter(nn.Module):
    """Writes to a buffer that is stored, and to one that is not."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("sum", torch.zeros(3), persistent=False)

    def forward(self, x):
        self.calls.add_(1)
        self.sum.add_(x)
        return self.sum / self.calls


class InputWriter(nn.Module):
    def forward(self, x):
        x.add_(1)
        return x * 2


class KeepsConstants(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("offset", torch.arange(3.0), persistent=False)
        self.factor = torch.tensor([1.0, 10.0, 100.0])
        self.strided = torch.randn(4, 3).t()[:, 1:4]

    def forward(self, x):
        return (x * self.factor + self.offset) @ self.strided + torch.tensor([0.5, 0.25, 0.125])


class NoGradBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        y = self.linear(x)
        with torch.no_grad():
            scale = y.abs().amax(1, keepdim=True)
            shift, spread = y.mean(), y.std()
        with torch.autocast("cpu", enabled=False):
            y = y / scale
        return y * spread + shift


class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 4, padding_idx=0)
        self.norm = nn.LayerNorm(4)

    def forward(self, tokens):
        lengths = (tokens != 0).sum(1, keepdim=True)
        return self.norm(self.table(tokens)).sum(1) / lengths, tokens.argmax(1)


class Tied(nn.Module):
    """One weight under two names."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 4)
        self.head = nn.Linear(4, 11, bias=False)
        self.head.weight = self.table.weight

    def forward(self, tokens):
        return self.head(self.table(tokens))


class Gates(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 5, num_layers=2, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(10, 3, batch_first=True)

    def forward(self, x):
        y, (hidden, cell) = self.lstm(x)
        z, last = self.gru(y)
        return z, hidden, cell, last


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 4, batch_first=True)

    def forward(self, x, padding):
        x = self.encoder(x)
        y, weights = self.attention(x, x, x, key_padding_mask=padding)
        return y, weights


class LongTail(nn.Module):
    """Arguments and results of the rarer sorts: lists in and out, None in a list, infinities, dtypes, strings."""

    def forward(self, x):
        first, second, third = torch.split(x, 2, dim=1)
        values, places = torch.topk(x, 3)
        clipped = torch.clamp(x, max=float("inf")).masked_fill(x > 1, float("-inf"))
        picked = x[:, torch.tensor([0, 2, 4])]
        joined = torch.stack([first, second]).to(torch.float16).to(torch.float32)
        made = torch.zeros(2, 2, dtype=torch.int64) + torch.full((2, 2), 3)
        product = torch.einsum("ij,kj->ik", x, x)
        rounded = torch.div(x, 0.3, rounding_mode="floor")
        cubic = F.interpolate(x[None, None], scale_factor=2.0, mode="bicubic", align_corners=False)
        wave = torch.fft.rfft(x) * complex(0.5, 2.0)
        view = x.contiguous().view(2, 2, 6)
        return third.chunk(2), values, places, clipped, picked, joined, made, product, rounded, cubic, wave.abs(), view


class SizeArithmetic(nn.Module):
    """Numbers computed from a free size."""

    def forward(self, x):
        rows = x.shape[0]
        index = torch.arange(rows, device=x.device, dtype=torch.float32)
        half = rows // 2
        y = x.new_zeros(rows + 1, rows % 3 + 2)
        return (
            x * rows + index[:, None] ** 2,
            x[:half].reshape(half * 2, -1),
            y.sum() + rows / 4,
            torch.sym_max(rows, 6) - torch.sym_min(rows, 5),
            rows**2,
            F.pad(x, (0, rows)).mean(1),
        )


class DataDependent(nn.Module):
    """A size that is read from the data, with what the exporter then asserts."""

    def forward(self, x, n):
        count = n.item()
        torch._check(count >= 2)
        torch._check(count <= x.shape[0])
        return torch.nonzero(x), x[:count].sum()


class DynamicInt(nn.Module):
    def forward(self, x, n):
        return x.new_full((2, n), 0.5) + n, x * n


class Branches(nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda y: y + 1, lambda y: y - 1, (x,))


@torch.library.custom_op("faultwave_test::double_it", mutates_args=())
def double_it(x: torch.Tensor) -> torch.Tensor:
    return x * 2


@double_it.register_fake
def _(x):
    return torch.empty_like(x)


class PythonOperator(nn.Module):
    def forward(self, x):
        return double_it(x)


class Scripted(nn.Module):
    """Control flow on data, and an input that may be left out."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.register_buffer("limit", torch.tensor(0.5))

    def forward(self, x: torch.Tensor, y: torch.Tensor | None = None) -> dict[str, list[torch.Tensor]]:
        x = self.linear(x)
        steps = 0
        while bool(x.norm() > self.limit):
            x = x / 2
            steps += 1
        if y is not None:
            x = x + y
        return {"results": [x, torch.tensor(steps)]}


class Raises(nn.Module):
    """Refuses what it does not like, as user code does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool(x.sum() > 100):
            raise ValueError("the sum is too large")
        return x * 2


class Quantised(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant = torch.ao.quantization.QuantStub()
        self.conv = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(4 * 36, 5)
        self.dequant = torch.ao.quantization.DeQuantStub()

    def forward(self, x):
        x = self.relu(self.conv(self.quant(x)))
        return self.dequant(self.linear(torch.flatten(x, 1)))

    @staticmethod
    def converted(example: torch.Tensor) -> nn.Module:
        """The INT8 network, calibrated on the example."""
        network = Quantised().eval()
        network.qconfig = torch.ao.quantization.get_default_qconfig("x86")
        prepared = torch.ao.quantization.prepare(network)
        prepared(example)
        return torch.ao.quantization.convert(prepared)
