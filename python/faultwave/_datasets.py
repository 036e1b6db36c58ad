# SPDX-License-Identifier: Apache-2.0
"""Inputs and labels from data sets and loaders of torch, read when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils import _pytree
from torch.utils.data import DataLoader, Dataset, IterableDataset, SequentialSampler, default_collate

from faultwave import _core
from faultwave._errors import InputError

_LABEL_KEYS = ("label", "labels")


def _is_integer(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.numel() == 1 and not (value.is_floating_point() or value.dtype == torch.bool)
    return hasattr(value, "__index__") and not isinstance(value, bool)


def split(item: Any, number: int) -> tuple[Any, int | None]:
    """What a model is called with, and the label, of one item of a data set."""
    if isinstance(item, Mapping):
        call = dict(item)
        for key in _LABEL_KEYS:
            if key in call and _is_integer(call[key]):
                return {name: value for name, value in call.items() if name != key}, int(call[key])
        return call, None
    if isinstance(item, tuple | list):
        if len(item) == 1:
            return item[0], None
        if len(item) == 2 and _is_integer(item[1]):
            return item[0], int(item[1])
        raise InputError(
            f"item {number} of the data set is a {type(item).__name__} of {len(item)}: expected a tensor, a pair of "
            "tensor and integer label, or a dictionary of tensors"
        )
    return item, None


class DatasetReader:
    """Reads the items of a data set, and keeps their labels."""

    def __init__(self, dataset: Dataset[Any], collate: Callable[[list[Any]], Any] | None) -> None:
        self._dataset = dataset
        self._collate = collate
        self._labels: dict[int, int | None] = {}

    def item(self, number: int) -> tuple[Any, int | None]:
        """The call and the label of an item, without a batch axis."""
        item = self._dataset[number]
        if self._collate is None:
            return split(item, number)
        batch = _pytree.tree_map(_only_row, self._collate([item]))
        return split(tuple(batch) if isinstance(batch, list) else batch, number)

    def read(self, number: int) -> list[torch.Tensor]:
        """The tensors of an item."""
        call, label = self.item(number)
        known = self._labels.setdefault(number, label)
        if known != label:
            raise InputError(
                f"the label of item {number} of the data set was {known} before and is {label} now"
            )
        tensors = _pytree.tree_leaves(call)
        for tensor in tensors:
            if not isinstance(tensor, torch.Tensor):
                raise InputError(
                    f"item {number} of the data set holds a {type(tensor).__name__}: expected tensors; a transform "
                    "such as torchvision.transforms.ToTensor() makes one of an image"
                )
        return tensors

    def labels(self) -> list[int] | None:
        """The label of each item, once all were read; None if they have none."""
        found = [self._labels[number] for number in sorted(self._labels)]
        labels = [label for label in found if label is not None]
        if not labels:
            return None
        if len(labels) != len(found):
            raise InputError(f"item {found.index(None)} of the data set has no label, and others have one")
        return labels


def _only_row(value: Any) -> Any:
    return value[0] if isinstance(value, torch.Tensor) and value.dim() > 0 else value


def _of_loader(loader: DataLoader[Any]) -> tuple[Dataset[Any], Callable[[list[Any]], Any] | None]:
    """The data set of a loader that goes through it in order, and how items become a batch if it is not the
    usual."""
    sampler = loader.sampler if loader.batch_sampler is not None else None
    if isinstance(loader.dataset, IterableDataset) or sampler is None:
        return loader.dataset, None
    if not isinstance(sampler, SequentialSampler):
        raise InputError(
            f"the DataLoader draws its items by a {type(sampler).__name__}, and a campaign numbers its inputs: give "
            "loader.dataset, or a DataLoader with shuffle=False"
        )
    return loader.dataset, None if loader.collate_fn is default_collate else loader.collate_fn


def open_dataset(source: Dataset[Any] | DataLoader[Any]) -> tuple[_core.InputSet, Any, list[int] | None]:
    """The inputs, a call as an example, and the labels. Reads each item once, and some again.

    Raises InputError for a data set without numbers, one that is empty, items that are no tensors or of
    differing shapes, and items that are others when they are read again.
    """
    dataset, collate = _of_loader(source) if isinstance(source, DataLoader) else (source, None)
    if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
        raise InputError(
            f"the data set ({type(dataset).__name__}) has no items by number, which trials refer to: give a list of "
            "its items, or a data set with __len__ and __getitem__"
        )
    size = len(dataset)
    if size == 0:
        raise InputError("the data set holds no items: expected at least one")
    reader = DatasetReader(dataset, collate)
    call, _ = reader.item(0)
    tensors = len(reader.read(0))
    core = _core.inputs_from_reader(size, reader.read, [0] * tensors)
    core.fingerprint()
    for number in {0, size // 2, size - 1}:
        core.get(number)
    return core, call, reader.labels()
