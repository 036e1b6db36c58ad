#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares Faultwave's outputs with Python's, bit for bit, for the networks of tools/export_torchvision.py.

    python tools/compare_networks.py FOLDER PROGRAM [NAME ...]

Needs torch and the built faultwave-run-network (PROGRAM). Each NAME.pt2 and NAME.pt in FOLDER runs on its input at
batch 1 and 2, here and in PROGRAM, with the same number of threads. Prints a table in Markdown; exits with 1 if any
output differs.
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


def load(path: pathlib.Path):
    """A callable, how many operators it calls, and what the format is called."""
    if path.suffix == ".pt2":
        program = torch.export.load(path)
        operators = sum(node.op == "call_function" for node in program.graph.nodes)
        return program.module(), operators, "exported program"
    module = torch.jit.load(path).eval()
    operators = sum(node.kind().startswith("aten::") for node in module.inlined_graph.nodes())
    return module, operators, "TorchScript"


def run_program(program: pathlib.Path, network: pathlib.Path, x: torch.Tensor) -> list[torch.Tensor]:
    with tempfile.TemporaryDirectory() as folder:
        input_file, output_file = pathlib.Path(folder, "in.pt"), pathlib.Path(folder, "out.pt")
        torch.save(x, input_file)
        command = [program, "--threads", str(THREADS), network, input_file, output_file]
        subprocess.run([str(part) for part in command], check=True)
        return torch.load(output_file)


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return torch.equal(a.contiguous().view(torch.uint8), b.contiguous().view(torch.uint8))


def compare(program: pathlib.Path, network: pathlib.Path, example: torch.Tensor) -> bool:
    run, operators, form = load(network)
    verdicts = []
    for batch in BATCHES:
        x = example[:batch].contiguous()
        with torch.no_grad():
            here = flat_tensors(run(x))
        there = run_program(program, network, x)
        equal = len(here) == len(there) and all(map(same_bits, here, there))
        verdicts.append(equal and all(tensor.isfinite().all() and tensor.std() > 0 for tensor in here))
    words = " | ".join("yes" if verdict else "NO" for verdict in verdicts)
    print(f"| {network.stem} | {form} | {operators} | {words} |", flush=True)
    return all(verdicts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    networks = sorted(arguments.folder.glob("*.pt2")) + sorted(
        path for path in arguments.folder.glob("*.pt") if not path.stem.endswith(".input")
    )
    if arguments.names:
        networks = [path for path in networks if path.stem in arguments.names]
    if not networks:
        parser.error(f"no networks in {arguments.folder}; make them with tools/export_torchvision.py")
    print("| network | format | operators | equal at batch 1 | equal at batch 2 |")
    print("|---|---|---|---|---|")
    results = [
        compare(arguments.program, path, torch.load(arguments.folder / f"{path.stem}.input.pt")) for path in networks
    ]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
