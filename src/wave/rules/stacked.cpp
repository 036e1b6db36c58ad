// SPDX-License-Identifier: Apache-2.0
// Operators that treat each element of axis 0 on its own: the arguments of many trials, written out in full,
// are put behind one another along that axis, and the operator runs once for all of them.
#include <c10/core/WrapDimMinimal.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "src/wave/rule.h"

namespace faultwave::wave {
namespace {

// For the arguments of a stack; large enough that a call is worth its overhead.
constexpr int64_t kStackBytes = int64_t{64} << 20;

bool always(const Call&) {
  return true;
}

/// The axis or axes in argument 1 are given, and axis 0 is not among them.
bool spares_axis_0(const Call& call) {
  const c10::IValue& axes = call.arguments[1];
  const int64_t count = call.tensor(0).dim();
  if (axes.isInt()) return c10::maybe_wrap_dim(axes.toInt(), count) != 0;
  if (!axes.isIntList() || axes.toIntVector().empty()) return false;
  const std::vector<int64_t> list = axes.toIntVector();
  return std::all_of(list.begin(), list.end(),
                     [&](int64_t axis) { return c10::maybe_wrap_dim(axis, count) != 0; });
}

bool is_layer_norm_within(const Call& call) {
  return static_cast<int64_t>(call.arguments[1].toIntVector().size()) < call.tensor(0).dim();
}

bool is_in_eval_mode(const Call& call) {
  return !call.arguments[5].toBool();
}

bool has_batches(const Call& call) {
  return call.tensor(0).dim() >= 3 && call.tensor(0).dim() == call.tensor(1).dim();
}

/// Nothing is dropped out, and a mask is the same for all of axis 0.
bool is_plain_attention(const Call& call) {
  if (call.arguments[4].toDouble() != 0 || call.tensor(0).dim() < 3) return false;
  if (!call.arguments[3].isTensor()) return true;
  const at::Tensor mask = call.tensor(3);
  return mask.dim() < call.tensor(0).dim() || mask.size(0) == 1;
}

struct Entry {
  std::string_view op;
  int activations;  ///< the first arguments, which have axis 0
  int64_t axis;     ///< that rows of the result run along
  bool (*fits)(const Call& call);
};

constexpr std::array kStacked{
    Entry{"aten::conv1d", 1, 1, always},
    Entry{"aten::conv2d", 1, 1, always},
    Entry{"aten::conv3d", 1, 1, always},
    Entry{"aten::conv_transpose1d", 1, 1, always},
    Entry{"aten::conv_transpose2d", 1, 1, always},
    Entry{"aten::conv_transpose3d", 1, 1, always},
    Entry{"aten::avg_pool1d", 1, 1, always},
    Entry{"aten::avg_pool2d", 1, 1, always},
    Entry{"aten::avg_pool3d", 1, 1, always},
    Entry{"aten::max_pool1d", 1, 1, always},
    Entry{"aten::max_pool2d", 1, 1, always},
    Entry{"aten::max_pool3d", 1, 1, always},
    Entry{"aten::adaptive_avg_pool1d", 1, 1, always},
    Entry{"aten::adaptive_avg_pool2d", 1, 1, always},
    Entry{"aten::adaptive_avg_pool3d", 1, 1, always},
    Entry{"aten::upsample_linear1d", 1, 1, always},
    Entry{"aten::upsample_bilinear2d", 1, 1, always},
    Entry{"aten::upsample_bicubic2d", 1, 1, always},
    Entry{"aten::upsample_trilinear3d", 1, 1, always},
    Entry{"aten::grid_sampler", 2, 1, always},
    Entry{"aten::prelu", 1, 1, always},
    Entry{"aten::group_norm", 1, 1, always},
    Entry{"aten::instance_norm", 1, 1, always},
    Entry{"aten::batch_norm", 1, 1, is_in_eval_mode},
    Entry{"aten::layer_norm", 1, -1, is_layer_norm_within},
    Entry{"aten::softmax", 1, -1, spares_axis_0},
    Entry{"aten::log_softmax", 1, -1, spares_axis_0},
    Entry{"aten::mean", 1, -1, spares_axis_0},
    Entry{"aten::sum", 1, -1, spares_axis_0},
    Entry{"aten::amax", 1, -1, spares_axis_0},
    Entry{"aten::amin", 1, -1, spares_axis_0},
    Entry{"aten::cumsum", 1, -1, spares_axis_0},
    Entry{"aten::bmm", 2, -1, has_batches},
    Entry{"aten::matmul", 2, -1, has_batches},
    Entry{"aten::scaled_dot_product_attention", 3, -1, is_plain_attention},
};

const Entry* find_entry(const Call& call) {
  const auto found = std::find_if(kStacked.begin(), kStacked.end(), [&](const Entry& entry) {
    return entry.op == call.op.operator_name().name;
  });
  return found == kStacked.end() ? nullptr : &*found;
}

/// All activations and the result have axis 0, of one size, and trials differ in activations alone.
bool has_common_axis(const Call& call, const Entry& entry) {
  const at::Tensor first = call.tensor(0);
  const auto fits = [&](const at::Tensor& tensor) {
    return tensor.defined() && tensor.dim() >= 2 && tensor.size(0) == first.size(0);
  };
  const bool has_one_result = call.results.size() == 1 && call.results[0].isTensor();
  if (!has_one_result || !fits(call.result())) return false;
  for (int position = 0; position < entry.activations; ++position) {
    if (!call.arguments[static_cast<size_t>(position)].isTensor() || !fits(call.tensor(position)))
      return false;
  }
  return std::all_of(call.shadowed.begin(), call.shadowed.end(), [&](const ShadowedArgument& argument) {
    return argument.place.element < 0 && argument.place.position < entry.activations;
  });
}

/// An activation of all these trials, one behind the other.
at::Tensor stack_of(const Call& call, int position, const std::vector<int32_t>& trials) {
  const at::Tensor golden = call.tensor(position).contiguous();
  std::vector<int64_t> repeats(static_cast<size_t>(golden.dim()), 1);
  repeats[0] = static_cast<int64_t>(trials.size());
  at::Tensor stacked = golden.repeat(repeats);
  const Shadow* shadow = call.shadow_of(position);
  if (shadow == nullptr) return stacked;
  for (size_t i = 0; i < trials.size(); ++i) {
    const Segment segment = segment_of(*shadow, trials[i]);
    if (segment.size() == 0) continue;
    stacked.narrow(0, static_cast<int64_t>(i) * golden.size(0), golden.size(0))
        .copy_(materialise(*shadow, segment, golden));
  }
  return stacked;
}

/// All rows of these trials' results.
Shadow rows_of_stack(const at::Tensor& stacked, const std::vector<int32_t>& trials, const at::Tensor& golden,
                     int64_t axis) {
  Shadow shadow;
  shadow.axis = axis;
  const int64_t rows = golden.numel() / golden.size(axis);
  std::vector<at::Tensor> values;
  for (size_t i = 0; i < trials.size(); ++i) {
    shadow.trials.insert(shadow.trials.end(), static_cast<size_t>(rows), trials[i]);
    for (int64_t row = 0; row < rows; ++row)
      shadow.places.push_back(static_cast<int32_t>(row));
    const int64_t size = golden.size(0);
    values.push_back(rows_of(stacked.narrow(0, static_cast<int64_t>(i) * size, size), axis));
  }
  shadow.values = at::cat(values);
  drop_golden(shadow, golden);
  return shadow;
}

/// Shadows of ascending trials, with rows along one axis.
Shadow joined(const std::vector<Shadow>& parts) {
  Shadow whole;
  whole.axis = parts.front().axis;
  std::vector<at::Tensor> values;
  for (const Shadow& part : parts) {
    whole.trials.insert(whole.trials.end(), part.trials.begin(), part.trials.end());
    whole.places.insert(whole.places.end(), part.places.begin(), part.places.end());
    values.push_back(part.values);
  }
  whole.values = at::cat(values);
  return whole;
}

}  // namespace

std::optional<std::vector<Shadow>> apply_stacked_rule(const Call& call) {
  const Entry* entry = find_entry(call);
  if (entry == nullptr || !has_common_axis(call, *entry) || !entry->fits(call)) return std::nullopt;
  std::set<int32_t> dirty;
  for (const ShadowedArgument& argument : call.shadowed)
    dirty.insert(argument.shadow.trials.begin(), argument.shadow.trials.end());
  const std::vector<int32_t> trials(dirty.begin(), dirty.end());
  int64_t bytes = call.result().nbytes();
  for (int position = 0; position < entry->activations; ++position)
    bytes += static_cast<int64_t>(call.tensor(position).nbytes());
  const auto most = static_cast<size_t>(std::max<int64_t>(kStackBytes / std::max<int64_t>(bytes, 1), 1));

  const at::Tensor golden = call.result();
  const int64_t axis = c10::maybe_wrap_dim(entry->axis, golden.dim());
  std::vector<Shadow> parts;
  for (size_t begin = 0; begin < trials.size(); begin += most) {
    const auto first = trials.begin() + static_cast<std::ptrdiff_t>(begin);
    const std::vector<int32_t> part(
        first, first + static_cast<std::ptrdiff_t>(std::min(most, trials.size() - begin)));
    std::vector<c10::IValue> stack = call.arguments;
    for (int position = 0; position < entry->activations; ++position)
      stack[static_cast<size_t>(position)] = stack_of(call, position, part);
    call.op.callBoxed(&stack);
    parts.push_back(rows_of_stack(stack[0].toTensor(), part, golden, axis));
  }
  return std::vector<Shadow>{joined(parts)};
}

}  // namespace faultwave::wave
