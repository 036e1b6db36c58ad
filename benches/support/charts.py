# SPDX-License-Identifier: Apache-2.0
"""Charts of the Python benches: one colour a way, and the same file from the same numbers."""

import pathlib

# By way of running faults.
COLOURS = {
    "pytorchfi": "#9a9a9a",
    "direct": "#9ecae1",
    "wave": "#08519c",
    "wave_uniform": "#08519c",
    "wave_guided": "#d95f0e",
}


def pyplot(salt: str):
    """matplotlib without a display."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = salt
    matplotlib.rcParams["axes.spines.top"] = matplotlib.rcParams["axes.spines.right"] = False
    from matplotlib import pyplot

    return pyplot


def save(figure, path: pathlib.Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def times(ratio: float) -> str:
    return f"{ratio:,.0f}x" if ratio >= 10 else f"{ratio:.1f}x"
