// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <utility>

#include "src/wave/rule.h"
#include "src/wave/rules/convolution_ways.h"

namespace faultwave::wave {
namespace {

// From so many points a pixel on, a product of whole rows is faster than adding a column for each point.
constexpr int64_t kPointsOfARow = 4;

}  // namespace

// conv2d(input, weight, bias, stride, padding, dilation, groups) of maps [N, channels, height, width].
std::optional<std::vector<Shadow>> convolution_rule(const Call& call) {
  const bool fits =
      call.is_only_shadowed(0) && call.argument("padding").isIntList() && call.tensor(0).dim() == 4;
  if (!fits) return std::nullopt;
  const ConvolutionWays convolution(call);
  const Shadow& in = *call.shadow_of(0);
  const at::Tensor golden = call.tensor(0);
  if (in.is_points()) {
    Shadow rows = to_rows(in, golden, 1);
    if (in.size() < kPointsOfARow * rows.size()) {
      call.note_way("points");
      return std::vector<Shadow>{convolution.of_points(in)};
    }
    return std::vector<Shadow>{convolution.of_rows(as_changes(std::move(rows), golden))};
  }
  if (in.form.axis == 1) return std::vector<Shadow>{convolution.of_rows(as_changes(in, golden))};
  if (in.form.scale.defined()) return std::nullopt;  // factors of another axis's channels
  return std::vector<Shadow>{convolution.of_rows(as_changes(to_rows(in, golden, 1), golden))};
}

}  // namespace faultwave::wave
