// SPDX-License-Identifier: Apache-2.0
#include "src/wave/expected_memory.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

// A product has its results beside them in the piece that is computed at the time; activations are new
// memory.
constexpr double kCopiesOfResult = 1.25;

/// Values that a value of the result reads along each axis of a window; 1 for operators without windows.
double window_side(const Call& call) {
  const std::string& window = call.described().window;
  if (window.empty()) return 1;
  const c10::IValue& size = call.argument(window);
  if (size.isTensor()) {
    const at::Tensor weight = size.toTensor();
    return weight.dim() < 3 ? 1 : static_cast<double>(weight.size(weight.dim() - 1));
  }
  if (!size.isIntList() || size.toIntVector().empty()) return 1;
  return static_cast<double>(size.toIntVector().back());
}

/// How many results' worth of values a shadow makes, over all trials: dirty rows are taken to be a square
/// patch, which grows by the window.
double expected_results(const Shadow& shadow, double side, const at::Tensor& golden) {
  const auto channels = shadow.is_points() ? 1 : golden.size(shadow.form.axis);
  const double rows = static_cast<double>(golden.numel()) / static_cast<double>(channels);
  double results = 0;
  for (const Segment& part : segments(shadow)) {
    const double patch = std::pow(std::sqrt(static_cast<double>(part.size())) + side - 1, 2);
    results += std::min(patch / rows, 1.0);
  }
  return results;
}

}  // namespace

int64_t expected_bytes(const Call& call, const std::vector<PartedArgument>& shadowed) {
  double result_bytes = 0;
  for (const at::Tensor& result : detail::tensors_of(call.results))
    result_bytes += static_cast<double>(result.numel()) * sizeof(float);
  const double side = window_side(call);
  double bytes = 0;
  for (const PartedArgument& argument : shadowed) {
    const at::Tensor golden = detail::tensor_at(call.arguments, argument.place);
    for (const Shadow& part : argument.parts)
      bytes += static_cast<double>(part.bytes()) +
               kCopiesOfResult * result_bytes * expected_results(part, side, golden);
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace faultwave::wave
