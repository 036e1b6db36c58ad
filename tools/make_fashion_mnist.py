# SPDX-License-Identifier: Apache-2.0
"""Trains a small network on Fashion-MNIST, for campaigns on ten thousand real inputs:
`python tools/make_fashion_mnist.py FOLDER`.

    fashion_mnist.pt2   the network with a free batch size: two convolutions and two linear layers, 55,338 parameters
    images.npy          the 10,000 test images, [10000, 1, 28, 28], from 0 to 1
    labels.npy          their classes, [10000]

The data set is Debian's package dataset-fashion-mnist. Training takes about two minutes on two cores and is seeded, so the
same PyTorch on the same kind of machine gives the same network. Prints its accuracy on the test images; fails under 88 %.
"""

import gzip
import pathlib
import sys

import numpy as np
import torch

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
EPOCHS = 4
BATCH = 128
LEAST_ACCURACY = 0.88


def read_idx(name):
    """An array from a gzipped IDX file: two zero bytes, a type, the number of axes, the sizes, the bytes."""
    path = DATA / name
    if not path.exists():
        sys.exit(f"make_fashion_mnist: there is no {path}: install Debian's package dataset-fashion-mnist")
    raw = gzip.decompress(path.read_bytes())
    axes = raw[3]
    shape = np.frombuffer(raw, ">u4", count=axes, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


def tensors(part):
    images = torch.from_numpy(read_idx(f"{part}-images-idx3-ubyte.gz").copy())
    labels = torch.from_numpy(read_idx(f"{part}-labels-idx1-ubyte.gz").copy())
    return images[:, None].float() / 255, labels.long()


def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(16, 32, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(32 * 7 * 7, 32),
        torch.nn.ReLU(),
        torch.nn.Linear(32, 10),
    )


def train(net, images, labels):
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    generator = torch.Generator().manual_seed(1)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images), generator=generator).split(BATCH):
            loss = torch.nn.functional.cross_entropy(net(images[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def main(folder):
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    net = network()
    train(net, *tensors("train"))
    net.eval()
    images, labels = tensors("t10k")
    with torch.no_grad():
        accuracy = (net(images).argmax(1) == labels).double().mean().item()
    parameters = sum(parameter.numel() for parameter in net.parameters())
    print(f"{parameters:,} parameters, {accuracy:.2%} of the test images right")
    if accuracy < LEAST_ACCURACY:
        sys.exit(f"make_fashion_mnist: expected at least {LEAST_ACCURACY:.0%}")
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.export.export(net, (images[:2],), dynamic_shapes=({0: batch},))
    torch.export.save(program, folder / "fashion_mnist.pt2")
    np.save(folder / "images.npy", images.numpy())
    np.save(folder / "labels.npy", labels.numpy())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.split("\n")[1])
    main(pathlib.Path(sys.argv[1]))
