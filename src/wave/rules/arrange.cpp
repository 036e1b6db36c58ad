// SPDX-License-Identifier: Apache-2.0
// Operators that put values elsewhere and change none.
#include <c10/core/WrapDimMinimal.h>
#include <torch/types.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

constexpr int64_t kPlacesAThread = 4096;

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

/// For each axis of the result the axis that it was; empty where the arguments do not say.
std::vector<int64_t> axes_of(const Call& call) {
  const int64_t count = call.tensor(0).dim();
  std::vector<int64_t> axes(static_cast<size_t>(count));
  std::iota(axes.begin(), axes.end(), int64_t{0});
  const auto positive = [count](int64_t axis) {
    return static_cast<size_t>(c10::maybe_wrap_dim(axis, count));
  };
  const Permutation& permutation = call.described().permutation.value();
  switch (permutation.kind) {
    case Permutation::Kind::listed: {
      const std::vector<int64_t> given = call.argument(permutation.axes).toIntVector();
      for (size_t i = 0; i < axes.size(); ++i)
        axes[i] = static_cast<int64_t>(positive(given[i]));
      return axes;
    }
    case Permutation::Kind::swapped: {
      const c10::IValue& first = call.argument(permutation.axes);
      const c10::IValue& second = call.argument(permutation.other);
      if (!first.isInt() || !second.isInt()) return {};
      std::swap(axes[positive(first.toInt())], axes[positive(second.toInt())]);
      return axes;
    }
    case Permutation::Kind::reversed:
      std::reverse(axes.begin(), axes.end());
      return axes;
  }
  return {};
}

}  // namespace

// permute(input, dims), transpose(input, dim0, dim1), t(input), as Permutation describes them
std::optional<std::vector<Shadow>> permute_rule(const Call& call) {
  if (!call.is_only_shadowed(0)) return std::nullopt;
  const std::vector<int64_t> axes = axes_of(call);
  if (axes.empty()) return std::nullopt;
  const Shadow& in = *call.shadow_of(0);
  const Renumbering renumber(call.tensor(0).sizes(), axes, in.form.axis);
  Indices places(in.places.size());
  parallel_for(0, in.size(), kPlacesAThread, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
      places[i] = renumber(in.places[i]);
  });
  Shadow out = moved(in, places, call.tensor(0).numel() / in.width());
  if (!out.is_points())
    out.form = in.form.at_axis(std::find(axes.begin(), axes.end(), in.form.axis) - axes.begin());
  return std::vector<Shadow>{std::move(out)};
}

}  // namespace faultwave::wave
