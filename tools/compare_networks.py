#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares Faultwave's outputs with Python's, bit for bit, for the networks of tools/export_torchvision.py.

    python tools/compare_networks.py FOLDER PROGRAM [NAME ...]

Needs torch and the built faultwave-run-network (PROGRAM). Each NAME.pt2 and NAME.pt in FOLDER runs on its input at
batch 1 and 2, here and in PROGRAM, with the same number of threads; and a copy that PROGRAM saves is loaded here and must
hold the same tensors. Prints a table in Markdown; exits with 1 if anything differs.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import torch

THREADS = 2
BATCHES = (1, 2)


def flat_tensors(output) -> list[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        return [output]
    values = output.values() if isinstance(output, dict) else output
    return [tensor for value in values for tensor in flat_tensors(value)]


class Loaded:
    """A network as Python loads it."""

    def __init__(self, path: pathlib.Path):
        if path.suffix == ".pt2":
            program = torch.export.load(path)
            self.operators = sum(node.op == "call_function" for node in program.graph.nodes)
            self.run, self.form = program.module(), "exported program"
            self.tensors = {**program.state_dict, **program.constants}
        else:
            self.run, self.form = torch.jit.load(path).eval(), "TorchScript"
            nodes = self.run.inlined_graph.nodes()
            self.operators = sum(node.kind().startswith("aten::") for node in nodes)
            self.tensors = self.run.state_dict()


def run_program(program: pathlib.Path, network: pathlib.Path, x: torch.Tensor) -> tuple[list[torch.Tensor], Loaded]:
    """The outputs, and the copy of the network that the program saves."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copy = folder / network.name
        torch.save(x, folder / "x.pt")
        command = [program, "--threads", THREADS, "--save", copy, network, folder / "x.pt", folder / "y.pt"]
        subprocess.run([str(part) for part in command], check=True)
        return torch.load(folder / "y.pt"), Loaded(copy)


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return torch.equal(*(tensor.detach().contiguous().reshape(-1).view(torch.uint8) for tensor in (a, b)))


def compare(program: pathlib.Path, network: pathlib.Path, example: torch.Tensor) -> bool:
    loaded = Loaded(network)
    verdicts = []
    for batch in BATCHES:
        x = example[:batch].contiguous()
        with torch.no_grad():
            here = flat_tensors(loaded.run(x))
        there, copy = run_program(program, network, x)
        equal = len(here) == len(there) and all(map(same_bits, here, there))
        verdicts.append(equal and all(tensor.isfinite().all() and tensor.std() > 0 for tensor in here))
    same_names = loaded.tensors.keys() == copy.tensors.keys()
    verdicts.append(same_names and all(same_bits(loaded.tensors[name], copy.tensors[name]) for name in copy.tensors))
    words = " | ".join("yes" if verdict else "NO" for verdict in verdicts)
    print(f"| {network.stem} | {loaded.form} | {loaded.operators} | {words} |", flush=True)
    return all(verdicts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    networks = sorted(arguments.folder.glob("*.pt2")) + sorted(
        path for path in arguments.folder.glob("*.pt") if not path.suffixes[:-1]  # not NAME.input.pt and the like
    )
    if arguments.names:
        networks = [path for path in networks if path.stem in arguments.names]
    if not networks:
        parser.error(f"no networks in {arguments.folder}; make them with tools/export_torchvision.py")
    print("| network | format | operators | equal at batch 1 | equal at batch 2 | equal when saved |")
    print("|---|---|---|---|---|---|")
    results = [
        compare(arguments.program, path, torch.load(arguments.folder / f"{path.stem}.input.pt")) for path in networks
    ]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
