# SPDX-License-Identifier: Apache-2.0
"""Layers that PyTorchFI skips, crashes on, or numbers otherwise than it draws."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

import faultwave as fw
from faultwave.pytorchfi import DeclarationError, OutOfBoundsError, neuron_error_models, weight_error_models
from faultwave.pytorchfi.core import FaultInjection


def outputs_of(model: nn.Module, layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """What a layer returns while a model runs."""
    seen = []
    hook = layer.register_forward_hook(lambda _, __, output: seen.append(output.detach().clone()))
    model(x)
    hook.remove()
    return seen[0]


def test_five_axes() -> None:
    """An index of dim3 goes on to further axes; all random models reach them."""
    model = nn.Sequential(nn.Conv3d(1, 2, 2), nn.Flatten(), nn.Linear(54, 2)).eval()
    pfi = FaultInjection(model, 2, [1, 4, 4, 4], [nn.Conv3d])
    x = torch.randn(2, 1, 4, 4, 4)
    expected = model[0](x)
    expected[1, 0, 2, 1, 2] = 9
    faulty = pfi.declare_neuron_fault_injection(
        layer_num=[0], batch=[1], dim1=[0], dim2=[2], dim3=[(1, 2)], value=[9]
    )
    assert torch.equal(faulty(x), model[1:](expected))
    layer, _, _, dim3 = neuron_error_models.random_neuron_location(pfi)
    assert layer == 0 and len(dim3) == 2
    for declare in (neuron_error_models.random_neuron_inj, weight_error_models.random_weight_inj):
        faulty = declare(pfi, 100, 200) if declare is neuron_error_models.random_neuron_inj else declare(pfi)
        faulty(x)
        assert faulty.receipts[0].hits > 0
    weights = pfi.declare_weight_fault_injection(
        layer_num=[0], k=[1], dim1=[0], dim2=[1], dim3=[(0, 1)], value=[4]
    )
    assert weights.faults == ["weight:0[1,0,1,0,1] constant(4)"]
    with pytest.raises(DeclarationError, match=r"an index in dim3 is missing for .*dim3 may be a tuple"):
        pfi.declare_neuron_fault_injection(layer_num=[0], batch=[0], dim1=[0], dim2=[0], dim3=[0], value=[9])


class Recurrent(nn.Module):
    """A recurrent layer, which returns a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sequence, _ = self.lstm(x)
        return self.head(sequence[:, -1])


def test_a_layer_that_returns_a_tuple() -> None:
    """Its first tensor is its output."""
    model = Recurrent().eval()
    pfi = FaultInjection(model, 2, [5, 3], ["all"])
    assert pfi.output_size == [[1, 5, 4], [1, 2]]
    x = torch.randn(2, 5, 3)
    faulty = pfi.declare_neuron_fault_injection(layer_num=[0], batch=[1], dim1=[4], dim2=[3], value=[2])
    expected = model.lstm(x)[0]
    expected[1, 4, 3] = 2
    assert torch.equal(faulty(x), model.head(expected[:, -1]))


def test_a_layer_that_runs_no_operator() -> None:
    """A hook sets its value, in a copy: what the layer was given stays as it was."""
    model = nn.Sequential(nn.Identity(), nn.Linear(3, 2))
    pfi = FaultInjection(model, 2, [3], ["all"])
    x = torch.randn(2, 3)
    expected = x.clone()
    expected[1, 2] = 8
    faulty = pfi.declare_neuron_fault_injection(layer_num=[0], batch=[1], dim1=[2], value=[8])
    for _ in range(2):
        assert torch.equal(faulty(x), model[1](expected))
        assert not torch.equal(x, expected)
    assert faulty.faults == []
    (receipt,) = faulty.receipts
    assert (receipt.victims[0].before, receipt.victims[0].after) == (x[1, 2].item(), 8)


def test_a_layer_that_returns_what_it_was_given() -> None:
    """Dropout in eval mode: the fault is in its output alone, as another reader of its input sees."""

    class Forked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop = nn.Dropout()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x + 1
            return torch.cat([self.drop(x), x], 1)

    pfi = FaultInjection(Forked().eval(), 1, [2], ["all"])
    faulty = pfi.declare_neuron_fault_injection(layer_num=[0], batch=[0], dim1=[1], value=[8])
    assert faulty(torch.zeros(1, 2)).tolist() == [[1, 8, 1, 1]]


def test_tokens_as_input() -> None:
    """A model that takes whole numbers is given an example; then nothing is drawn."""
    model = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(12, 2)).eval()
    state = torch.get_rng_state()
    pfi = FaultInjection(model, 1, layer_types=[nn.Embedding, nn.Linear], example=torch.tensor([[1, 2, 3]]))
    assert torch.equal(torch.get_rng_state(), state)
    assert pfi.output_size == [[1, 3, 4], [1, 2]]
    tokens = torch.tensor([[7, 8, 9]])
    faulty = pfi.declare_neuron_fault_injection(layer_num=[0], batch=[0], dim1=[2], dim2=[3], value=[5])
    expected = model[0](tokens)
    expected[0, 2, 3] = 5
    assert torch.equal(faulty(tokens), model[1:](expected))


def test_layers_without_weights() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    pfi = FaultInjection(model, 1, [3], [nn.Linear, nn.ReLU])
    assert pfi.get_total_layers() == 3
    assert pfi.weights_size == [(4, 3), (2, 4)]
    for seed in range(20):
        random.seed(seed)
        layer, *_ = weight_error_models.random_weight_location(pfi)
        assert layer[0] in (0, 1)
    assert "    1             ReLU           2                    -               [1, 4]" in (
        pfi.print_pytorchfi_layer_summary()
    )


def test_weights_of_all_layers() -> None:
    """With ["all"], norms among them, whose weights have one axis."""
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.ReLU()).eval()
    pfi = FaultInjection(model, 1, [1, 2, 2], ["all"])
    assert pfi.weights_size == [(2, 1, 1, 1), (2,)]
    faulty = pfi.declare_weight_fault_injection(layer_num=[1], k=[1], value=[3])
    assert faulty.faults == ["weight:1[1] constant(3)"]
    for seed in range(10):
        random.seed(seed)
        location = weight_error_models.random_weight_location(pfi)
        if location[0] == [1]:
            assert location[2:] == ([None], [None], [None])
        weight_error_models.random_weight_inj(pfi)(torch.randn(1, 1, 2, 2))


def test_each_weight_with_some_probability() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    pfi = FaultInjection(model, 1, [3], [nn.Linear])
    faulty = weight_error_models.multi_weight_inj(pfi, sdc_p=1.0)
    assert torch.equal(faulty(torch.randn(1, 3)), model[1].bias[None])
    assert torch.equal(faulty.state_dict()["0.weight"], torch.zeros(4, 3))
    random.seed(1)
    faulty = weight_error_models.multi_weight_inj(pfi, sdc_p=0.25, function=lambda data, place: 2.0)
    random.seed(1)
    drawn = [random.random() < 0.25 for _ in range(20)]
    state = faulty.state_dict()
    hits = torch.cat([(state["0.weight"] == 2).flatten(), (state["1.weight"] == 2).flatten()])
    assert hits.tolist() == drawn and any(drawn)


def test_modules_with_children_are_told() -> None:
    class Padded(nn.Conv2d):
        def __init__(self) -> None:
            super().__init__(1, 2, 2)
            self.pad = nn.ZeroPad2d(1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(self.pad(x))

    model = nn.Sequential(Padded(), nn.Conv2d(2, 1, 1))
    with pytest.warns(
        UserWarning, match=r"outputs of 1 modules have no number.*: 0; Faultwave's own injector"
    ):
        pfi = FaultInjection(model, 1, [1, 4, 4])
    assert pfi.get_total_layers() == 1
    assert pfi.weights_size == [(2, 1, 2, 2), (1, 2, 1, 1)]


def test_a_model_that_is_one_layer() -> None:
    model = nn.Linear(3, 2)
    pfi = FaultInjection(model, 1, [3], [nn.Linear])
    faulty = pfi.declare_neuron_fault_injection(layer_num=[0], batch=[0], dim1=[1], value=[8])
    assert faulty(torch.randn(1, 3))[0, 1] == 8
    weights = pfi.declare_weight_fault_injection(layer_num=[0], k=[1], dim1=[2], value=[8])
    x = torch.tensor([[0.0, 0.0, 1.0]])
    assert weights(x)[0, 1] == 8 + model.bias[1]


def test_profiling_in_train_mode_leaves_the_model_alone() -> None:
    """Statistics, modes and, but for one draw of the input, the generator."""
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout()).train()
    torch.manual_seed(3)
    torch.randn(1, 1, 2, 2)
    expected = torch.get_rng_state()
    torch.manual_seed(3)
    FaultInjection(model, 1, [1, 2, 2])
    assert torch.equal(torch.get_rng_state(), expected)
    assert model[1].running_mean.tolist() == [0, 0] and model[1].num_batches_tracked == 0
    assert all(module.training for module in model.modules())


def test_inputs_of_another_shape() -> None:
    """The model is profiled anew; an index that the smaller output has not is refused."""
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Tanh()).eval()
    pfi = FaultInjection(model, 1, [1, 8, 8])
    place = {"layer_num": [0], "batch": [0], "dim1": [1], "dim3": [0], "value": [3]}
    near = pfi.declare_neuron_fault_injection(**place, dim2=[1])
    x = torch.randn(1, 1, 4, 5)
    expected = model[0](x)
    expected[0, 1, 1, 0] = 3
    assert torch.equal(near(x), torch.tanh(expected))
    far = pfi.declare_neuron_fault_injection(**place, dim2=[6])
    with pytest.raises(fw.IllegalFaultError):
        far(x)


def test_a_weight_that_is_computed() -> None:
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)))
    with pytest.warns(UserWarning, match="have no number"):
        pfi = FaultInjection(model, 1, [3], [nn.Linear])
    with pytest.raises(DeclarationError, match="the weight of 0 is computed in each forward"):
        pfi.declare_weight_fault_injection(layer_num=[0], k=[0], dim1=[0], value=[1])


def test_a_weight_that_nothing_reads() -> None:
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used = nn.Linear(3, 2)
            self.unused = nn.Linear(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.used(x)

    pfi = FaultInjection(Idle(), 1, [3], [nn.Linear])
    with pytest.raises(fw.IllegalFaultError, match=r"no operator of the network reads unused.weight"):
        pfi.declare_weight_fault_injection(layer_num=[1], k=[0], dim1=[0], value=[1])


def test_tied_weights() -> None:
    """Both layers that share a weight see the fault, whichever number names it."""
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    model[1].weight = model[0].weight
    pfi = FaultInjection(model, 1, [3], [nn.Linear])
    x = torch.randn(1, 3)
    weight = model[0].weight.detach().clone()
    weight[1, 2] = 4
    for layer in (0, 1):
        faulty = pfi.declare_weight_fault_injection(layer_num=[layer], k=[1], dim1=[2], value=[4])
        torch.testing.assert_close(faulty(x), x @ weight.T @ weight.T)


def test_layers_of_a_network_that_changes_with_its_input() -> None:
    class Deeper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv1d(1, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(x.shape[-1]):
                x = self.conv(x)
            return x

    pfi = FaultInjection(Deeper(), 1, [1, 3], [nn.Conv1d])
    assert pfi.get_total_layers() == 3
    faulty = pfi.declare_neuron_fault_injection(layer_num=[2], batch=[0], dim1=[0], dim2=[0], value=[1])
    with pytest.raises(OutOfBoundsError, match="layer 2 does not run on inputs of this shape"):
        faulty(torch.randn(1, 1, 2))
