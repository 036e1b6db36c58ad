# SPDX-License-Identifier: Apache-2.0
"""How faults change what a language model predicts and writes: perplexity, and text under greedy decoding.

    pip download --no-deps --no-binary :all: textgenrnn==2.0.0 && tar xzf textgenrnn-2.0.0.tar.gz
    pip install h5py
    python language_model_faults.py --textgenrnn textgenrnn-2.0.0/textgenrnn --faults 200

takes a small LSTM over characters. `--gemma FILE.gguf` takes the transformer Gemma 3 270M instead, for those who have
accepted its terms (models/gemma.py). Trials that change the text are printed with the line that replays them.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from support import Target, draw, print_table, told, with_interval

import faultwave as fw
from faultwave import sequences

HARMFUL = 1.1  # a ratio of perplexities
PROMPT = "The best way"
TEXT = "The best way to make a new game is to see what people are looking for in the world of the Internet"


class LanguageModel(Protocol):
    """What the study asks of a model; `models/` has two."""

    network: torch.nn.Module

    def encode(self, text: str) -> list[int]: ...
    def decode(self, tokens: list[int]) -> str: ...
    def score(self, tokens: list[int]) -> torch.Tensor: ...
    def generate(self, prompt: list[int], count: int) -> list[int]: ...


@dataclass
class Outcome:
    """What the faults of one target did: a number a trial, first_tokens for changed texts alone."""

    trials: int = 0
    ratios: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    first_tokens: list[int] = field(default_factory=list)


class Study:
    """A model, its golden text and predictions, and its injector."""

    def __init__(self, model: LanguageModel, injector: fw.Injector, length: int) -> None:
        self.model, self.injector, self.length = model, injector, length
        self.prompt, self.text = model.encode(PROMPT), model.encode(TEXT)
        injector.learn(lambda: model.generate(self.prompt, length))
        self.golden = model.generate(self.prompt, length)
        self.predicted = model.score(self.text)

    def try_target(self, target: Target, error: str, faults: int, seed: int) -> Outcome:
        """Each fault meets the text, unless it belongs to a step of writing, and then the prompt."""
        outcome = Outcome()
        for fault in draw(self.injector, target, error, faults, seed):
            outcome.trials += 1
            if not target.forwards:
                with self.injector.armed(fault):
                    predicted = self.model.score(self.text)
                outcome.ratios.append(sequences.perplexity_ratio(self.predicted, predicted, self.text[1:]))
            with self.injector.armed(fault) as armed:
                tokens = self.model.generate(self.prompt, self.length)
            first = sequences.first_divergent_token(self.golden, tokens)
            outcome.shares.append(sequences.tokens_that_differ(self.golden, tokens))
            if first is not None:
                outcome.first_tokens.append(first)
                print(f"{fault}\n    {told(armed.receipts[0])}", flush=True)
                print(f"    from token {first}: {self.model.decode(tokens)!r}", flush=True)
        return outcome


def _row(target: Target, outcome: Outcome) -> list[str]:
    # NaN is harmful, too.
    harmful = sum(not ratio < HARMFUL for ratio in outcome.ratios)
    return [
        target.name,
        str(outcome.trials),
        with_interval(harmful, outcome.trials) if outcome.ratios else "",
        with_interval(len(outcome.first_tokens), outcome.trials),
        f"{statistics.median(outcome.first_tokens):.0f}" if outcome.first_tokens else "",
        f"{100 * statistics.mean(outcome.shares):.1f}",
    ]


def _textgenrnn(folder: Path) -> tuple[LanguageModel, fw.Injector, list[Target]]:
    from models.textgenrnn import LENGTH, CharacterModel

    model = CharacterModel(folder)
    targets = [
        Target("weights", "weight", "*"),
        Target("LSTM's outputs, each step", "output", "rnn?"),
        Target("step 0: LSTM's outputs", "output", "rnn?", "0"),
        Target("step 5: LSTM's outputs", "output", "rnn?", "5"),
        Target("step 5: attention scores", "input", "*softmax", "5"),
        Target("step 5: logits", "output", "output", "5"),
    ]
    return model, fw.Injector(model.network, torch.zeros(1, LENGTH, dtype=torch.long)), targets


def _gemma(file: Path) -> tuple[LanguageModel, fw.Injector, list[Target]]:
    from models.gemma import GemmaModel, empty_cache

    model = GemmaModel(file)
    targets = [
        Target("weights", "weight", "*"),
        Target("MLP's outputs, each step", "output", "*.down"),
        Target("prefill: attention scores", "input", "*softmax", "0"),
        Target("step 5: attention scores", "input", "*softmax", "5"),
        Target("step 5: cached keys and values", "network-input", "cache.*", "5"),
        Target("step 5: logits", "output", "head", "5"),
    ]
    # A step with a cache has all sites; the study's loop shows which lengths vary.
    with torch.no_grad():
        _, cache = model.network(torch.tensor([model.encode(PROMPT)]), empty_cache())
    return model, fw.Injector(model.network, torch.tensor([[1]]), cache), targets


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    network = parser.add_mutually_exclusive_group(required=True)
    network.add_argument(
        "--textgenrnn", type=Path, metavar="FOLDER", help="folder of its weights and vocabulary"
    )
    network.add_argument("--gemma", type=Path, metavar="FILE", help="GGUF file of Gemma 3 270M")
    parser.add_argument("--error", default="flip", help="error model, as in a fault line")
    parser.add_argument("--faults", type=int, default=200, help="a target")
    parser.add_argument("--tokens", type=int, default=40, help="to write in each trial")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    opened = _textgenrnn(arguments.textgenrnn) if arguments.textgenrnn else _gemma(arguments.gemma)
    model, injector, targets = opened
    study = Study(model, injector, arguments.tokens)
    perplexity = sequences.perplexity(study.predicted, study.text[1:])
    print(f"perplexity {perplexity:.2f}; golden: {PROMPT + model.decode(study.golden)!r}")
    rows = []
    for target in targets:
        outcome = study.try_target(target, arguments.error, arguments.faults, arguments.seed)
        rows.append(_row(target, outcome))
        print(f"{target.name}: {len(outcome.first_tokens)} of {outcome.trials} texts changed", flush=True)
    print(f"\n{arguments.error}; in percent, 95 % intervals; first token: the median of changed texts")
    harmful = f"perplexity x {HARMFUL}"
    print_table(["where", "faults", harmful, "text changed", "first token", "tokens that differ"], rows)


if __name__ == "__main__":
    main()
