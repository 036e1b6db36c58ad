# SPDX-License-Identifier: Apache-2.0
"""What the Python benches share that run PyTorchFI in processes of its own."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = ROOT / "benches/peer/pytorchfi_faults.py"
BATCHES = (1, 16, 64, 256)
OUT_OF_MEMORY = (3, -9)  # exit status of the peer; the kernel's kill

sys.path.insert(0, str(ROOT / "benches/peer"))

import networks  # noqa: E402, F401
from tables import commit, print_table, processor, write_json  # noqa: E402, F401


def peer(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(PEER), *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True)


def peer_result(*arguments: object) -> object:
    done = peer(*arguments)
    done.check_returncode()
    return json.loads(done.stdout)


def is_worth_a_try(batch: int, batches: list[dict]) -> bool:
    """Of the largest batch: only where the one before it was better than the one before that, since a set
    of 256 of a large network takes a minute."""
    return batch != BATCHES[-1] or len(batches) < 2 or batches[-1]["per_second"] > batches[-2]["per_second"]


def time_peer(name: str, image: pathlib.Path, faults: pathlib.Path, seconds: float, *flags: str) -> dict:
    """PyTorchFI at each batch size, and at its best one."""
    batches, out_of_memory, left_out = [], [], []
    for batch in BATCHES:
        if out_of_memory or not is_worth_a_try(batch, batches):
            left_out.append(batch)
            continue
        done = peer("speed", name, image, faults, batch, seconds, *flags)
        if done.returncode in OUT_OF_MEMORY:
            out_of_memory.append(batch)
            print(f"PyTorchFI, batch {batch}: out of memory", flush=True)
            continue
        done.check_returncode()
        batches.append(json.loads(done.stdout))
        print(f"PyTorchFI, batch {batch}: {batches[-1]['per_second']:.2f}/s", flush=True)
    best = max(batches, key=lambda batch: batch["per_second"])
    return {
        "per_second": best["per_second"],
        "batch": best["batch"],
        "peak_mb": best["peak_mb"],
        "batches": batches,
        "batches_out_of_memory": out_of_memory,
        "batches_left_out": left_out,
    }
