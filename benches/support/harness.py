# SPDX-License-Identifier: Apache-2.0
"""What the Python benches share: the machine, runs of PyTorchFI in processes of their own, charts."""

import json
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = ROOT / "benches/peer/pytorchfi_faults.py"
BATCHES = (1, 16, 64, 256)
OUT_OF_MEMORY = (3, -9)  # exit status of the peer; the kernel's kill

sys.path.insert(0, str(ROOT / "benches/peer"))

import networks  # noqa: E402, F401

# By way of running faults, in all charts.
COLOURS = {
    "pytorchfi": "#9a9a9a",
    "direct": "#9ecae1",
    "wave": "#08519c",
    "wave_uniform": "#08519c",
    "wave_guided": "#d95f0e",
}


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def write_json(path: pathlib.Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def print_table(head: list[str], rows: list[list[str]]) -> None:
    print("\n| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def peer(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(PEER), *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True)


def peer_result(*arguments: object) -> object:
    done = peer(*arguments)
    done.check_returncode()
    return json.loads(done.stdout)


def is_worth_a_try(batch: int, batches: list[dict]) -> bool:
    """Of the largest batch: only where the one before it was better than the one before that, since a set of 256 of a
    large network takes a minute."""
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


def pyplot(salt: str):
    """matplotlib without a display, which gives the same file from the same numbers."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = salt
    matplotlib.rcParams["axes.spines.top"] = matplotlib.rcParams["axes.spines.right"] = False
    from matplotlib import pyplot

    return pyplot


def save_chart(figure, path: pathlib.Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def times(ratio: float) -> str:
    return f"{ratio:,.0f}x" if ratio >= 10 else f"{ratio:.1f}x"
