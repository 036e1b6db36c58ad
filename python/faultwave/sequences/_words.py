# SPDX-License-Identifier: Apache-2.0
"""Text: transcripts, their normal form, and word errors."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from faultwave._errors import InputError
from faultwave.sequences._edits import fewest_edits

Texts = str | Sequence[str]


def normalized(text: str) -> str:
    """A text as speech recognition compares it: lower case, no punctuation, single spaces.

    Letters, digits and the apostrophes within words stay. All else separates words, so that `ill-disposed` becomes two.
    Numbers are not spelt out. Characters are in Unicode's form NFKC.

    Example:
        >>> normalized("He didn’t  go -- not yet.")
        "he didn't go not yet"
    """
    text = unicodedata.normalize("NFKC", _text(text, "the text")).lower().replace("\u2019", "'")
    # Letters, marks (accents, vowel signs) and numbers, by the first character of Unicode's category.
    kept = "".join(c if c == "'" or unicodedata.category(c)[0] in "LMN" else " " for c in text)
    words = (word.strip("'") for word in kept.split())
    return " ".join(word for word in words if word)


def texts_equal(golden: str, faulty: str, *, normalize: bool = False) -> bool:
    """Whether two texts are the same, character for character, or with `normalize` the same in `normalized` form.

    Example:
        >>> texts_equal("Go on!", "go on"), texts_equal("Go on!", "go on", normalize=True)
        (False, True)
    """
    golden, faulty = _text(golden, "golden"), _text(faulty, "faulty")
    return normalized(golden) == normalized(faulty) if normalize else golden == faulty


@dataclass(frozen=True)
class WordErrors:
    """How a transcript differs from what was said, in words; transcripts of a corpus are added up with `+`.

    Of the alignments with the fewest errors the one with the most substitutions is counted, so that the three numbers
    are unique.
    """

    substitutions: int
    deletions: int
    insertions: int
    words: int  # of the reference

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """The word error rate: errors / words of the reference. May be above 1. InputError if there are no words."""
        if self.words == 0:
            raise InputError(
                "the reference holds no words, so that no word error rate is defined; leave it out, or count its "
                "insertions with word_errors()"
            )
        return self.errors / self.words

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.words + other.words,
        )


def word_errors(reference: Texts, hypothesis: Texts, *, normalize: bool = True) -> WordErrors:
    """Substituted, deleted and inserted words, by the alignment with the fewest of them (Levenshtein, 1966).

    Args:
        reference: what was said; or the texts of a corpus, whose errors and words are added.
        hypothesis: the transcript, or as many of them, in the same order.
        normalize: whether both are `normalized` first. Words are else what stands between white space.

    Example:
        >>> word_errors("the cat sat on the mat", "The cat sat, on mat today.")
        WordErrors(substitutions=2, deletions=0, insertions=0, words=6)
    """
    total = WordErrors(0, 0, 0, 0)
    for said, heard in _pairs(reference, hypothesis):
        total += _word_errors(_words(said, normalize), _words(heard, normalize))
    return total


def word_error_rate(reference: Texts, hypothesis: Texts, *, normalize: bool = True) -> float:
    """Errors / words of the reference: (substitutions + deletions + insertions) / words. May be above 1.

    Over a corpus it is all errors over all words, which is not the mean of the texts' rates.

    Args:
        reference: what was said, or the texts of a corpus.
        hypothesis: the transcript, or as many of them, in the same order.
        normalize: whether both are `normalized` first. Words are else what stands between white space.

    Raises:
        InputError: the reference holds no words, or the numbers of texts differ.

    Example:
        >>> word_error_rate("one two three four", "one too three")
        0.5
        >>> word_error_rate(["one two three", "four"], ["one two three", "for"])
        0.25
    """
    return word_errors(reference, hypothesis, normalize=normalize).rate


def _word_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> WordErrors:
    substitutions, gaps = fewest_edits(reference, hypothesis)
    # Deletions and insertions differ by the lengths.
    deletions = (gaps + len(reference) - len(hypothesis)) // 2
    return WordErrors(substitutions, deletions, gaps - deletions, len(reference))


def _words(text: str, normalize: bool) -> list[str]:
    return (normalized(text) if normalize else text).split()


def _pairs(reference: Texts, hypothesis: Texts) -> list[tuple[str, str]]:
    if isinstance(reference, str) and isinstance(hypothesis, str):
        return [(reference, hypothesis)]
    if isinstance(reference, str) or isinstance(hypothesis, str):
        raise InputError(
            "reference and hypothesis: expected two texts, or two lists of them, and got one of each"
        )
    if len(reference) != len(hypothesis):
        raise InputError(
            f"there are {len(reference)} references and {len(hypothesis)} hypotheses; give one hypothesis a reference, "
            "an empty text where nothing was recognised"
        )
    return [
        (_text(said, f"reference {i}"), _text(heard, f"hypothesis {i}"))
        for i, (said, heard) in enumerate(zip(reference, hypothesis))
    ]


def _text(text: str, name: str) -> str:
    if not isinstance(text, str):
        raise InputError(f"{name}: expected a text, and got a {type(text).__name__}")
    return text
