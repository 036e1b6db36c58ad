# SPDX-License-Identifier: Apache-2.0
"""Inputs and labels in all the forms that people have them in."""

from __future__ import annotations

import pathlib

import networks
import numpy
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import faultwave as fw


def outcomes(model: torch.nn.Module, inputs: object, labels: object = None) -> dict[str, int]:
    campaign = fw.Campaign(model, inputs, labels, trials=200, seed=3, criteria="top1")
    return campaign.run(progress=False).outcomes


def test_all_forms_are_the_same_inputs(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    expected = outcomes(model, images)
    assert outcomes(model, images.numpy()) == expected
    assert outcomes(model, TensorDataset(images)) == expected
    assert outcomes(model, networks.Pairs(images, labels)) == expected
    assert outcomes(model, DataLoader(networks.Pairs(images, labels), batch_size=5)) == expected
    assert outcomes(model, list(images.split(1))) == expected
    numpy.save(tmp_path / "images.npy", images.numpy())
    assert outcomes(model, tmp_path / "images.npy") == expected


def test_a_data_set_and_a_tensor_have_one_fingerprint(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor, tmp_path: pathlib.Path
) -> None:
    fw.Campaign(model, images, labels, trials=200, block=64).run(tmp_path / "a.db", progress=False)
    pairs = networks.Pairs(images, labels)
    assert fw.Campaign(model, pairs, trials=200, block=64).resume(tmp_path / "a.db").ended == "trials"


def test_labels_come_from_pairs(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    pairs = networks.Pairs(images, labels)
    by_pairs = fw.Campaign(model, DataLoader(pairs), trials=300, criteria="top1").run(progress=False)
    by_hand = fw.Campaign(model, images, labels, trials=300, criteria="top1").run(progress=False)
    assert by_pairs.accuracy.golden == by_hand.accuracy.golden == 11 / 12
    assert by_pairs.accuracy.faulty == by_hand.accuracy.faulty


def test_only_right_inputs(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    table = (
        fw.Campaign(model, images, labels, only_right=True, trials=300)
        .run(progress=False)
        .trials.to_dataframe()
    )
    assert 11 not in set(table.input)


def test_a_custom_collate_function_is_used(model: torch.nn.Module, images: torch.Tensor) -> None:
    halves = TensorDataset(images / 2)
    loader = DataLoader(halves, collate_fn=lambda items: 2 * torch.stack([item[0] for item in items]))
    assert outcomes(model, loader) == outcomes(model, images)


def test_dictionaries_with_labels(labels: torch.Tensor) -> None:
    class Named(networks.Pairs):
        def __getitem__(self, number: int) -> dict:
            values = self.inputs[number]
            return {"values": values, "mask": torch.ones_like(values), "label": self.labels[number]}

    campaign = fw.Campaign(
        networks.TwoInputs(), Named(torch.randn(12, 6), labels % 4), trials=50, criteria="top1"
    )
    assert campaign.run(progress=False).accuracy is not None


def test_a_list_of_inputs_is_called_one_by_one() -> None:
    inputs = [(torch.randn(1, 6), torch.ones(1, 6)) for _ in range(4)]
    assert (
        fw.Campaign(networks.TwoInputs(), inputs, trials=50, criteria="differs(0.1)")
        .run(progress=False)
        .trials_done
    )


class Endless(IterableDataset):
    def __iter__(self):
        yield torch.zeros(3, 8, 8)


class Random(networks.Pairs):
    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        return self.inputs[number] + torch.randn(()), 0


class Uneven(networks.Pairs):
    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        return self.inputs[number][:, : 8 - number % 2], 0


class Failing(networks.Pairs):
    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        if number == 7:
            raise OSError("the disk is gone")
        return super().__getitem__(number)


def refused(model: torch.nn.Module, inputs: object, labels: object = None) -> str:
    with pytest.raises(fw.InputError) as caught:
        fw.Campaign(model, inputs, labels, trials=10)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_refused_inputs(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    pairs = networks.Pairs(images, labels)
    assert "RandomSampler" in refused(model, DataLoader(pairs, shuffle=True))
    assert "has no items by number" in refused(model, Endless())
    assert "input 0 is not what it was when it was read before" in refused(model, Random(images, labels))
    assert "pad them to one shape" in refused(model, Uneven(images, labels))
    assert "input 7 cannot be read: OSError: the disk is gone" in refused(model, Failing(images, labels))
    assert "holds no items" in refused(model, networks.Pairs(images[:0], labels[:0]))
    assert "is a int: expected a tensor whose first axis" in refused(model, 3)
    assert "is an empty list" in refused(model, [])
    assert "input 1 is a str" in refused(model, [images[:1], "two"])
    assert "on the device 'meta'" in refused(model, images.to("meta"))
    assert "pad them to one shape" in refused(model, [images[:1], images[:1, :, :4]])
    assert "/nowhere/images.npy" in refused(model, "/nowhere/images.npy")


def test_refused_labels(model: torch.nn.Module, images: torch.Tensor) -> None:
    assert "there are 3 labels for 12 inputs" in refused(model, images, [1, 2, 3])
    assert "labels are float32 of shape [12]: expected one integer" in refused(model, images, torch.zeros(12))
    assert "labels are int64 of shape [12, 1]" in refused(
        model, images, torch.zeros(12, 1, dtype=torch.int64)
    )
