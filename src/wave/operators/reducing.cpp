// SPDX-License-Identifier: Apache-2.0
// Operators that look at many values for one of the result and have no parameters: pools, means, softmax,
// interpolation.
#include <c10/core/WrapDimMinimal.h>

#include <algorithm>

#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

using Gives = Stacking::Gives;

constexpr NamedRule kMaxPool{"max pool", max_pool_rule, Takes::changes};
constexpr NamedRule kAverage{"average", average_rule, Takes::changes};
constexpr NamedRule kSoftmax{"softmax", whole_rows_rule, Takes::scaled};

/// The axis or axes are given, and axis 0 is not among them.
bool spares_axis_0(const Call& call) {
  const c10::IValue& axes = call.argument("dim");
  const int64_t count = call.tensor(0).dim();
  if (axes.isInt()) return c10::maybe_wrap_dim(axes.toInt(), count) != 0;
  if (!axes.isIntList() || axes.toIntVector().empty()) return false;
  const std::vector<int64_t> list = axes.toIntVector();
  return std::all_of(list.begin(), list.end(),
                     [&](int64_t axis) { return c10::maybe_wrap_dim(axis, count) != 0; });
}

Stacking along_others(Gives gives) {
  return {gives, -1, {}, spares_axis_0};
}

}  // namespace

std::vector<Operator> reducing_operators() {
  return {
      {.name = "aten::avg_pool1d", .stacking = by_channel(Gives::changes), .window = "kernel_size"},
      {.name = "aten::avg_pool2d", .stacking = by_channel(Gives::changes), .window = "kernel_size"},
      {.name = "aten::avg_pool3d", .stacking = by_channel(Gives::changes), .window = "kernel_size"},
      {.name = "aten::max_pool1d", .stacking = by_channel(Gives::values), .window = "kernel_size"},
      {.name = "aten::max_pool2d",
       .rule = kMaxPool,
       .stacking = by_channel(Gives::values),
       .window = "kernel_size"},
      {.name = "aten::max_pool2d_with_indices", .window = "kernel_size"},
      {.name = "aten::max_pool3d", .stacking = by_channel(Gives::values), .window = "kernel_size"},
      {.name = "aten::adaptive_avg_pool1d", .stacking = by_channel(Gives::changes)},
      {.name = "aten::adaptive_avg_pool2d", .rule = kAverage, .stacking = by_channel(Gives::changes)},
      {.name = "aten::adaptive_avg_pool3d", .stacking = by_channel(Gives::changes)},

      {.name = "aten::upsample_linear1d", .stacking = by_channel(Gives::changes)},
      {.name = "aten::upsample_bilinear2d", .stacking = by_channel(Gives::changes)},
      {.name = "aten::upsample_bicubic2d", .stacking = by_channel(Gives::changes)},
      {.name = "aten::upsample_trilinear3d", .stacking = by_channel(Gives::changes)},
      {.name = "aten::grid_sampler", .stacking = Stacking{Gives::values, 1, {"input", "grid"}}},

      {.name = "aten::softmax",
       .rule = kSoftmax,
       .stacking = along_others(Gives::values),
       .rows = WholeRows{.axis = "dim"}},
      {.name = "aten::log_softmax", .stacking = along_others(Gives::values)},
      {.name = "aten::mean", .stacking = along_others(Gives::changes)},
      {.name = "aten::sum", .stacking = along_others(Gives::changes)},
      {.name = "aten::amax", .stacking = along_others(Gives::values)},
      {.name = "aten::amin", .stacking = along_others(Gives::values)},
      {.name = "aten::cumsum", .stacking = along_others(Gives::changes)},
  };
}

}  // namespace faultwave::wave
