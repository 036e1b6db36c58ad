#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long until the top-1 SDC rate of single bit flips is known to 0.02 % at 99 % confidence?

    python benches/time_to_answer.py [NAME ...]

Four ways, all with faults uniform over the bits of all neurons, on the demo's photographs: PyTorchFI at its
best batch size, the direct engine, the wave engine with uniform sampling, and the wave engine with stratified
sampling, which is run to its end (benches/specifications). The others run a bounded number of trials; their
time to the answer is extrapolated: trials that uniform sampling needs at the rate that was found, by the
measured speed. PyTorchFI is given the number for a size that is fixed beforehand, which takes knowing the
rate; the engines of Faultwave the larger number of a campaign that stops by itself. Trial for trial, outcomes
of all ways are compared.

Needs what campaign_speed.py needs, and build/benches/bench_time_to_answer. Each network's result is kept in
--work. Writes benches/results/time_to_answer.json and a chart beside it.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

import charts  # noqa: E402
import harness  # noqa: E402
from charts import times  # noqa: E402
from harness import ROOT, networks, peer_result  # noqa: E402
from intervals import clopper_pearson  # noqa: E402

NAMES = ("alexnet", "resnet18", "mobilenet_v2", "efficientnet_lite0")
GOLDEN_TOLERANCE = 1e-4  # of a layer's largest value, between two versions of PyTorch
# In the order of charts and tables: key, name, whether it ran to the answer.
WAYS = (
    ("pytorchfi", "PyTorchFI 0.6.0, best batch", False),
    ("direct", "direct engine", False),
    ("wave_uniform", "wave engine, uniform sampling", False),
    ("wave_guided", "wave engine, stratified sampling", True),
)


def write_inputs(specification: pathlib.Path, path: pathlib.Path) -> None:
    """The photographs of a specification as the network takes them, for PyTorchFI."""
    import numpy
    import torch
    from PIL import Image

    table = tomllib.loads(specification.read_text())
    mean, std = (torch.tensor(table["preprocess"][key]).view(3, 1, 1) for key in ("mean", "std"))
    inputs = []
    for photo in sorted((specification.parent / table["input"]).iterdir()):
        values = torch.from_numpy(numpy.array(Image.open(photo).convert("RGB"))).permute(2, 0, 1)
        inputs.append((values.float() / 255 - mean) / std)
    torch.save(torch.stack(inputs), path)


def faults_of(trials: list[dict], count: int) -> dict:
    """Exported trials as the PyTorchFI side takes them."""
    faults = [
        {
            "layer": trial["site"],
            "index": json.loads(trial["index"]),
            "bits_before": int(trial["bits_before"], 16),
            "bits_after": int(trial["bits_after"], 16),
            "input": trial["input"],
        }
        for trial in trials[:count]
    ]
    return {"errors": [{"error": "flip", "faults": faults}]}


def check_golden(trials: list[dict], peer: dict) -> None:
    same_classes = all(peer["golden"][trial["input"]] == trial["golden_class"] for trial in trials)
    if not same_classes or peer["golden_difference"] > GOLDEN_TOLERANCE:
        difference = peer["golden_difference"]
        raise SystemExit(f"without a fault values differ by {difference}: not the same network or inputs")


def run_peer(name: str, trials: list[dict], options: argparse.Namespace) -> dict:
    inputs, faults = options.work / f"{name}.inputs.pt", options.work / f"{name}.pytorchfi.json"
    write_inputs(options.specifications / f"{name}_fp32.toml", inputs)
    trials = trials[: options.peer_trials]
    faults.write_text(json.dumps(faults_of(trials, options.peer_trials)))
    speed = harness.time_peer(name, inputs, faults, options.seconds, "--norms")
    answer = peer_result("classes", name, inputs, faults, speed["batch"], "--norms")
    check_golden(trials, answer)
    events = [answer["faulty"][i] != answer["golden"][trial["input"]] for i, trial in enumerate(trials)]
    low, high = clopper_pearson(sum(events), len(events), 0.99)
    return {
        **speed,
        "trials": len(events),
        "estimate": sum(events) / len(events),
        "low": low,
        "high": high,
        "golden_difference": answer["golden_difference"],
        "top1_differs_from_direct": sum(event != bool(trial["top1"]) for event, trial in zip(events, trials)),
    }


def add_times(result: dict) -> None:
    """Seconds to the answer, and how many times PyTorchFI's and each other way's time the stratified
    campaign saves."""
    needed = result["uniform_trials"]
    guided = result["wave_guided"]["seconds"]
    for way, _, is_run in WAYS:
        row = result[way]
        trials = needed["fixed"] if way == "pytorchfi" else needed["sequential"]
        row["answer_trials"] = row["trials"] if is_run else trials
        row["answer_seconds"] = guided if is_run else trials / row["per_second"]
        row["is_extrapolated"] = not is_run
        row["times_the_guided"] = row["answer_seconds"] / guided
        row["interval_overlaps_guided"] = (
            row["low"] <= result["wave_guided"]["high"] and result["wave_guided"]["low"] <= row["high"]
        )


def measure(name: str, options: argparse.Namespace) -> dict:
    specification = options.specifications / f"{name}_fp32.toml"
    model = (options.specifications / tomllib.loads(specification.read_text())["model"]).resolve()
    if not model.exists():
        networks.export(model.parent, name)
    output, trials = options.work / f"{name}.engines.json", options.work / f"{name}.trials.json"
    command = [options.build / "benches/bench_time_to_answer", specification, output, trials]
    command += ["--direct-trials", options.direct_trials, "--wave-trials", options.wave_trials]
    subprocess.run([str(part) for part in command], check=True)
    result = {"network": name, "measured": time.strftime("%Y-%m-%d"), **json.loads(output.read_text())}
    result["pytorchfi"] = run_peer(name, json.loads(trials.read_text()), options)
    add_times(result)
    return result


def duration(seconds: float) -> str:
    for length, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def percent(row: dict) -> str:
    return f"{100 * row['estimate']:.3f} % [{100 * row['low']:.3f}, {100 * row['high']:.3f}]"


def print_results(rows: list[dict]) -> None:
    head = ["network", "way", "speed", "trials", "time", "stratified saves", "seen here", "top-1 rate there"]
    lines = []
    for row in rows:
        for way, label, is_run in WAYS:
            cell = row[way]
            speed = f"{cell['per_second']:,.0f}/s" + (
                f" (batch {cell['batch']})" if way == "pytorchfi" else ""
            )
            lines.append(
                [
                    row["network"],
                    label,
                    speed,
                    f"{cell['answer_trials']:,}",
                    duration(cell["answer_seconds"]) + ("" if is_run else ", extrapolated"),
                    "" if is_run else times(cell["times_the_guided"]),
                    f"{cell['trials']:,} trials",
                    percent(cell),
                ]
            )
    harness.print_table(head, lines)
    for row in rows:
        wave, peer = row["top1_differs"], row["pytorchfi"]
        print(
            f"{row['network']}: outcomes other than the direct engine's: "
            f"wave {wave['differ']} of {wave['trials']}, "
            f"PyTorchFI {peer['top1_differs_from_direct']} of {peer['trials']}"
        )


def draw_chart(rows: list[dict], path: pathlib.Path) -> None:
    """Times above, and below them the intervals that each way's own trials give."""
    pyplot = charts.pyplot("time_to_answer")
    figure, (bars, intervals) = pyplot.subplots(2, 1, figsize=(9, 7), height_ratios=(3, 2), sharex=True)
    for place, (way, label, is_run) in enumerate(WAYS):
        xs = [x + 0.2 * (place - 1.5) for x in range(len(rows))]
        seconds = [row[way]["answer_seconds"] for row in rows]
        hatch = None if is_run else "///"
        name = label + (" (measured)" if is_run else " (extrapolated)")
        bars.bar(xs, seconds, 0.19, color=charts.COLOURS[way], hatch=hatch, edgecolor="white", label=name)
        for x, row in zip(xs, rows):
            text = duration(row[way]["answer_seconds"])
            if way == "pytorchfi":
                text += f"\n{times(row[way]['times_the_guided'])}"
            bars.annotate(text, (x, row[way]["answer_seconds"]), ha="center", va="bottom", fontsize=7)
        estimates = [100 * row[way]["estimate"] for row in rows]
        below = [e - 100 * row[way]["low"] for e, row in zip(estimates, rows)]
        above = [100 * row[way]["high"] - e for e, row in zip(estimates, rows)]
        intervals.errorbar(
            xs, estimates, [below, above], fmt="o", color=charts.COLOURS[way], markersize=4, capsize=4
        )
    bars.set_yscale("log")
    bars.set_yticks([1, 60, 3600, 86400], ["1 second", "1 minute", "1 hour", "1 day"])
    bars.yaxis.set_minor_formatter("")
    bars.margins(y=0.15)
    bars.set_ylabel("time to the answer")
    bars.set_title("Top-1 SDC rate of single FP32 bit flips to ±0.02 % at 99 % confidence", fontsize=11)
    intervals.set_ylabel("rate, % (99 % interval of\nthe trials run here)")
    intervals.set_ylim(bottom=0)
    for panel in (bars, intervals):
        panel.grid(axis="y", alpha=0.3)
        panel.set_axisbelow(True)
    intervals.set_xticks(range(len(rows)), [row["network"] for row in rows])
    figure.legend(*bars.get_legend_handles_labels(), loc="lower center", ncols=2, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    charts.save(figure, path)


def write_results(options: argparse.Namespace) -> list[dict]:
    files = [options.work / f"{name}.json" for name in NAMES]
    rows = [json.loads(file.read_text()) for file in files if file.exists()]
    result = {"processor": harness.processor(), "commit": harness.commit(), "networks": rows}
    harness.write_json(options.results / "time_to_answer.json", result)
    if rows:
        draw_chart(rows, options.results / "time_to_answer.svg")
    return rows


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(NAMES), help="which networks (all of them)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where the bench is built")
    parser.add_argument("--specifications", type=pathlib.Path, default=ROOT / "benches/specifications")
    parser.add_argument(
        "--work", type=pathlib.Path, default=ROOT / "build/time_to_answer", help="kept results"
    )
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "benches/results")
    parser.add_argument("--direct-trials", type=int, default=3000, help="of the direct engine")
    parser.add_argument(
        "--peer-trials", type=int, default=2000, help="the first of them that PyTorchFI runs too"
    )
    parser.add_argument("--wave-trials", type=int, default=40000, help="of the wave engine, uniform")
    parser.add_argument(
        "--seconds", type=float, default=6, help="for each batch size of PyTorchFI, at least 3 sets"
    )
    parser.add_argument("--again", action="store_true", help="measure networks whose result is kept, too")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown network {unknown[0]}; known: {', '.join(NAMES)}")
    return options


def main() -> None:
    options = parse()
    options.work.mkdir(parents=True, exist_ok=True)
    for name in options.names:
        kept = options.work / f"{name}.json"
        if kept.exists() and not options.again:
            continue
        print(f"\n{name}", flush=True)
        harness.write_json(kept, measure(name, options))
        write_results(options)
    rows = write_results(options)
    print_results(rows)
    apart = [row["network"] for row in rows for way, _, _ in WAYS if not row[way]["interval_overlaps_guided"]]
    if any(row["top1_differs"]["differ"] for row in rows):
        sys.exit("wave and direct engine do not give the same outcomes")
    if apart:
        sys.exit(f"intervals that do not overlap: {', '.join(apart)}")


if __name__ == "__main__":
    main()
