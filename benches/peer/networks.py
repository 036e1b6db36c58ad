# SPDX-License-Identifier: Apache-2.0
"""The networks of the benches: as modules for PyTorchFI, and as exported programs with an input for
Faultwave.

Those of torchvision have seeded weights and a random input; EfficientNet-Lite0 has its ImageNet weights
(tools/requirements-demo.txt) and takes a photograph of the demo.
"""

import pathlib
import sys

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import export_torchvision  # noqa: E402

TRAINED = "efficientnet_lite0"
PHOTOGRAPH = ROOT / "build/demo/photos/cat.png"
# In the order of the charts.
NAMES = (
    "alexnet",
    "vgg16",
    "resnet18",
    "resnet50",
    "densenet121",
    "googlenet",
    "squeezenet1_1",
    "shufflenet_v2_x1_0",
    "mobilenet_v2",
    "efficientnet_b0",
    TRAINED,
    "vit_b_16",
    "swin_t",
    "resnext50_32x4d",
    "regnet_y_400mf",
    "convnext_tiny",
)
TRANSFORMERS = {"vit_b_16", "swin_t"}  # one convolution each, so their linear layers count too

# What owns parameters in the convolutional networks: Faultwave's default sites.
OWNERS = [torch.nn.Conv2d, torch.nn.Linear, torch.nn.BatchNorm2d]


def layer_types(name: str) -> list[type]:
    """Those that PyTorchFI is told to count where faults are drawn layer first."""
    return [torch.nn.Conv2d, torch.nn.Linear] if name in TRANSFORMERS else [torch.nn.Conv2d]


class LeafConvolution(torch.nn.Conv2d):
    """A convolution that pads by itself. PyTorchFI looks at modules without children only, and would not
    see the convolutions of EfficientNet-Lite0, whose padding is a child."""

    @classmethod
    def of(cls, layer: torch.nn.Conv2d) -> "LeafConvolution":
        sizes = (layer.in_channels, layer.out_channels, layer.kernel_size)
        leaf = cls(*sizes, layer.stride, 0, layer.dilation, layer.groups)
        leaf.weight, leaf.bias = layer.weight, layer.bias
        leaf.before = getattr(layer.static_padding, "padding", (0, 0, 0, 0))
        return leaf

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(torch.nn.functional.pad(x, self.before))


def make_leaves(module: torch.nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, torch.nn.Conv2d) and list(child.children()):
            setattr(module, name, LeafConvolution.of(child))
        else:
            make_leaves(child)


def for_peer(name: str) -> torch.nn.Module:
    """The network as PyTorchFI takes it; modules have the same names as in the exported program."""
    if name != TRAINED:
        return export_torchvision.make_network(name)
    import make_demo

    network = make_demo.open_network()
    make_leaves(network)
    return network


def export_trained(folder: pathlib.Path) -> None:
    import make_demo
    from PIL import Image

    if not PHOTOGRAPH.exists():
        raise SystemExit(f"{PHOTOGRAPH} is missing; `make demo` makes it")
    torch.save(make_demo.preprocess(Image.open(PHOTOGRAPH))[None], folder / f"{TRAINED}.input.pt")
    make_demo.export_network(folder / f"{TRAINED}.pt2")


def export(folder: pathlib.Path, name: str) -> None:
    """Writes NAME.pt2 and NAME.input.pt, of which the benches take the first image."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == TRAINED:
        export_trained(folder)
    else:
        export_torchvision.export_to(folder, name)
