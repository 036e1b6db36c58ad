# SPDX-License-Identifier: Apache-2.0
"""The module of error models that PyTorchFI had before 0.6.0: those for neurons and those for weights."""

from faultwave.pytorchfi.neuron_error_models import (
    random_batch_element,
    random_inj_per_layer,
    random_inj_per_layer_batched,
    random_neuron_inj,
    random_neuron_inj_batched,
    random_neuron_location,
    random_neuron_single_bit_inj,
    random_neuron_single_bit_inj_batched,
    single_bit_flip_func,
)
from faultwave.pytorchfi.util import random_value
from faultwave.pytorchfi.weight_error_models import (
    multi_weight_inj,
    random_weight_inj,
    random_weight_location,
    zero_func_rand_weight,
)

zeroFunc_rand_weight = zero_func_rand_weight

__all__ = [
    "multi_weight_inj",
    "random_batch_element",
    "random_inj_per_layer",
    "random_inj_per_layer_batched",
    "random_neuron_inj",
    "random_neuron_inj_batched",
    "random_neuron_location",
    "random_neuron_single_bit_inj",
    "random_neuron_single_bit_inj_batched",
    "random_value",
    "random_weight_inj",
    "random_weight_location",
    "single_bit_flip_func",
    "zeroFunc_rand_weight",
    "zero_func_rand_weight",
]
