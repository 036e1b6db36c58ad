# SPDX-License-Identifier: Apache-2.0
"""One of the processes that `Campaign.run(processes=...)` starts. Not for people."""

from __future__ import annotations

import argparse
import pickle
import sys
from multiprocessing import spawn

import torch

from faultwave import _core, _workers


def _arguments() -> argparse.Namespace:
    # As the program's worker takes them (src/workers/worker_pool.cpp).
    parser = argparse.ArgumentParser()
    parser.add_argument("campaign")
    parser.add_argument("database")
    for name in ("--socket", "--page", "--threads", "--memory"):
        parser.add_argument(name, type=int, required=True)
    return parser.parse_args()


def main() -> None:
    """Makes the campaign again, and runs the blocks that it is told to."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    _workers.in_worker = True
    with open(arguments.campaign, "rb") as file:
        preparation, content = pickle.load(file)
    sys.argv = preparation.get("sys_argv", sys.argv)
    spawn.prepare(preparation)
    recipe = pickle.loads(content)
    recipe["memory"] = arguments.memory << 20

    from faultwave._campaign import Campaign

    campaign = Campaign(**recipe)
    store = _core.Store.open(arguments.database)
    core = campaign._as_begun(store, arguments.database)
    with campaign._subject.running():
        _core.serve_blocks(core, store, arguments.socket, arguments.page)


if __name__ == "__main__":
    # Where Python runs a module by its name, the package has it under this name as well.
    sys.modules["faultwave._worker"] = sys.modules["__main__"]
    main()
