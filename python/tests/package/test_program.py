# SPDX-License-Identifier: Apache-2.0
"""The command line program as the package starts it: it takes the process over."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from _faultwave import builds

MODULE = [sys.executable, "-m", "faultwave"]
SCRIPT = [sys.executable, "-c", "from _faultwave.program import main; main()"]

pytestmark = pytest.mark.skipif(
    builds.program(builds.minor_of(torch.__version__)) is None, reason="built without the program"
)


def run(command: list[str], *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *arguments], capture_output=True, text=True, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A network of two layers, as TorchScript, with 8 inputs beside it in x.pt."""
    folder = tmp_path_factory.mktemp("network")
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).eval()
    torch.jit.script(model).save(folder / "net.pt")
    torch.save(torch.rand(8, 4), folder / "x.pt")
    return folder


def specification(network: pathlib.Path, trials: int) -> pathlib.Path:
    path = network / f"spec_{trials}.toml"
    path.write_text(
        f'model = "net.pt"\ninput = "x.pt"\ntrials = {trials}\nkeep = "all"\n[fault]\nkind = "output"\nerror = "flip"\n'
    )
    return path


@pytest.mark.parametrize("command", [MODULE, SCRIPT], ids=["module", "script"])
def test_version_and_exit_code(command: list[str]) -> None:
    version = run(command, "--version")
    assert version.returncode == 0
    assert version.stdout.startswith("faultwave ") and torch.__version__.split("+")[0] in version.stdout
    assert run(command, "no-such-command").returncode == 2


def test_torch_is_not_imported() -> None:
    # A Python that tells what it imports, up to the moment that the program takes over.
    told = run([sys.executable, "-X", "importtime", "-m", "faultwave"], "--version").stderr
    imported = {line.rpartition("|")[2].strip() for line in told.splitlines()}
    assert "_faultwave.program" in imported
    assert "torch" not in imported


def test_a_campaign_with_workers(network: pathlib.Path) -> None:
    # Workers are the same program again, which must find torch's libraries as the first process did.
    exported = []
    for workers in ("1", "2"):
        database = str(network / f"{workers}.db")
        done = run(MODULE, "run", str(specification(network, 3000)), "--db", database, "--workers", workers)
        assert done.returncode == 0, done.stderr
        exported.append(run(MODULE, "export", database, "--format", "csv").stdout)
    assert len(exported[0].splitlines()) == 1 + 3000
    assert exported[0] == exported[1]


def test_an_interrupt_reaches_the_program(network: pathlib.Path) -> None:
    database = network / "interrupted.db"
    command = [*MODULE, "run", str(specification(network, 50_000_000)), "--db", str(database)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not database.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT, errors
    assert "Traceback" not in errors


def test_without_torch_it_says_so(tmp_path: pathlib.Path) -> None:
    shutil.copytree(pathlib.Path(builds.__file__).parent, tmp_path / "_faultwave")
    bare = [sys.executable, "-S", "-c", "from _faultwave.program import main; main()"]
    failed = run(bare, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert failed.returncode == 127
    assert failed.stderr.startswith("faultwave: torch is not installed for this Python")
    assert len(failed.stderr.splitlines()) == 1


def test_without_a_build_it_says_what_to_do(tmp_path: pathlib.Path) -> None:
    fake = tmp_path / "torch"
    fake.mkdir()
    (fake / "__init__.py").write_text("raise ImportError('this torch is not to be imported')\n")
    (fake / "version.py").write_text("__version__ = '1.2.3'\n")
    failed = run(MODULE, "--version", cwd=tmp_path)
    assert failed.returncode == 127
    assert "what is installed is torch 1.2.3; build Faultwave for that with: " in failed.stderr
