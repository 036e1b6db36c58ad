# SPDX-License-Identifier: Apache-2.0
"""What a fault did to generated tokens, to text and to a language model's predictions.

Plain functions of what a fault-free ("golden") run and a faulty run gave: identifiers of tokens, texts, or logits. They
change nothing that they are given, and raise InputError, with one sentence, for what cannot be measured.

A campaign on a network that returns logits takes `perplexity_ratio_above` and `predictions_differ_above` as criteria.
"""

from faultwave.sequences._criteria import perplexity_ratio_above, predictions_differ_above
from faultwave.sequences._predictions import kl_divergence, perplexity, perplexity_ratio
from faultwave.sequences._tokens import Tokens, first_divergent_token, token_edit_distance, tokens_that_differ
from faultwave.sequences._words import (
    Texts,
    WordErrors,
    normalized,
    texts_equal,
    word_error_rate,
    word_errors,
)

__all__ = [
    "Texts",
    "Tokens",
    "WordErrors",
    "first_divergent_token",
    "kl_divergence",
    "normalized",
    "perplexity",
    "perplexity_ratio",
    "perplexity_ratio_above",
    "predictions_differ_above",
    "texts_equal",
    "token_edit_distance",
    "tokens_that_differ",
    "word_error_rate",
    "word_errors",
]
