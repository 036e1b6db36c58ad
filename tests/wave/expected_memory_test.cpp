// SPDX-License-Identifier: Apache-2.0
#include "src/wave/expected_memory.h"

#include <torch/torch.h>

#include <doctest/doctest.h>

#include "tests/wave/made_shadows.h"

namespace faultwave::wave {
namespace {

constexpr detail::TensorPlace kFirst{0, -1};
constexpr double kCopies = 1.25;

/// A 3x3 convolution of a map of 8 x 8 pixels, from 2 to 5 channels.
struct Convolution {
  at::Tensor in = at::ones({1, 2, 8, 8});
  at::Tensor weight = at::ones({5, 2, 3, 3});
  c10::OperatorHandle op = operator_called("aten::conv2d");

  Call call(const Shadow& shadow) const {
    const at::IntArrayRef one = {1, 1};
    return call_of(op, {in, weight, at::Tensor(), one, one, one, 1}, at::conv2d(in, weight, {}, 1, 1),
                   shadow);
  }
};

/// Rows of two channels at the first so many pixels, of each of these trials.
Shadow rows_of_trials(const Indices& trials, int32_t pixels) {
  Indices of_rows;
  Indices places;
  for (const int32_t trial : trials) {
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
      of_rows.push_back(trial);
      places.push_back(pixel);
    }
  }
  return made_shadow(1, of_rows, places, at::ones({static_cast<int64_t>(places.size()), 2}), true);
}

TEST_CASE("a window makes nine rows of one, in each trial") {
  const Convolution convolution;
  const Shadow rows = rows_of_trials({0, 4}, 1);
  const int64_t expected = expected_bytes(convolution.call(rows), {{kFirst, {rows}}});
  CHECK(expected == rows.bytes() + static_cast<int64_t>(kCopies * 4 * 2 * 9 * 5));
}

TEST_CASE("a trial has no more than the whole map") {
  const Convolution convolution;
  const Shadow rows = rows_of_trials({3}, 60);
  const int64_t expected = expected_bytes(convolution.call(rows), {{kFirst, {rows}}});
  CHECK(expected == rows.bytes() + static_cast<int64_t>(kCopies * 4 * 64 * 5));
}

TEST_CASE("parts add up, and operators without windows keep the share that differs") {
  const at::Tensor golden = at::ones({1, 2, 8, 8});
  const c10::OperatorHandle op = operator_called("aten::relu");
  const Shadow first = rows_of_trials({0}, 16);
  const Shadow second = rows_of_trials({1, 2}, 4);
  const Call call = call_of(op, {golden}, golden, first);
  const int64_t expected = expected_bytes(call, {{kFirst, {first, second}}});
  CHECK(expected == first.bytes() + second.bytes() + static_cast<int64_t>(kCopies * 4 * 2 * (16 + 8)));
  CHECK(expected_bytes(call, {}) == 0);
}

}  // namespace
}  // namespace faultwave::wave
