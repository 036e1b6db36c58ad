#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Chart of what bench_linearity measured.

    build/benches/bench_linearity benches/results/linearity.json
    python benches/linearity.py [benches/results/linearity.json]

Needs matplotlib. Writes the chart beside the JSON file.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

import charts  # noqa: E402

RESULT = pathlib.Path(__file__).resolve().parent / "results/linearity.json"


def draw(result: dict, path: pathlib.Path) -> None:
    """Time and memory on logarithmic axes; the dashed line is what the last count would make linear."""
    pyplot = charts.pyplot("linearity")
    rows = result["rows"]
    trials = [row["trials"] for row in rows]
    figure, (time, memory) = pyplot.subplots(1, 2, figsize=(9, 3.6))
    each = rows[-1]["seconds_a_trial"]
    time.plot(
        trials,
        [each * count for count in trials],
        "--",
        color="#9a9a9a",
        label=f"{1e6 * each:,.0f} us a trial",
    )
    time.plot(trials, [row["seconds"] for row in rows], "o-", color=charts.COLOURS["wave"], label="measured")
    time.set_xscale("log")
    time.set_yscale("log")
    time.set_ylabel("seconds")
    time.legend(fontsize=8, frameon=False)
    memory.plot(trials, [row["peak_mb"] for row in rows], "o-", color=charts.COLOURS["wave"])
    memory.set_xscale("log")
    memory.set_ylim(bottom=0)
    memory.set_ylabel("peak memory of the process, MB")
    for panel in (time, memory):
        panel.set_xlabel("trials")
        panel.grid(alpha=0.3)
    figure.suptitle(
        f"{result['network']}, {result['error']}: time and memory by number of trials", fontsize=10
    )
    figure.tight_layout()
    charts.save(figure, path)


def main() -> None:
    file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else RESULT
    draw(json.loads(file.read_text()), file.with_suffix(".svg"))


if __name__ == "__main__":
    main()
