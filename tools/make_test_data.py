#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the small networks that the tests of src/model open, with inputs and the outputs that Python gives.

    python tools/make_test_data.py OUT_DIR

Needs torch. Each network NAME.pt2 (exported program) or NAME.pt (TorchScript) comes with NAME.calls.pt: a tuple of
calls in order, each a tuple (inputs, outputs) of tuples of tensors and numbers, flattened. Does nothing where this very
tool with this PyTorch has filled the folder before.
"""

import argparse
import hashlib
import json
import pathlib
import warnings
import zipfile

import torch
import torch.utils._pytree as pytree
from test_networks import (
    Attention,
    Branches,
    Containers,
    Counter,
    DataDependent,
    DynamicInt,
    Embedding,
    Gates,
    InputWriter,
    KeepsConstants,
    LongTail,
    NoGradBlock,
    PythonOperator,
    Quantised,
    Raises,
    Residual,
    Scripted,
    SizeArithmetic,
    Tied,
)
from torch.export import Dim

THREADS = 2
STAMP = "made_by.json"


def flat_values(values) -> tuple:
    """What Network::forward returns: containers flattened, None and strings left out, numbers as tensors."""
    leaves = [leaf for leaf in pytree.tree_leaves(values) if leaf is not None and not isinstance(leaf, str)]
    kinds = {bool: torch.bool, int: torch.int64, float: torch.float64}
    return tuple(
        leaf if isinstance(leaf, torch.Tensor) else torch.tensor(leaf, dtype=kinds[type(leaf)]) for leaf in leaves
    )


def flat_inputs(args, kwargs) -> tuple:
    """What Network::forward takes: tensors and free numbers; flags, None and fixed numbers are in the program."""
    leaves = pytree.tree_leaves((args, kwargs))
    return tuple(leaf for leaf in leaves if isinstance(leaf, torch.Tensor))


def copied(values):
    return pytree.tree_map(lambda leaf: leaf.clone() if isinstance(leaf, torch.Tensor) else leaf, values)


class Maker:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def record_calls(self, name: str, run, calls, inputs_of=flat_inputs) -> None:
        recorded = []
        for args, kwargs in calls:
            inputs = copied(inputs_of(args, kwargs))
            with torch.no_grad():
                recorded.append((inputs, copied(flat_values(run(*args, **kwargs)))))
        torch.save(tuple(recorded), self.folder / f"{name}.calls.pt")

    def export(self, name, network, calls, shapes=None, strict=False, decompose=False, inputs_of=flat_inputs):
        """Exports with the first call's arguments, and records what the saved program does with each call's."""
        args, kwargs = calls[0]
        program = torch.export.export(network.eval(), args, kwargs, dynamic_shapes=shapes, strict=strict)
        if decompose:
            program = program.run_decompositions()
        torch.export.save(program, self.folder / f"{name}.pt2")
        module = torch.export.load(self.folder / f"{name}.pt2").module()
        self.record_calls(name, module, calls, inputs_of)

    def script(self, name, module, calls):
        module.save(str(self.folder / f"{name}.pt"))
        with torch.jit.optimized_execution(False):
            self.record_calls(name, torch.jit.load(self.folder / f"{name}.pt").eval(), calls)


def call(*args, **kwargs):
    return args, kwargs


def make_exported(maker: Maker) -> None:
    batch = Dim("batch", min=1, max=64)
    images = [call(torch.randn(n, 3, 8, 8)) for n in (2, 1, 5)]
    maker.export("residual", Residual(), images, ({0: batch},))
    maker.export("least_two", Residual(), [images[0], images[2]], ({0: Dim.AUTO},))
    maker.export("residual_strict", Residual(), images, ({0: batch},), strict=True)
    maker.export("residual_half", Residual().half(), [call(torch.randn(2, 3, 8, 8).half())])
    maker.export("residual_bfloat16", Residual().bfloat16(), [call(torch.randn(2, 3, 8, 8).bfloat16())])

    pair = Dim("pair", min=2, max=32)
    maker.export(
        "containers",
        Containers(),
        [
            call(torch.randn(n, 4), [torch.randn(2 * n, 4), None], True, tables={"b": torch.randn(4), "a": torch.randn(4)})
            for n in (3, 7)
        ],
        {"x": {0: pair}, "pair": [{0: 2 * pair}, None], "flag": None, "tables": {"b": None, "a": None}},
    )
    steps = [call(torch.randn(3)) for _ in range(3)]
    maker.export("counter", Counter(), steps)
    maker.export("counter_decomposed", Counter(), steps, decompose=True)
    maker.export("input_writer", InputWriter(), [call(torch.randn(3))], decompose=True)
    maker.export("constants", KeepsConstants(), [call(torch.randn(2, 3))])
    maker.export("no_grad", NoGradBlock(), [call(torch.randn(2, 3))])
    maker.export("embedding", Embedding(), [call(torch.randint(0, 11, (2, 5))), call(torch.randint(0, 11, (3, 5)))],
                 ({0: batch},))
    maker.export("tied", Tied(), [call(torch.randint(0, 11, (2, 5)))])
    maker.export("lstm", Gates(), [call(torch.randn(2, 6, 4))])
    maker.export("attention", Attention(), [call(torch.randn(2, 5, 8), torch.rand(2, 5) > 0.7)])
    maker.export("long_tail", LongTail(), [call(torch.randn(4, 6))])
    maker.export("size_arithmetic", SizeArithmetic(), [call(torch.randn(n, 6)) for n in (4, 9)],
                 ({0: Dim.DYNAMIC},))
    maker.export("data_dependent", DataDependent(), [call(torch.tensor([0.0, 2.0, 0.0, 3.0]), torch.tensor(3))])
    maker.export("dynamic_int", DynamicInt(), [call(torch.randn(2, 3), n) for n in (4, 6)], (None, Dim.DYNAMIC),
                 inputs_of=lambda args, kwargs: args)


def make_refused(maker: Maker) -> None:
    x = call(torch.randn(2, 3))
    maker.export("branches", Branches(), [x])
    maker.export("python_operator", PythonOperator(), [x])
    with zipfile.ZipFile(maker.folder / "constants.pt2") as old:
        with zipfile.ZipFile(maker.folder / "newer_schema.pt2", "w") as new:
            for record in old.namelist():
                content = old.read(record)
                if record.endswith("models/model.json"):
                    model = json.loads(content)
                    model["schema_version"]["major"] += 1
                    content = json.dumps(model)
                new.writestr(record, content)
    network = torch.nn.Linear(3, 4)
    torch.save(network.state_dict(), maker.folder / "state_dict.pt")
    torch.save(network, maker.folder / "pickled_module.pt")
    torch.save({"epoch": 3}, maker.folder / "pickled_object.pt")
    torch.save(network.state_dict(), maker.folder / "old_style.pt", _use_new_zipfile_serialization=False)


def make_torchscript(maker: Maker) -> None:
    images = [call(torch.randn(n, 3, 8, 8)) for n in (2, 1)]
    network = Residual().eval()
    traced = torch.jit.trace(network, images[0][0])
    maker.script("traced", traced, images)
    maker.script("frozen", torch.jit.freeze(traced), images)
    vector = torch.randn(3)
    maker.script("scripted", torch.jit.script(Scripted().eval()), [call(vector), call(vector, torch.randn(3))])
    maker.script("raises", torch.jit.script(Raises()), [call(vector)])
    maker.script("quantised", torch.jit.trace(Quantised.converted(images[0][0][0]), images[0][0]), images)


def make_all(folder: pathlib.Path) -> None:
    torch.manual_seed(1)
    torch.set_num_threads(THREADS)
    maker = Maker(folder)
    make_exported(maker)
    make_refused(maker)
    make_torchscript(maker)


def version() -> dict[str, str]:
    here = pathlib.Path(__file__).parent
    sources = b"".join((here / name).read_bytes() for name in ("make_test_data.py", "test_networks.py"))
    return {"tool": hashlib.sha256(sources).hexdigest(), "torch": torch.__version__}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=pathlib.Path)
    folder = parser.parse_args().out_dir
    stamp = folder / STAMP
    if stamp.exists() and json.loads(stamp.read_text()) == version():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make_all(folder)
    stamp.write_text(json.dumps(version()))


if __name__ == "__main__":
    main()
