# SPDX-License-Identifier: Apache-2.0
"""What a user gets: `faultwave run` with default settings, from a fresh process."""

import os
import pathlib
import subprocess
import tempfile
import time


def _specification(
    network: pathlib.Path, image: pathlib.Path, layers: list[str], error: str, trials: int
) -> str:
    sites = ", ".join(f'"{layer}"' for layer in layers)
    return (
        f'model = "{network}"\ninput = "{image}"\nseed = 1\ntrials = {trials}\n'
        f'criteria = ["top1"]\n[fault]\nerror = "{error}"\ndraw = "layers"\nsites = [{sites}]\n'
    )


def _seconds(program: pathlib.Path, specification: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "campaign.toml"
        path.write_text(specification)
        start = time.perf_counter()
        subprocess.run(
            [program, "run", path, "--db", path.with_suffix(".db")],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        )
        return time.perf_counter() - start


def measure(
    program: pathlib.Path,
    network: pathlib.Path,
    image: pathlib.Path,
    layers: list[str],
    error: str,
    trials: int,
) -> dict:
    """The best of three runs of one trial, and of as many of `trials`. `per_second` has the start in it,
    `per_second_once_started` has not."""
    one, all_of_them = (
        min(_seconds(program, _specification(network, image, layers, error, count)) for _ in range(3))
        for count in (1, trials)
    )
    return {
        "trials": trials,
        "start_seconds": one,
        "seconds": all_of_them,
        "per_second": trials / all_of_them,
        "per_second_once_started": (trials - 1) / (all_of_them - one),
    }
