# SPDX-License-Identifier: Apache-2.0
"""Scopes among threads, tasks, forks and modes of torch: a fault acts where it was armed, or somebody is told."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest
import torch
from support.tiny_networks import convolutional

import faultwave as fw

LINE = "output:3[1]@0 constant(9)"


@pytest.fixture
def model() -> torch.nn.Module:
    return convolutional()


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(2, 3, 8, 8)


@pytest.fixture
def injector(model: torch.nn.Module, x: torch.Tensor) -> fw.Injector:
    return fw.Injector(model, x)


def is_faulty(scores: torch.Tensor) -> bool:
    return scores[0, 1].item() == 9.0


def test_each_thread_has_its_own_faults(
    injector: fw.Injector, model: torch.nn.Module, x: torch.Tensor
) -> None:
    wrong: list[object] = []

    def work(neuron: int) -> None:
        for _ in range(20):
            with injector.armed(f"output:3[{neuron}]@0 constant({neuron + 20})") as armed:
                scores = model(x)[0]
            hit = [i for i in range(10) if scores[i].item() == i + 20]
            if hit != [neuron] or armed.receipts[0].hits != 1:
                wrong.append((neuron, hit))

    threads = [threading.Thread(target=work, args=(neuron,)) for neuron in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not is_faulty(model(x))


def test_a_scope_that_ends_on_another_thread(
    injector: fw.Injector, model: torch.nn.Module, x: torch.Tensor
) -> None:
    armed = injector.armed(LINE).__enter__()
    assert is_faulty(model(x))
    caught: list[Exception] = []

    def leave() -> None:
        try:
            armed.__exit__(None, None, None)
        except fw.UsageError as error:
            caught.append(error)

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    assert len(caught) == 1 and "end the scope on the thread that began it" in str(caught[0])
    assert not is_faulty(model(x))
    with injector.armed(LINE):
        assert is_faulty(model(x))


def test_a_scope_that_is_dropped_on_another_thread(
    injector: fw.Injector, model: torch.nn.Module, x: torch.Tensor
) -> None:
    box = [injector.armed(LINE).__enter__()]
    assert is_faulty(model(x))
    thread = threading.Thread(target=box.clear)
    thread.start()
    thread.join()
    assert not is_faulty(model(x))
    with injector.armed(LINE):
        assert is_faulty(model(x))


def test_tasks_may_arm_faults_but_not_await(
    injector: fw.Injector, model: torch.nn.Module, x: torch.Tensor
) -> None:
    async def short() -> bool:
        with injector.armed(LINE):
            faulty = is_faulty(model(x))
        await asyncio.sleep(0)
        return faulty and not is_faulty(model(x))

    async def long() -> None:
        with injector.armed(LINE):
            assert is_faulty(model(x))
            await asyncio.sleep(0)
            assert not is_faulty(model(x))

    assert asyncio.run(short())
    with pytest.raises(fw.UsageError, match="armed across an await"):
        asyncio.run(long())
    assert not is_faulty(model(x))


def test_modes_of_torch(injector: fw.Injector, model: torch.nn.Module, x: torch.Tensor) -> None:
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode, injector.armed(LINE):
            assert is_faulty(model(x))
        with injector.armed(LINE), mode:
            assert is_faulty(model(x))
        assert not is_faulty(model(x))


def test_a_mode_that_ends_within_the_scope(
    injector: fw.Injector, model: torch.nn.Module, x: torch.Tensor
) -> None:
    mode = torch.inference_mode()
    mode.__enter__()
    with pytest.raises(fw.UsageError, match="end them in the opposite order"), injector.armed(LINE):
        model(x)
        mode.__exit__(None, None, None)
    assert not is_faulty(model(x))


def test_a_mode_that_ends_after_the_scope(
    injector: fw.Injector, model: torch.nn.Module, x: torch.Tensor
) -> None:
    mode = torch.inference_mode()
    with injector.armed(LINE):
        mode.__enter__()
        model(x)
    mode.__exit__(None, None, None)
    assert not is_faulty(model(x))
    with injector.armed(LINE):
        assert is_faulty(model(x))


def test_autocast(model: torch.nn.Module, x: torch.Tensor) -> None:
    with torch.autocast("cpu"):
        model(x)  # fills the cache of weights
        injector = fw.Injector(model, x)
        assert injector.batch_is_free
        assert injector.site("3").dtype == torch.bfloat16
        with injector.armed(LINE):
            assert is_faulty(model(x))
    with pytest.raises(
        fw.IllegalFaultError, match="profile the network with an input like the ones it runs on"
    ):
        injector.run(LINE, x)


def test_a_fork_begins_without_faults(injector: fw.Injector, model: torch.nn.Module, x: torch.Tensor) -> None:
    with injector.armed(LINE):
        assert is_faulty(model(x))
        child = os.fork()
        if child == 0:
            torch.set_num_threads(1)  # the threads of OpenMP are not in a fork
            os._exit(1 if is_faulty(model(x)) else 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert is_faulty(model(x))


class Scored(torch.utils.data.Dataset[bool]):
    """Whether the model is faulty in whoever reads this."""

    def __init__(self, model: torch.nn.Module, x: torch.Tensor) -> None:
        self._model, self._x = model, x

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> bool:
        if index >= len(self):
            raise IndexError(index)
        return is_faulty(self._model(self._x))


def test_workers_of_a_loader_begin_without_faults(
    injector: fw.Injector, model: torch.nn.Module, x: torch.Tensor
) -> None:
    with injector.armed(LINE):
        assert is_faulty(model(x))
        loader = torch.utils.data.DataLoader(Scored(model, x), batch_size=None, num_workers=2)
        assert not any(loader)
