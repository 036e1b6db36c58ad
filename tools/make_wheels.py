# SPDX-License-Identifier: Apache-2.0
"""Builds wheels of the Python package, one for each Python, and tests each: `python tools/make_wheels.py OUT PYTHON...`.

Each PYTHON is the interpreter of an environment that holds pip and a torch. The builds for several versions of torch with
the same version of Python go into one wheel. Each wheel is then installed into a fresh environment for each of these
torch versions, where the package is imported, a fault injected, and a small campaign run by the program.

The wheels are tagged linux_x86_64: they use the libsqlite3 of the machine, which manylinux does not allow, and which
must not be bundled, since Python's own sqlite3 module uses the same one.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

TELL = "import sys, torch; print(f'cp{sys.version_info.major}{sys.version_info.minor}', torch.__version__.split('+')[0])"

STUDY = """
import pathlib, subprocess, sys, torch, faultwave as fw
net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
injector = fw.Injector(net, torch.ones(1, 4))
with injector.armed("output:0[2] constant(7)"):
    assert net(torch.ones(1, 4))[0, 2].item() == 7
fw.export(net, torch.ones(1, 4), "net.pt2")
torch.save(torch.rand(8, 4), "x.pt")
pathlib.Path("spec.toml").write_text('model = "net.pt2"\\ninput = "x.pt"\\ntrials = 500\\n[fault]\\nerror = "flip"\\n')
program = pathlib.Path(sys.executable).with_name("faultwave")
subprocess.run([program, "run", "spec.toml", "--db", "c.db", "--workers", "2", "--quiet"], check=True)
print("works with torch", torch.__version__)
"""


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, **options)


def build(python, folder):
    """The wheel for the torch of one environment."""
    run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir", "-w", folder, ROOT)
    (wheel,) = folder.glob("faultwave-*.whl")
    return wheel


def joined(wheels, out, work):
    """One wheel with the builds of all of these, which are for one Python."""
    tree = work / "tree"
    for wheel in wheels:
        shutil.unpack_archive(wheel, tree, "zip")
    (record,) = tree.glob("*.dist-info/RECORD")
    record.unlink()  # `wheel pack` writes it anew
    for program in tree.glob("faultwave/builds/torch_*/faultwave"):
        program.chmod(0o755)  # zip archives as Python unpacks them forget it
    out.mkdir(parents=True, exist_ok=True)
    done = run(sys.executable, "-m", "wheel", "pack", "--dest-dir", out, tree, capture_output=True, text=True)
    return out / re.search(r"(faultwave-\S+\.whl)", done.stdout)[1]


def test(wheel, python, torch, work):
    """Installs the wheel beside a torch into a fresh environment, and uses both there."""
    environment = work / f"test_{torch}"
    run(python, "-m", "venv", environment)
    run(environment / "bin/pip", "install", "--quiet", f"torch=={torch}", "numpy", wheel)
    run(environment / "bin/python", "-c", STUDY, cwd=work)
    run(environment / "bin/faultwave", "--version", cwd=work)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("python", nargs="+")
    arguments = parser.parse_args()
    by_version = {}
    for python in arguments.python:
        version, torch = run(python, "-c", TELL, capture_output=True, text=True).stdout.split()
        by_version.setdefault(version, []).append((python, torch))
    for version, environments in by_version.items():
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder)
            wheels = [build(python, work / torch) for python, torch in environments]
            wheel = joined(wheels, arguments.out, work)
            print(f"{wheel}: torch {', '.join(torch for _, torch in environments)}", flush=True)
            for python, torch in environments:
                test(wheel, python, torch, work)


if __name__ == "__main__":
    main()
