# SPDX-License-Identifier: Apache-2.0
"""What can be a network: modules and callables with inputs and outputs of any structure, and what their sites are
called."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import pytest
import torch
from support.tiny_networks import Sum, convolutional
from torch import nn

import faultwave as fw


def output_names(injector: fw.Injector) -> list[str]:
    return [site.name for site in injector.sites if site.kind == "output"]


def test_sites_have_the_names_of_modules() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, 3, 1)
            self.conv2 = nn.Conv2d(3, 3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv2(self.conv1(x).relu()) + x

    model = nn.Sequential()
    model.layer1 = nn.Sequential(Block(), Block())
    injector = fw.Injector(model, torch.rand(1, 3, 2, 2))
    block = ["conv1", "relu", "conv2", "add"]
    expected = [
        f"layer1.{i}" + ("." if name.startswith("conv") else "/") + name for i in range(2) for name in block
    ]
    assert output_names(injector) == expected
    site = injector.site("layer1.1.conv2")
    assert (site.kind, site.op, site.shape, site.element_shape) == (
        "output",
        "aten::conv2d",
        (1, 3, 2, 2),
        (3, 2, 2),
    )
    assert site.dtype == torch.float32 and site.channel_axis == 0 and site.batch.dim == 0 and site.is_default
    assert [site.name for site in injector.select("layer1.0.*")] == ["layer1.0.conv1", "layer1.0.conv2"]
    assert injector.sites[site.number].name == site.name


def test_a_tied_weight_is_read_by_two_layers() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(5, 3)
            self.head = nn.Linear(3, 5, bias=False)
            self.head.weight = self.embedding.weight

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.head(self.embedding(ids))

    model, ids = Tied(), torch.tensor([[1, 2]])
    injector = fw.Injector(model, ids)
    assert output_names(injector) == ["embedding", "head"]
    assert [site.name for site in injector.sites if site.kind == "weight"] == ["embedding"]
    golden = model(ids)
    with injector.armed("weight:embedding[4,*] zero"):  # read by the head alone
        faulty = model(ids)
    assert torch.equal(faulty[..., :4], golden[..., :4]) and faulty[..., 4].eq(0).all()


def test_a_name_that_is_none_gets_near_ones() -> None:
    injector = fw.Injector(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)), torch.rand(1, 3, 2, 2))
    with pytest.raises(fw.IllegalFaultError, match="did you mean"):
        injector.site("00")


def test_sites_print_as_a_table() -> None:
    sites = fw.Injector(Sum(), torch.ones(1, 3)).sites
    assert repr(sites).splitlines()[-1] == f"{len(sites)} sites"
    assert "aten::linear" in repr(sites)
    assert sites._repr_html_().count("<tr>") == len(sites) + 1
    frame = sites.to_dataframe()
    assert list(frame["name"]) == [site.name for site in sites]


def test_several_nested_and_integer_inputs() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(10, 4)

        def forward(
            self, ids: torch.Tensor, state: dict[str, list[torch.Tensor]], scale: float = 1.0
        ) -> object:
            hidden = self.embedding(ids) + state["h"][0]
            return {"out": (hidden * scale).sum(-1), "count": 3, "none": None, "name": "pair"}

    model = Pair()
    ids, h = torch.tensor([[1, 2], [3, 4]]), torch.zeros(2, 1, 4)
    injector = fw.Injector(model, ids, state={"h": [h]}, scale=2.0)
    names = [site.name for site in injector.sites if site.kind == "network-input"]
    assert names == ["ids", "state.h.0"]
    with injector.armed("network-input:ids[1]@0 constant(7)"):
        faulty = model(ids, {"h": [h]}, 2.0)
    golden = model(torch.tensor([[1, 7], [3, 4]]), {"h": [h]}, 2.0)
    assert torch.equal(faulty["out"], golden["out"])


def test_a_result_that_is_an_object() -> None:
    @dataclass
    class Result:
        logits: torch.Tensor
        cache: list[torch.Tensor]

    def model(x: torch.Tensor) -> Result:
        return Result(logits=x * 2, cache=[x + 1])

    injector = fw.Injector(model, torch.ones(2, 3))
    assert output_names(injector) == ["mul", "add"]


def test_a_result_that_holds_its_tensors_in_attributes() -> None:
    class Cache:
        def __init__(self, keys: torch.Tensor) -> None:
            self.layers = [{"keys": keys}]
            self.device = keys.device
            self.owner = self

    def model(x: torch.Tensor) -> tuple[torch.Tensor, Cache]:
        return x * 2, Cache(x + 1)

    injector = fw.Injector(model, torch.ones(2, 3))
    assert output_names(injector) == ["mul", "add"]


def test_a_result_that_is_nothing_of_use_is_refused() -> None:
    with pytest.raises(fw.NetworkError, match="returns a set"):
        fw.Injector(lambda x: {x.sum()}, torch.ones(2, 3))


@pytest.mark.parametrize("kind", ["method", "partial", "lambda", "object"])
def test_callables_find_their_modules(kind: str) -> None:
    model = Sum()

    class Pipeline:
        def __init__(self) -> None:
            self.net = model

        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return self.net(x)

    calls = {
        "method": model.forward,
        "partial": functools.partial(model),
        "lambda": lambda x: model(x),
        "object": Pipeline(),
    }
    injector = fw.Injector(calls[kind], torch.ones(1, 3))
    assert injector.site("same", kind="weight").shape == (3, 3)


def test_modules_of_a_function_may_be_named() -> None:
    first, second = Sum(), nn.Linear(1, 2)

    def run(x: torch.Tensor) -> torch.Tensor:
        return second(first(x))

    names = output_names(fw.Injector(run, torch.ones(1, 3)))
    assert names == ["first.same", "first/sum", "second"]
    names = output_names(fw.Injector(run, torch.ones(1, 3), modules={"a": first, "b": second}))
    assert names == ["a.same", "a/sum", "b"]


def test_a_model_in_train_mode_is_profiled_in_eval_mode() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).train()
    injector = fw.Injector(model, torch.ones(1, 3))
    assert injector.batch == 1 and injector.batch_is_free
    assert model.training and model[1].training


def test_what_cannot_run_is_said_with_its_cause() -> None:
    def broken(x: torch.Tensor) -> torch.Tensor:
        raise ValueError("no such thing")

    with pytest.raises(
        fw.NetworkError, match="the dummy inference failed: ValueError: no such thing"
    ) as caught:
        fw.Injector(broken, torch.ones(1))
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(fw.UsageError, match="cannot be called"):
        fw.Injector(7, torch.ones(1))  # type: ignore[arg-type]
    with pytest.raises(fw.NetworkError, match="no operator that can be seen"):
        fw.Injector(lambda x: x, torch.ones(1))
    with pytest.raises(fw.NetworkError, match="shapes cannot be multiplied"):
        fw.Injector(Sum(), torch.ones(1, 5))


def test_an_input_elsewhere_than_the_model_is_named() -> None:
    with pytest.raises(fw.InputError, match="the example input 'input' is on meta and the network on cpu"):
        fw.Injector(convolutional(), torch.rand(1, 3, 8, 8, device="meta"))


def test_interruptions_pass() -> None:
    def stopping(x: torch.Tensor) -> torch.Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fw.Injector(stopping, torch.ones(1))


def test_compiled_models_run_eagerly_while_they_are_looked_at() -> None:
    model = convolutional()
    x = torch.rand(2, 3, 8, 8)
    compiled = torch.compile(model, backend="eager")
    golden = compiled(x)
    for run in (compiled, lambda x: compiled(x)):
        injector = fw.Injector(run, x)
        assert output_names(injector) == ["0", "1/relu", "2/flatten", "3"]
        with injector.armed("output:3[1]@0 constant(9)") as armed:
            faulty = run(x)
        assert armed.receipts[0].hits == 1
        assert faulty[0, 1].item() == 9.0
    assert torch.equal(compiled(x), golden)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", ["scripted", "traced", "exported", "fx"])
def test_graphs_of_a_model(kind: str) -> None:
    model, x = convolutional(), torch.rand(2, 3, 8, 8)
    graph = {
        "scripted": lambda: torch.jit.script(model),
        "traced": lambda: torch.jit.trace(model, x),
        "exported": lambda: torch.export.export(model, (x,)).module(),
        "fx": lambda: torch.fx.symbolic_trace(model),
    }[kind]()
    injector = fw.Injector(graph, x)
    (site,) = [site for site in injector.sites if site.op == "aten::linear" and site.kind == "output"]
    with injector.armed(fw.Fault(site=site.name, location=(1,), batch="0", model="constant(9)")):
        assert graph(x)[0, 1].item() == 9.0


def test_hooks_of_users_are_seen_and_kept() -> None:
    model = Sum()
    model.same.register_forward_hook(lambda module, args, result: result * 2)
    x = torch.ones(1, 3)
    injector = fw.Injector(model, x)
    assert output_names(injector) == ["same", "mul", "sum"]
    with injector.armed("output:same[0] constant(5)"):
        assert model(x).item() == 14.0


def test_attention_and_recurrence() -> None:
    encoder = nn.TransformerEncoderLayer(16, 2, batch_first=True).eval()
    x = torch.rand(2, 5, 16)
    injector = fw.Injector(encoder, x)
    assert {"linear1", "linear2", "norm2"} <= set(output_names(injector))
    with torch.no_grad(), injector.armed("output:linear1[?] flip(30)#3") as armed:
        encoder(x)
    assert armed.receipts[0].hits == 2
    recurrent = nn.LSTM(4, 6, batch_first=True)
    injector = fw.Injector(recurrent, torch.rand(2, 3, 4))
    with injector.armed("output:lstm[0,0] constant(3)"):
        assert recurrent(torch.rand(2, 3, 4))[0][0, 0, 0].item() == 3.0


def test_half_precision() -> None:
    model = Sum().half()
    x = torch.ones(1, 3, dtype=torch.float16)
    injector = fw.Injector(model, x)
    with injector.armed("output:same[0] flip(15)") as armed:
        assert model(x).item() == 1.0
    (victim,) = armed.receipts[0].victims
    assert (victim.bits_before, victim.bits_after) == (0x3C00, 0xBC00)


def test_calibration_gives_scales() -> None:
    model = Sum()
    injector = fw.Injector(model, torch.ones(1, 3))
    site = injector.site("same")
    assert injector.int8_scale(site) == pytest.approx(1 / 127)
    injector.calibrate([torch.full((1, 3), 254.0), (torch.ones(1, 3),)])
    assert injector.int8_scale(site) == pytest.approx(2.0)
