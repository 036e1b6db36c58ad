#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a campaign on a model in Python costs beside the same campaign by the program on its export.

    PYTHONPATH=build/python python benches/python_campaign.py NETWORK.pt2 INPUTS.npy [--trials N] [--rounds N]
    [OUT.json]

NETWORK is an exported program, INPUTS a tensor [N, ...]. The same flips in neurons go through the program
(`build/faultwave run`), through a campaign in Python on the file, and through one on the module that
torch.export.unflatten() makes of it. Outcomes are compared, trial by trial, before anything is timed. Then
each runs in turn, in a process of its own, `--rounds` times. Time is that of the processors, user and system,
of the whole process, and in Python of Campaign.run() alone too: on a busy machine the clock on the wall says
little.
"""

import argparse
import csv
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Runs one campaign, and prints what Campaign.run() took.
CHILD = """
import sys, time, warnings
import torch
warnings.simplefilter("ignore")
import faultwave as fw
network, inputs, trials, criterion, database, kind = sys.argv[1:]
model = network if kind == "file" else torch.export.unflatten(torch.export.load(network))
criteria = ["top1", "confidence(0.2)"]
if criterion == "margin":
    criteria[1] = fw.criterion(
        "moved", margin=lambda golden, faulty: (golden.softmax(0) - faulty.softmax(0)).abs().sum(), threshold=0.2)
if criterion == "function":
    criteria[1] = fw.criterion(
        "moved", lambda golden, faulty: bool((golden.softmax(0) - faulty.softmax(0)).abs().sum() >= 0.2))
campaign = fw.Campaign(model, inputs, trials=int(trials), seed=1, criteria=criteria)
begin = time.process_time()
campaign.run(database, progress=False)
print(time.process_time() - begin)
"""


def cpu_seconds(command: list[str]) -> tuple[float, str]:
    """Processor time of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


class Variants:
    """The ways to run one campaign, each into a new database."""

    def __init__(self, options: argparse.Namespace, folder: pathlib.Path) -> None:
        self.options = options
        self.folder = folder
        self.program = str(ROOT / "build" / "faultwave")
        self.specification = folder / "spec.toml"
        self.specification.write_text(
            f'model = "{options.network.resolve()}"\ninput = "{options.inputs.resolve()}"\nseed = 1\n'
            f'trials = {options.trials}\ncriteria = ["top1", "confidence(0.2)"]\n[fault]\nerror = "flip"\n'
        )

    def run(self, name: str) -> dict[str, float]:
        """Whole processor time, and that of the campaign alone where it is known."""
        database = self.folder / f"{name}.db"
        for path in self.folder.glob(f"{name}.db*"):
            path.unlink()
        if name == "program":
            whole, _ = cpu_seconds(
                [self.program, "run", str(self.specification), "--db", str(database), "--quiet"]
            )
            return {"whole": whole}
        kind, criterion = name.split()
        arguments = [str(self.options.network), str(self.options.inputs), str(self.options.trials), criterion]
        whole, printed = cpu_seconds([sys.executable, "-c", CHILD, *arguments, str(database), kind])
        return {"whole": whole, "run": float(printed)}

    def outcomes(self, name: str) -> list[tuple[str, str, str]]:
        """Fault, outcome and top1 of each trial."""
        command = [self.program, "export", str(self.folder / f"{name}.db")]
        rows = csv.DictReader(
            subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        )
        return [(row["input"], row["index"], row["top1"]) for row in rows]


NAMES = ("program", "file builtin", "module builtin", "module margin", "module function")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", type=pathlib.Path)
    parser.add_argument("inputs", type=pathlib.Path)
    parser.add_argument("--trials", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(NAMES), choices=NAMES)
    parser.add_argument("output", nargs="?", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        variants = Variants(options, pathlib.Path(folder))
        expected = None
        for name in options.only:
            variants.run(name)
            found = variants.outcomes(name)
            expected = expected or found
            if len(found) != options.trials or found != expected:
                raise SystemExit(f"{name} has other outcomes than {options.only[0]}")
        measured: dict[str, list[dict[str, float]]] = {name: [] for name in options.only}
        for _ in range(options.rounds):
            for name in options.only:
                measured[name].append(variants.run(name))
    for name, times in measured.items():
        for what in times[0]:
            values = sorted(time[what] for time in times)
            print(
                f"{name:16} {what:6} median {statistics.median(values):6.2f} s CPU ({values[0]:.2f} to {values[-1]:.2f})"
            )
    if options.output is not None:
        options.output.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
