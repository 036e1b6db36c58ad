// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/error_model.h"

#include "tests/support/expect_error.h"

namespace faultwave::test {

using Words = std::vector<uint64_t>;

/// A 1-D tensor whose memory holds these words, and the words that a tensor's memory holds. Plain copies of
/// bytes.
at::Tensor from_words(at::ScalarType dtype, const Words& words);
Words to_words(const at::Tensor& values);

/// What a model makes of these words; draws from Draw(key). Checks the model first.
Words apply_to_words(const ErrorModelPtr& model, at::ScalarType dtype, const Words& words, uint64_t key = 0);

/// Likewise with values of FP32.
std::vector<float> apply_to_floats(const ErrorModelPtr& model, const std::vector<float>& values,
                                   uint64_t key = 0);

/// What check() says of values of this type at site conv1.
inline std::string refusal(const ErrorModelPtr& model, at::ScalarType dtype) {
  return error_of(ErrorCode::illegal_fault, [&] { model->check({"conv1", dtype, std::nullopt}); });
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Whether `text` holds `part`; the test prints both otherwise.
#define CHECK_HOLDS(text, part) CHECK_MESSAGE((text).find(part) != std::string::npos, (text))

}  // namespace faultwave::test
