# SPDX-License-Identifier: Apache-2.0
"""Writes the names and shapes of torchvision's state dictionaries, one file a network: `python list_state_dicts.py`.

Needs torch and torchvision; the files are kept beside this script, so that the tests need neither.
"""

import pathlib

import torchvision.models as models

for name in ("alexnet", "resnet18", "mobilenet_v2"):
    network = getattr(models, name)()
    lines = []
    for key, tensor in network.state_dict().items():
        lines.append(" ".join([key, *map(str, tensor.shape)]) + "\n")
    (pathlib.Path(__file__).parent / f"{name}.txt").write_text("".join(lines))
