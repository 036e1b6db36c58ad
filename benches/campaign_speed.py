#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many faulty inferences a second: PyTorchFI at its best batch size, the direct engine, the wave engine.

    python benches/campaign_speed.py [NAME ...]

Needs torch, torchvision, pytorchfi, matplotlib and the packages of tools/requirements-demo.txt, the demo's
photographs (`make demo`), and build/benches/bench_campaign_speed (`make bench`). The same single-neuron
faults of one image go through all three, and the outcomes are compared before anything is timed. Networks
that are not in --nets are exported there. Each network's result is kept in --work and not measured again
without --again, so that an interrupted run goes on where it was. Writes benches/results/campaign_speed.json
and charts beside it, of all that are in --work.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

import charts  # noqa: E402
import harness  # noqa: E402
import program_speed  # noqa: E402
from charts import times  # noqa: E402
from harness import ROOT, networks, peer_result  # noqa: E402


def run_engines(name: str, program: pathlib.Path, options: argparse.Namespace) -> dict:
    """Runs both engines of Faultwave, which also draws the faults, at the layers that PyTorchFI counts."""
    image = options.nets / f"{name}.input.pt"
    layers = options.work / f"{name}.layers.txt"
    layers.write_text("".join(f"{layer}\n" for layer in peer_result("layers", name, image)))
    output = options.work / f"{name}.engines.json"
    command = [program, options.nets / f"{name}.pt2", image, output, "--layers", layers]
    command += [
        "--trials",
        options.trials,
        "--rounds",
        options.rounds,
        "--memory-trials",
        options.memory_trials,
    ]
    command += ["--run-seconds", options.run_seconds]
    subprocess.run([str(part) for part in command], check=True)
    return json.loads(output.read_text())


def ratios(error: dict, pytorchfi: dict) -> dict:
    wave, direct = error["wave"]["per_second"], error["direct"]["per_second"]
    return {
        "wave_to_pytorchfi": wave / pytorchfi["per_second"],
        "direct_to_pytorchfi": direct / pytorchfi["per_second"],
        "wave_to_direct": wave / direct,
    }


def measure(name: str, options: argparse.Namespace) -> dict:
    image, written = options.nets / f"{name}.input.pt", options.work / f"{name}.engines.json"
    if not (options.nets / f"{name}.pt2").exists():
        networks.export(options.nets, name)
    engines = run_engines(name, options.build / "benches/bench_campaign_speed", options)
    check = peer_result("check", name, image, written)
    for error in check["errors"]:
        print(
            f"{error['error']}: {error['disagree']} of {error['trials']} top-1 classes "
            "differ from PyTorchFI's"
        )
    pytorchfi = harness.time_peer(name, image, written, options.seconds)
    layers = (options.work / f"{name}.layers.txt").read_text().split()
    for error, agreement in zip(engines["errors"], check["errors"]):
        error["direct_and_pytorchfi"] = agreement
        error["ratios"] = ratios(error, pytorchfi)
        error["program"] = program_speed.measure(
            options.build / "faultwave",
            options.nets / f"{name}.pt2",
            image,
            layers,
            error["error"],
            options.program_trials,
        )
    del engines["golden_scores"]
    return {
        "network": name,
        "measured": time.strftime("%Y-%m-%d"),
        "golden_relative_difference_to_pytorchfi": check["golden_relative_difference"],
        "pytorchfi": pytorchfi,
        **engines,
    }


def without_lists_of_trials(row: dict) -> dict:
    """What the README and the chart are made of; the faults and classes themselves stay in --work."""
    short = json.loads(json.dumps(row))
    for error in short["errors"]:
        del error["faults"], error["wave"]["classes"], error["direct"]["classes"]
    return short


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def print_speeds(rows: list[dict]) -> None:
    head = [
        "network",
        "error model",
        "PyTorchFI (batch)",
        "direct",
        "wave",
        "wave / PyTorchFI",
        "top-1 differs",
    ]
    lines = []
    for row in rows:
        for error in row["errors"]:
            peer, agreement = row["pytorchfi"], error["direct_and_pytorchfi"]
            lines.append(
                [
                    row["network"],
                    f"`{error['error']}`",
                    f"{peer['per_second']:.1f}/s ({peer['batch']})",
                    f"{error['direct']['per_second']:.1f}/s",
                    f"{error['wave']['per_second']:,.0f}/s",
                    f"{error['ratios']['wave_to_pytorchfi']:.1f}",
                    f"{agreement['disagree']} of {agreement['trials']}",
                ]
            )
    harness.print_table(head, lines)


def print_program(rows: list[dict]) -> None:
    """`faultwave run` from a fresh process against the engine in it."""
    head = ["network", "error model", "start", "run", "of it once started", "of the engine's rate"]
    lines = []
    for row in rows:
        for error in row["errors"]:
            if "program" not in error:
                continue
            program, engine = error["program"], error["wave"]["per_second"]
            lines.append(
                [
                    row["network"],
                    f"`{error['error']}`",
                    f"{program['start_seconds']:.2f} s",
                    f"{program['per_second']:,.0f}/s",
                    f"{program['per_second_once_started']:,.0f}/s",
                    percent(program["per_second_once_started"] / engine),
                ]
            )
    harness.print_table(head, lines)


def print_accounts(rows: list[dict]) -> None:
    """Where the wave's time goes, and how far it is from the floor."""
    head = [
        "network",
        "error model",
        "products",
        "golden forwards",
        "dirty values",
        "products' speed",
        "floor",
    ]
    head += ["taken / floor", "peak memory"]
    lines = []
    for row in rows:
        for error in row["errors"]:
            wave = error["wave"]
            shares, floor = wave["share_of_products"], wave["floor"]
            dirty = [layer["share_of_values_in_all"] for layer in wave["dirty"]]
            lines.append(
                [
                    row["network"],
                    f"`{error['error']}`",
                    percent(shares["of_what_differs"]),
                    percent(shares["golden_forwards"]),
                    f"{100 * sum(dirty) / len(dirty):.1f} %",
                    f"{row['product_gflops']:.0f} GFLOP/s",
                    f"{floor['seconds']:.3f} s" if floor else "not counted",
                    f"{floor['times_the_floor']:.1f}" if floor else "not counted",
                    f"{wave['peak_mb']:.0f} MB",
                ]
            )
    harness.print_table(head, lines)


def print_memory(rows: list[dict]) -> None:
    """Most memory beyond what was there before, by budget and number of trials along a golden forward."""
    sizes = sorted({cell["trials_a_wave"] for row in rows for cell in row["memory"]})
    lines = []
    for row in rows:
        for budget in sorted({cell["budget_mb"] for cell in row["memory"]}):
            cells = {cell["trials_a_wave"]: cell for cell in row["memory"] if cell["budget_mb"] == budget}
            peaks = [f"{cells[size]['peak_mb_over_start']:.0f} MB" if size in cells else "" for size in sizes]
            lines.append([row["network"], f"{budget} MB", *peaks])
    harness.print_table(["network", "budget", *(f"{size} trials" for size in sizes)], lines)


def draw_speeds(rows: list[dict], path: pathlib.Path) -> None:
    pyplot = charts.pyplot("campaign_speed")
    errors = [error["error"] for error in rows[0]["errors"]]
    size = (max(6, 0.95 * len(rows) + 2), 3.4 * len(errors))
    figure, panels = pyplot.subplots(len(errors), 1, figsize=size, sharex=True)
    for number, (panel, error) in enumerate(zip(panels, errors)):
        cells = [row["errors"][number] for row in rows]
        series = {
            "pytorchfi": ("PyTorchFI 0.6.0, best batch", [row["pytorchfi"]["per_second"] for row in rows]),
            "direct": ("direct engine, batch 16", [cell["direct"]["per_second"] for cell in cells]),
            "wave": ("wave engine", [cell["wave"]["per_second"] for cell in cells]),
        }
        for place, (way, (label, rates)) in enumerate(series.items()):
            colour = charts.COLOURS[way]
            panel.bar(
                [x + 0.27 * (place - 1) for x in range(len(rows))], rates, 0.25, label=label, color=colour
            )
        for x, cell in enumerate(cells):
            text = times(cell["ratios"]["wave_to_pytorchfi"])
            panel.annotate(text, (x + 0.27, cell["wave"]["per_second"]), ha="center", va="bottom", fontsize=8)
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:,.0f}")
        panel.yaxis.set_minor_formatter("")
        panel.margins(y=0.12)
        panel.set_ylabel("faults a second")
        panel.set_title(f"{error}: above the bars, wave engine against PyTorchFI", fontsize=10)
        panel.grid(axis="y", alpha=0.3)
        panel.set_axisbelow(True)
    panels[-1].set_xticks(range(len(rows)), [row["network"] for row in rows], rotation=30, ha="right")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="upper center", ncols=3, fontsize=8, frameon=False
    )
    figure.tight_layout(rect=(0, 0, 1, 0.95))
    charts.save(figure, path)


def draw_dirty(rows: list[dict], path: pathlib.Path) -> None:
    """One line a network, from first layer to last."""
    pyplot = charts.pyplot("campaign_dirty")
    figure, panel = pyplot.subplots(figsize=(8, 4.2))
    colours = pyplot.get_cmap("tab20")
    for number, row in enumerate(rows):
        layers = row["errors"][0]["wave"]["dirty"]
        depths = [place / max(len(layers) - 1, 1) for place in range(len(layers))]
        shares = [100 * layer["share_of_values_in_all"] for layer in layers]
        panel.plot(depths, shares, label=row["network"], color=colours(number), linewidth=1.4)
    panel.set_xlabel("depth: from the first layer (0) to the last (1)")
    panel.set_ylabel("values that differ, % of all trials' values")
    panel.set_title(f"{rows[0]['errors'][0]['error']}: what the wave computes, by layer", fontsize=10)
    panel.set_ylim(bottom=0)
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    charts.save(figure, path)


def write_results(options: argparse.Namespace) -> list[dict]:
    files = [options.work / f"{name}.json" for name in networks.NAMES]
    rows = [without_lists_of_trials(json.loads(file.read_text())) for file in files if file.exists()]
    result = {"processor": harness.processor(), "commit": harness.commit(), "networks": rows}
    harness.write_json(options.results / "campaign_speed.json", result)
    draw_speeds(rows, options.results / "campaign_speed.svg")
    draw_dirty(rows, options.results / "campaign_dirty.svg")
    return rows


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(networks.NAMES), help="which networks (all of them)")
    parser.add_argument(
        "--nets", type=pathlib.Path, default=ROOT / "build/nets", help="exported networks and inputs"
    )
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where the bench is built")
    parser.add_argument(
        "--work", type=pathlib.Path, default=ROOT / "build/campaign_speed", help="kept results"
    )
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "benches/results")
    parser.add_argument("--trials", type=int, default=2000, help="of the wave engine")
    parser.add_argument("--rounds", type=int, default=3, help="timed repetitions of our engines")
    parser.add_argument(
        "--run-seconds", type=float, default=20, help="of a run of the wave engine, about, at most"
    )
    parser.add_argument("--program-trials", type=int, default=16384, help="of `faultwave run`")
    parser.add_argument("--memory-trials", type=int, default=4096, help="where memory is measured, at most")
    parser.add_argument(
        "--seconds", type=float, default=6, help="for each batch size of PyTorchFI, at least 3 sets"
    )
    parser.add_argument("--again", action="store_true", help="measure networks whose result is kept, too")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in networks.NAMES]
    if unknown:
        parser.error(f"unknown network {unknown[0]}; known: {', '.join(networks.NAMES)}")
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
            harness.write_json(kept, measure(name, options))
        except subprocess.CalledProcessError as error:  # it has said why; the other networks go on
            print(f"{name}: {error}", file=sys.stderr)
            continue
        write_results(options)
    rows = write_results(options)
    print_speeds(rows)
    print_program(rows)
    print_accounts(rows)
    print_memory(rows)
    differ = [error["direct_and_pytorchfi"]["beyond_rounding"] for row in rows for error in row["errors"]]
    if len(rows) < len(options.names) or any(differ):
        sys.exit("a network is missing, or an outcome differs by more than rounding")


if __name__ == "__main__":
    main()
