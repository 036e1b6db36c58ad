#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports torchvision networks with seeded random weights, for tools/compare_networks.py and tools/compare_zoo.py.

    python tools/export_torchvision.py OUT_DIR [NAME ...]

Needs torch and torchvision. Writes for each network NAME.pt2 (an exported program) and NAME.input.pt (a tensor
[2, 3, 224, 224], float32), and for a few of them NAME.pt (a TorchScript trace), NAME.state.pt (the state dict) and
NAME.output.pt (the scores that torchvision's network gives for the input, two threads). Files already there are kept.
"""

import argparse
import pathlib
import warnings

import torch
import torchvision.models as models

IMAGE_SIZE = 224
THREADS = 2

NETWORKS = {
    "alexnet": models.alexnet,
    "vgg16": models.vgg16,
    "resnet18": models.resnet18,
    "resnet50": models.resnet50,
    "densenet121": models.densenet121,
    "googlenet": lambda: models.googlenet(aux_logits=False, init_weights=False),
    "squeezenet1_1": models.squeezenet1_1,
    "shufflenet_v2_x1_0": models.shufflenet_v2_x1_0,
    "mobilenet_v2": models.mobilenet_v2,
    "mobilenet_v3_large": models.mobilenet_v3_large,
    "efficientnet_b0": models.efficientnet_b0,
    "vit_b_16": models.vit_b_16,
    "swin_t": models.swin_t,
    "convnext_tiny": models.convnext_tiny,
    "resnext50_32x4d": models.resnext50_32x4d,
    "regnet_y_400mf": models.regnet_y_400mf,
}

# Those whose norms have the statistics of their own activations. The others have drawn ones.
SETTLED = {"resnext50_32x4d", "regnet_y_400mf"}
SETTLING_BATCHES = 4

# Those of zoo/.
TRACED = {"alexnet", "resnet18", "mobilenet_v2"}


def make_values_matter(network: torch.nn.Module) -> None:
    """Replaces what a fresh network holds at zero or one, so that no operator is the identity by chance."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.0)
            torch.nn.init.normal_(module.bias, std=0.1)
        elif isinstance(module, torch.nn.Linear) and not module.weight.any():
            torch.nn.init.normal_(module.weight, std=0.02)
    for name, parameter in network.named_parameters():
        if name.endswith("layer_scale"):
            torch.nn.init.uniform_(parameter, 0.1, 0.5)


def settle_norms(network: torch.nn.Module) -> None:
    """Gives batch norms the mean statistics of some random batches, so that activations keep their size."""
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # all batches count alike
    network.train()
    generator = torch.Generator().manual_seed(3)
    for _ in range(SETTLING_BATCHES):
        network(torch.randn(8, 3, IMAGE_SIZE, IMAGE_SIZE, generator=generator))


def make_network(name: str) -> torch.nn.Module:
    torch.manual_seed(1)
    network = NETWORKS[name]()
    with torch.no_grad():
        make_values_matter(network)
        if name in SETTLED:
            settle_norms(network)
    return network.eval()


def export(network: torch.nn.Module, example: torch.Tensor) -> tuple[torch.export.ExportedProgram, str]:
    batch = torch.export.Dim("batch", min=1, max=4096)
    try:
        return torch.export.export(network, (example,), dynamic_shapes=({0: batch},)), "free batch"
    except Exception as error:  # the exporter raises many kinds where a network fixes its batch size
        print(f"  no free batch size: {str(error).splitlines()[0]}")
        return torch.export.export(network, (example,)), "fixed batch"


def export_to(folder: pathlib.Path, name: str) -> None:
    exported = folder / f"{name}.pt2"
    output = folder / f"{name}.output.pt"
    if exported.exists() and (name not in TRACED or output.exists()):
        return
    network = make_network(name)
    example = torch.randn(2, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program, batch = export(network, example)
        torch.export.save(program, exported)
        if name in TRACED:
            with torch.no_grad():
                torch.jit.trace(network, example).save(str(folder / f"{name}.pt"))
                torch.save(dict(network.state_dict()), folder / f"{name}.state.pt")
                torch.save(network(example), output)
    torch.save(example, folder / f"{name}.input.pt")
    print(f"{name}: {len(list(program.graph.nodes))} nodes, {batch}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help=f"which networks (all of them): {', '.join(NETWORKS)}")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in NETWORKS]
    if unknown:
        parser.error(f"unknown network {unknown[0]}; known: {', '.join(NETWORKS)}")
    torch.set_num_threads(THREADS)
    arguments.out_dir.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or NETWORKS:
        export_to(arguments.out_dir, name)


if __name__ == "__main__":
    main()
