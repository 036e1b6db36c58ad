// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace faultwave {

/// Outputs of one batch element, batch axis removed, as OutputPair has them.
using Outputs = std::vector<at::Tensor>;

/// What the outputs of a network are, as far as golden ones tell.
enum class OutputKind : uint8_t {
  scores,         ///< first output: a number for each of two or more classes
  probabilities,  ///< likewise, from 0 to 1 and summing to 1
  embedding,      ///< likewise in shape, but a vector of length 1 with negative values: a direction
  share,          ///< one output alone, a single number from 0 to 1
  number,         ///< first output: a single floating-point number
  detections,     ///< boxes, scores and classes, see detection.h
  integers,       ///< all outputs are integers or bools
  other,
};

/// Of all these inputs; what only some of them have does not count. None: other.
///
/// Rules. Detections: detections_of reads the outputs and all scores are from 0 to 1. Probabilities: each
/// from 0 to 1, and their sum within 1 % of 1. An embedding has at least 16 values, negative ones among them,
/// and an L2 norm within 0.1 % of 1 (1 % for types of 16 bits), as normalised vectors have and scores of
/// classes do not.
OutputKind kind_of_outputs(const std::vector<Outputs>& golden);

/// How many classes the first output holds scores of; 0 where it is no vector of two or more real numbers
/// (further axes of size 1 allowed).
int64_t class_count_of(const Outputs& outputs);

}  // namespace faultwave
