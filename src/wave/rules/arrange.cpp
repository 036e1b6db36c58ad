// SPDX-License-Identifier: Apache-2.0
// Operators that put values elsewhere and change none.
#include <c10/core/WrapDimMinimal.h>
#include <torch/types.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "src/wave/rule.h"
#include "src/wave/rules/relocation.h"

namespace faultwave::wave {
namespace {

/// Orders entries by trial, then place.
void put_in_order(Shadow& shadow) {
  std::vector<int64_t> order(shadow.trials.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto key = [&](int64_t entry) {
    const auto at = static_cast<size_t>(entry);
    return std::make_pair(shadow.trials[at], shadow.places[at]);
  };
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key(a) < key(b); });
  Shadow ordered;
  ordered.axis = shadow.axis;
  for (const int64_t entry : order) {
    ordered.trials.push_back(key(entry).first);
    ordered.places.push_back(key(entry).second);
  }
  ordered.values = shadow.values.index_select(0, at::tensor(order, at::kLong));
  shadow = std::move(ordered);
}

/// Row-major numbers over the axes of `shape`, but for `left_out`, as they are after the axes have been put
/// in the order `axes`.
class Renumbering {
 public:
  Renumbering(c10::IntArrayRef shape, const std::vector<int64_t>& axes, int64_t left_out) {
    std::vector<int64_t> stride_after(shape.size(), 0);
    int64_t stride = 1;
    for (size_t i = axes.size(); i-- > 0;) {
      if (axes[i] == left_out) continue;
      stride_after[static_cast<size_t>(axes[i])] = stride;
      stride *= shape[static_cast<size_t>(axes[i])];
    }
    for (size_t d = shape.size(); d-- > 0;) {
      if (static_cast<int64_t>(d) != left_out) parts_.push_back({shape[d], stride_after[d]});
    }
  }

  int32_t operator()(int64_t number) const {
    int64_t renumbered = 0;
    for (const Part& part : parts_) {
      renumbered += number % part.size * part.stride;
      number /= part.size;
    }
    return static_cast<int32_t>(renumbered);
  }

 private:
  struct Part {
    int64_t size;
    int64_t stride;
  };
  std::vector<Part> parts_;  // last axis first
};

/// For each axis of the result the axis that it was; empty for an operator that is none of these.
std::vector<int64_t> axes_of(const Call& call) {
  const std::string& name = call.op.operator_name().name;
  const int64_t count = call.tensor(0).dim();
  std::vector<int64_t> axes(static_cast<size_t>(count));
  std::iota(axes.begin(), axes.end(), int64_t{0});
  const auto positive = [count](int64_t axis) {
    return static_cast<size_t>(c10::maybe_wrap_dim(axis, count));
  };
  if (name == "aten::permute") {
    const std::vector<int64_t> given = call.arguments[1].toIntVector();
    for (size_t i = 0; i < axes.size(); ++i)
      axes[i] = static_cast<int64_t>(positive(given[i]));
    return axes;
  }
  if (name == "aten::transpose" && call.arguments[1].isInt()) {
    std::swap(axes[positive(call.arguments[1].toInt())], axes[positive(call.arguments[2].toInt())]);
    return axes;
  }
  if (name == "aten::t" && count == 2) return {1, 0};
  return {};
}

/// Offsets in a tensor that holds `part`, `channels` wide along the axis, from channel `start` on.
int32_t shifted(const RowSpace& part, int64_t offset, int64_t channels, int64_t start) {
  const int64_t row = part.row_of(offset);
  const int64_t channel = part.channel_of(offset) + start;
  return static_cast<int32_t>((row / part.inner * channels + channel) * part.inner + row % part.inner);
}

/// For cat(tensors, dim) of points and of rows along `dim`: points stay points; rows become longer rows,
/// which hold what the other tensors have there too.
std::optional<std::vector<Shadow>> concatenation_along_rows(const Call& call) {
  if (call.op.operator_name().name == "aten::stack") return std::nullopt;
  const at::Tensor result = call.result();
  const int64_t axis = c10::maybe_wrap_dim(call.arguments[1].toInt(), result.dim());
  const RowSpace whole(result.sizes(), axis);
  std::vector<int64_t> starts{0};
  for (const at::Tensor& part : call.arguments[0].toTensorVector()) {
    if (part.dim() != result.dim() || part.scalar_type() != at::kFloat) return std::nullopt;
    starts.push_back(starts.back() + part.size(axis));
  }
  const auto golden_of = [&](const ShadowedArgument& argument) {
    return detail::tensor_at(call.arguments, argument.place);
  };
  const auto start_of = [&](const ShadowedArgument& argument) {
    return starts[static_cast<size_t>(argument.place.element)];
  };

  Shadow points;
  std::vector<at::Tensor> values;
  for (const ShadowedArgument& argument : call.shadowed) {
    if (!argument.shadow.is_points() && argument.shadow.axis != axis) return std::nullopt;
    if (!argument.shadow.is_points()) continue;
    const RowSpace part(golden_of(argument).sizes(), axis);
    const std::vector<int32_t>& trials = argument.shadow.trials;
    points.trials.insert(points.trials.end(), trials.begin(), trials.end());
    for (const int32_t place : argument.shadow.places)
      points.places.push_back(shifted(part, place, whole.channels, start_of(argument)));
    values.push_back(argument.shadow.values);
  }
  if (!points.empty()) {
    points.values = at::cat(values);
    put_in_order(points);
  }
  if (values.size() == call.shadowed.size()) return std::vector<Shadow>{std::move(points)};

  // Rows: first which, then golden ones with the parts that differ written over them.
  Shadow out = points.empty() ? Shadow{} : to_rows(points, result, axis);
  for (const ShadowedArgument& argument : call.shadowed) {
    if (argument.shadow.is_points()) continue;
    const at::Tensor part = golden_of(argument);
    Shadow widened = argument.shadow;
    widened.values = golden_at(widened, result);
    widened.values.narrow(1, start_of(argument), part.size(axis)).copy_(argument.shadow.values);
    out = out.empty() ? std::move(widened) : overlay(out, widened, result);
  }
  return std::vector<Shadow>{std::move(out)};
}

/// Each part's entries where the operator itself puts them.
std::optional<std::vector<Shadow>> concatenation_of_copies(const Call& call) {
  const std::vector<at::Tensor> parts = call.arguments[0].toTensorVector();
  const at::Tensor result = call.result();
  if (call.op.schema().arguments().back().is_out()) return std::nullopt;  // which would hold FP32 offsets
  std::vector<at::Tensor> nowhere;
  for (const at::Tensor& part : parts)
    nowhere.push_back(at::full(part.sizes(), kFromNowhere, at::kDouble));

  Shadow out;
  for (const ShadowedArgument& argument : call.shadowed) {
    const auto element = static_cast<size_t>(argument.place.element);
    std::vector<at::Tensor> offsets = nowhere;
    offsets[element] = offsets_of(parts[element]);
    std::vector<c10::IValue> stack = call.arguments;
    stack[0] = offsets;
    const Shadow copied = relocated(argument.shadow, parts[element], call.run(std::move(stack)));
    if (out.empty()) {
      out = copied;
    } else if (!copied.empty()) {
      const int64_t axis = out.is_points() ? copied.axis : out.axis;
      const auto fit = [&](const Shadow& shadow) {
        return axis == Shadow::points ? shadow : to_rows(shadow, result, axis);
      };
      out = overlay(fit(out), fit(copied), result);
    }
  }
  return std::vector<Shadow>{std::move(out)};
}

}  // namespace

// permute(input, dims), transpose(input, dim0, dim1), t(input)
std::optional<std::vector<Shadow>> permute_rule(const Call& call) {
  if (!call.is_only_shadowed(0)) return std::nullopt;
  const std::vector<int64_t> axes = axes_of(call);
  if (axes.empty()) return std::nullopt;
  Shadow out = *call.shadow_of(0);
  const Renumbering renumber(call.tensor(0).sizes(), axes, out.axis);
  for (int32_t& place : out.places)
    place = renumber(place);
  if (!out.is_points()) out.axis = std::find(axes.begin(), axes.end(), out.axis) - axes.begin();
  put_in_order(out);
  return std::vector<Shadow>{std::move(out)};
}

// cat(tensors, dim), stack(tensors, dim)
std::optional<std::vector<Shadow>> concatenation_rule(const Call& call) {
  std::optional<std::vector<Shadow>> along_rows = concatenation_along_rows(call);
  return along_rows ? std::move(along_rows) : concatenation_of_copies(call);
}

}  // namespace faultwave::wave
