#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the networks of zoo/ with torchvision's, from the files of tools/export_torchvision.py.

    python tools/compare_zoo.py FOLDER BUILD

BUILD is a build folder with the targets faultwave-run-zoo and faultwave-run-network. For each network of the zoo in
FOLDER the C++ module, with torchvision's state dict loaded, and torchvision's exported program, which Faultwave runs, get
the same images on the same libtorch: their scores must be equal bit for bit. Those that torchvision gave where the files
were made come from another PyTorch and must be close: the difference is shown as a part of the largest score. Prints a
table in Markdown; exits with 1 if anything differs.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch

NETWORKS = ("alexnet", "resnet18", "mobilenet_v2")
THREADS = 2
BATCHES = (1, 2)
CLOSE = 1e-5


def run(*command) -> None:
    subprocess.run([str(part) for part in command], check=True)


def zoo_scores(build: pathlib.Path, files: pathlib.Path, images: pathlib.Path) -> torch.Tensor:
    scores = images.with_name("zoo.npy")
    run(build / "tools/faultwave-run-zoo", THREADS, files.name, files.with_suffix(".state.pt"), images, scores)
    return torch.from_numpy(numpy.load(scores))


def program_scores(build: pathlib.Path, files: pathlib.Path, images: pathlib.Path) -> torch.Tensor:
    scores = images.with_name("program.pt")
    run(build / "tools/faultwave-run-network", "--threads", THREADS, files.with_suffix(".pt2"), images, scores)
    return torch.load(scores)[0]


def compare(build: pathlib.Path, files: pathlib.Path) -> bool:
    example = torch.load(files.with_suffix(".input.pt"))
    torchvision = torch.load(files.with_suffix(".output.pt"))
    equal, difference = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        images = pathlib.Path(folder) / "images.pt"
        for batch in BATCHES:
            torch.save(example[:batch].clone(), images)
            zoo = zoo_scores(build, files, images)
            program = program_scores(build, files, images)
            equal.append(zoo.shape == program.shape and torch.equal(zoo.view(torch.int32), program.view(torch.int32)))
            furthest = (zoo - torchvision[:batch]).abs().max() / torchvision.abs().max()
            difference = max(difference, furthest.item())
    words = " | ".join("yes" if verdict else "NO" for verdict in equal)
    print(f"| {files.name} | {words} | {difference:.1e} |", flush=True)
    return all(equal) and difference < CLOSE and bool(torchvision.std() > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    arguments = parser.parse_args()
    missing = [name for name in NETWORKS if not (arguments.folder / f"{name}.output.pt").exists()]
    if missing:
        parser.error(f"no {missing[0]}.output.pt in {arguments.folder}; make it with tools/export_torchvision.py")
    print("| network | equal at batch 1 | equal at batch 2 | furthest from torchvision's own scores |")
    print("|---|---|---|---|")
    results = [compare(arguments.build, arguments.folder / name) for name in NETWORKS]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
