# SPDX-License-Identifier: Apache-2.0
"""Texts in their normal form, and errors of words counted by hand."""

from __future__ import annotations

import pytest

import faultwave as fw
from faultwave import sequences
from faultwave.sequences import WordErrors


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", ""),
        ("  --  ", ""),
        ("Mister John Dashwood had,\tthen, leisure.", "mister john dashwood had then leisure"),
        ("an ill-disposed man", "an ill disposed man"),
        ("He didn’t; 'twas the dogs' own.", "he didn't twas the dogs own"),
        ("snake_case + 3.5", "snake case 3 5"),
        ("CAFE\u0301 \ufb01ne", "caf\u00e9 fine"),  # a combining accent, a ligature
        ("हिन्दी।", "हिन्दी"),  # vowel signs are parts of words
    ],
)
def test_the_normal_form(text: str, normal: str) -> None:
    assert sequences.normalized(text) == normal
    assert sequences.normalized(normal) == normal


def test_texts_are_equal_as_they_stand_or_in_normal_form() -> None:
    assert sequences.texts_equal("a b", "a b")
    assert not sequences.texts_equal("a b", "a  b")
    assert sequences.texts_equal("A b.", "a  b", normalize=True)
    assert not sequences.texts_equal("a b", "ab", normalize=True)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "substitutions", "deletions", "insertions"),
    [
        ("the cat sat", "the cat sat", 0, 0, 0),
        ("the cat sat", "the bat sat", 1, 0, 0),
        ("the cat sat", "the sat", 0, 1, 0),
        ("the cat sat", "the cat it sat", 0, 0, 1),
        ("the cat sat", "", 0, 3, 0),
        # Three errors in either of two alignments: the for a, on deleted, red inserted; or three substitutions.
        ("the cat sat on the mat", "a cat sat the red mat", 3, 0, 0),
        ("one two three", "four", 1, 2, 0),
        ("one", "one one one one one", 0, 0, 4),  # a loop, as faulty decoders fall into
    ],
)
def test_word_errors(
    reference: str, hypothesis: str, substitutions: int, deletions: int, insertions: int
) -> None:
    found = sequences.word_errors(reference, hypothesis)
    assert found == WordErrors(substitutions, deletions, insertions, words=len(reference.split()))
    assert found.errors == found.substitutions + found.deletions + found.insertions
    assert sequences.word_error_rate(reference, hypothesis) == found.errors / found.words


def test_a_rate_may_be_above_one() -> None:
    assert sequences.word_error_rate("one", "two three four") == 3.0


def test_a_corpus_is_counted_as_a_whole() -> None:
    references = ["one two three", "four", ""]
    hypotheses = ["one two three", "for", "noise"]
    found = sequences.word_errors(references, hypotheses)
    assert found == WordErrors(substitutions=1, deletions=0, insertions=1, words=4)
    assert sequences.word_error_rate(references, hypotheses) == 0.5  # not the mean of rates


def test_the_normal_form_may_be_left_out() -> None:
    assert sequences.word_error_rate("Go on.", "go on", normalize=True) == 0.0
    assert sequences.word_error_rate("Go on.", "go on", normalize=False) == 1.0
    assert sequences.word_error_rate("go  on", "go on", normalize=False) == 0.0


@pytest.mark.parametrize(
    ("reference", "hypothesis", "message"),
    [
        ("...", "one", "the reference holds no words, so that no word error rate is defined"),
        ([], [], "holds no words"),
        (["one", "two"], ["one"], "there are 2 references and 1 hypotheses"),
        ("one", ["one"], "expected two texts, or two lists of them, and got one of each"),
        (["one"], [3], "hypothesis 0: expected a text, and got a int"),
        ([b"one"], ["one"], "reference 0: expected a text, and got a bytes"),
    ],
)
def test_what_has_no_rate(reference: object, hypothesis: object, message: str) -> None:
    with pytest.raises(fw.InputError, match=message):
        sequences.word_error_rate(reference, hypothesis)  # type: ignore[arg-type]


def test_what_is_no_text() -> None:
    with pytest.raises(fw.InputError, match="the text: expected a text, and got a int"):
        sequences.normalized(3)  # type: ignore[arg-type]
    with pytest.raises(fw.InputError, match="faulty: expected a text, and got a NoneType"):
        sequences.texts_equal("a", None)  # type: ignore[arg-type]
