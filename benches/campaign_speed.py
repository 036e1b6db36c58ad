#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many faulty inferences a second: PyTorchFI at its best batch size, the direct engine, the wave engine.

    python benches/campaign_speed.py [NAME ...]

Needs torch, torchvision, pytorchfi and matplotlib, and build/benches/bench_campaign_speed. The same single-neuron
faults of one image go through all three, and the outcomes are compared before anything is timed. Networks that are not
in --nets are exported there. Each network's result is kept in --work and not measured again without --again, so that an
interrupted run goes on where it was. Writes benches/results/campaign_speed.json and .svg of all that are in --work.
"""

import argparse
import json
import pathlib
import platform
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PEER = ROOT / "benches/peer/pytorchfi_faults.py"
EXPORT = ROOT / "tools/export_torchvision.py"
BATCHES = (1, 16, 64, 256)
OUT_OF_MEMORY = (3, -9)  # exit status of the peer; the kernel's kill
# In the order of the chart.
NETWORKS = (
    "alexnet",
    "vgg16",
    "resnet18",
    "resnet50",
    "densenet121",
    "googlenet",
    "squeezenet1_1",
    "shufflenet_v2_x1_0",
    "mobilenet_v2",
    "efficientnet_b0",
    "vit_b_16",
    "swin_t",
)


def peer(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(PEER), *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True)


def peer_result(*arguments: object) -> object:
    done = peer(*arguments)
    done.check_returncode()
    return json.loads(done.stdout)


def run_engines(name: str, program: pathlib.Path, options: argparse.Namespace) -> dict:
    """Runs both engines of Faultwave, which also draws the faults, at the layers that PyTorchFI counts."""
    image = options.nets / f"{name}.input.pt"
    layers = options.work / f"{name}.layers.txt"
    layers.write_text("".join(f"{layer}\n" for layer in peer_result("layers", name, image)))
    output = options.work / f"{name}.engines.json"
    command = [program, options.nets / f"{name}.pt2", image, output, "--layers", layers]
    command += ["--trials", options.trials, "--rounds", options.rounds]
    subprocess.run([str(part) for part in command], check=True)
    return json.loads(output.read_text())


def time_peer(name: str, options: argparse.Namespace) -> dict:
    image, engines = options.nets / f"{name}.input.pt", options.work / f"{name}.engines.json"
    batches, out_of_memory = [], []
    for batch in BATCHES:
        done = peer("speed", name, image, engines, batch, options.seconds)
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
    }


def ratios(error: dict, pytorchfi: dict) -> dict:
    wave, direct = error["wave"]["per_second"], error["direct"]["per_second"]
    return {
        "wave_to_pytorchfi": wave / pytorchfi["per_second"],
        "direct_to_pytorchfi": direct / pytorchfi["per_second"],
        "wave_to_direct": wave / direct,
    }


def measure(name: str, options: argparse.Namespace) -> dict:
    if not (options.nets / f"{name}.pt2").exists():
        subprocess.run([sys.executable, str(EXPORT), str(options.nets), name], check=True)
    engines = run_engines(name, options.build / "benches/bench_campaign_speed", options)
    image, written = options.nets / f"{name}.input.pt", options.work / f"{name}.engines.json"
    check = peer_result("check", name, image, written)
    for error in check["errors"]:
        print(f"{error['error']}: {error['disagree']} of {error['trials']} top-1 classes differ from PyTorchFI's")
    pytorchfi = time_peer(name, options)
    for error, agreement in zip(engines["errors"], check["errors"]):
        error["direct_and_pytorchfi"] = agreement
        error["ratios"] = ratios(error, pytorchfi)
    del engines["golden_scores"]
    return {"network": name, "measured": time.strftime("%Y-%m-%d"), "pytorchfi": pytorchfi, **check_golden(check), **engines}


def check_golden(check: dict) -> dict:
    return {"golden_relative_difference_to_pytorchfi": check["golden_relative_difference"]}


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def without_lists_of_trials(row: dict) -> dict:
    """What the README and the chart are made of; the faults and classes themselves stay in --work."""
    short = json.loads(json.dumps(row))
    for error in short["errors"]:
        del error["faults"], error["wave"]["classes"], error["direct"]["classes"]
    return short


def print_table(rows: list[dict]) -> None:
    print("\n| network | error model | PyTorchFI (batch) | direct | wave | wave / PyTorchFI | top-1 differs |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        for error in row["errors"]:
            peer, agreement = row["pytorchfi"], error["direct_and_pytorchfi"]
            cells = [
                row["network"],
                f"`{error['error']}`",
                f"{peer['per_second']:.1f}/s ({peer['batch']})",
                f"{error['direct']['per_second']:.1f}/s",
                f"{error['wave']['per_second']:,.0f}/s",
                f"{error['ratios']['wave_to_pytorchfi']:.1f}",
                f"{agreement['disagree']} of {agreement['trials']}",
            ]
            print("| " + " | ".join(cells) + " |")


def draw_chart(rows: list[dict], path: pathlib.Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "campaign_speed"  # the same file from the same numbers
    errors = [error["error"] for error in rows[0]["errors"]]
    figure, panels = pyplot.subplots(len(errors), 1, figsize=(max(6, 0.95 * len(rows) + 2), 3.4 * len(errors)), sharex=True)
    for number, (panel, error) in enumerate(zip(panels, errors)):
        cells = [row["errors"][number] for row in rows]
        series = {
            "PyTorchFI 0.6.0, best batch": [row["pytorchfi"]["per_second"] for row in rows],
            "direct engine, batch 16": [cell["direct"]["per_second"] for cell in cells],
            "wave engine": [cell["wave"]["per_second"] for cell in cells],
        }
        for place, ((label, rates), colour) in enumerate(zip(series.items(), ("#9a9a9a", "#6baed6", "#08519c"))):
            panel.bar([x + 0.27 * (place - 1) for x in range(len(rows))], rates, 0.25, label=label, color=colour)
        for x, cell in enumerate(cells):
            ratio = cell["ratios"]["wave_to_pytorchfi"]
            text = f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.1f}x"
            panel.annotate(text, (x + 0.27, cell["wave"]["per_second"]), ha="center", va="bottom", fontsize=8)
        panel.set_yscale("log")
        panel.margins(y=0.12)
        panel.set_ylabel("faults a second")
        panel.set_title(error, fontsize=10)
        panel.grid(axis="y", alpha=0.3)
        panel.set_axisbelow(True)
    panels[-1].set_xticks(range(len(rows)), [row["network"] for row in rows], rotation=30, ha="right")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="upper center", ncols=3, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.95))
    figure.savefig(path, metadata={"Date": None})


def write_results(options: argparse.Namespace) -> list[dict]:
    files = [options.work / f"{name}.json" for name in NETWORKS]
    rows = [without_lists_of_trials(json.loads(file.read_text())) for file in files if file.exists()]
    options.results.mkdir(parents=True, exist_ok=True)
    result = {"processor": processor(), "commit": commit(), "networks": rows}
    (options.results / "campaign_speed.json").write_text(json.dumps(result, indent=1) + "\n")
    draw_chart(rows, options.results / "campaign_speed.svg")
    return rows


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(NETWORKS), help="which networks (all of them)")
    parser.add_argument("--nets", type=pathlib.Path, default=ROOT / "build/nets", help="exported networks and inputs")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where the bench is built")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/campaign_speed", help="kept results")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "benches/results")
    parser.add_argument("--trials", type=int, default=2000, help="of the wave engine")
    parser.add_argument("--rounds", type=int, default=3, help="timed repetitions of our engines")
    parser.add_argument("--seconds", type=float, default=20, help="for each batch size of PyTorchFI")
    parser.add_argument("--again", action="store_true", help="measure networks whose result is kept, too")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NETWORKS]
    if unknown:
        parser.error(f"unknown network {unknown[0]}; known: {', '.join(NETWORKS)}")
    return options


def main() -> None:
    options = parse()
    options.work.mkdir(parents=True, exist_ok=True)
    for name in options.names:
        kept = options.work / f"{name}.json"
        if kept.exists() and not options.again:
            continue
        print(f"\n{name}", flush=True)
        try:
            kept.write_text(json.dumps(measure(name, options), indent=1) + "\n")
        except subprocess.CalledProcessError as error:  # it has said why; the other networks go on
            print(f"{name}: {error}", file=sys.stderr)
            continue
        write_results(options)
    rows = write_results(options)
    print_table(rows)
    differ = [error["direct_and_pytorchfi"]["beyond_rounding"] for row in rows for error in row["errors"]]
    if len(rows) < len(options.names) or any(differ):
        sys.exit("a network is missing, or an outcome differs by more than rounding")


if __name__ == "__main__":
    main()
