// SPDX-License-Identifier: Apache-2.0
// Operators that change the shape and leave the row-major order of the values. Rows stay rows where the axis
// that they run along is kept, cut into pieces or joined with others: the heads of attention are pieces of a
// token.
#include <torch/types.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/rule.h"

namespace faultwave::wave {
namespace {

using Key = std::pair<int32_t, int32_t>;  // trial, place

/// How a row lies in the rows of another axis: `pieces` rows of it make this one, or it is a part of one,
/// whose channels it takes `stride` apart.
struct Fit {
  int64_t axis = 0;
  int64_t pieces = 1;
  int64_t stride = 1;
  bool is_part = false;
};

std::optional<Fit> fit_of(const RowSpace& before, const RowSpace& after, int64_t axis) {
  if (after.channels == before.channels && after.inner == before.inner) return Fit{axis, 1, 1, false};
  const bool is_piece = before.channels % after.channels == 0 && after.inner == before.inner;
  if (is_piece && after.channels > 1) return Fit{axis, before.channels / after.channels, 1, false};
  if (after.channels % before.channels != 0) return std::nullopt;
  const int64_t parts = after.channels / before.channels;
  if (after.inner == before.inner) return Fit{axis, 1, 1, true};
  if (after.inner * parts == before.inner) return Fit{axis, 1, parts, true};
  return std::nullopt;
}

/// The one with the longest rows.
std::optional<Fit> best_fit(const RowSpace& before, const at::Tensor& result) {
  std::optional<Fit> best;
  for (int64_t axis = 0; axis < result.dim(); ++axis) {
    const std::optional<Fit> fit = fit_of(before, RowSpace(result.sizes(), axis), axis);
    if (!fit) continue;
    const bool is_same = fit->pieces == 1 && !fit->is_part;
    if (is_same) return fit;
    if (!best || result.size(axis) > result.size(best->axis)) best = fit;
  }
  return best;
}

Shadow cut(const Shadow& in, const RowSpace& before, const RowSpace& after, const Fit& fit) {
  Shadow pieces(in.form.along(fit.axis));
  pieces.form.interleave = 1;
  Indices places;
  for (int64_t entry = 0; entry < in.size(); ++entry) {
    const auto at = static_cast<size_t>(entry);
    for (int64_t piece = 0; piece < fit.pieces; ++piece) {
      pieces.trials.push_back(in.trials[at]);
      places.push_back(
          static_cast<int32_t>(after.row_of(before.offset(in.places[at], piece * after.channels))));
    }
  }
  pieces.places = places;
  pieces.values = in.values.view({pieces.size(), after.channels});
  return moved(pieces, places, after.rows);
}

Shadow join(const Shadow& in, const RowSpace& before, const RowSpace& after, const Fit& fit,
            const at::Tensor& result) {
  std::vector<Key> keys(in.trials.size());
  for (size_t i = 0; i < keys.size(); ++i)
    keys[i] = {in.trials[i], static_cast<int32_t>(after.row_of(before.offset(in.places[i], 0)))};
  std::vector<Key> rows = keys;
  if (!std::is_sorted(rows.begin(), rows.end())) std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());

  Shadow out(in.form.along(fit.axis));
  out.form.interleave = fit.stride;
  for (const auto& [trial, place] : rows) {
    out.trials.push_back(trial);
    out.places.push_back(place);
  }
  out.values =
      in.form.is_change ? at::zeros({out.size(), after.channels}, at::kFloat) : golden_at(out, result);
  float* to = out.values.mutable_data_ptr<float>();
  const float* from = in.values.const_data_ptr<float>();
  const int64_t width = before.channels;
  parallel_for(0, in.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const auto at = static_cast<size_t>(entry);
      const auto row = std::lower_bound(rows.begin(), rows.end(), keys[at]) - rows.begin();
      const int64_t start = after.channel_of(before.offset(in.places[at], 0));
      for (int64_t channel = 0; channel < width; ++channel)
        to[row * after.channels + start + channel * fit.stride] = from[entry * width + channel];
    }
  });
  return out;
}

}  // namespace

// view, reshape, flatten and others of one tensor.
std::optional<std::vector<Shadow>> reshape_rule(const Call& call) {
  if (!call.is_only_shadowed(0) || call.result().numel() != call.tensor(0).numel()) return std::nullopt;
  const Shadow& in = *call.shadow_of(0);
  if (in.is_points()) return std::vector<Shadow>{in};
  const at::Tensor result = call.result();
  const RowSpace before(call.tensor(0).sizes(), in.form.axis);
  const std::optional<Fit> fit = best_fit(before, result);
  if (!fit) return std::vector<Shadow>{to_points(in, call.tensor(0))};
  const RowSpace after(result.sizes(), fit->axis);
  if (fit->is_part) return std::vector<Shadow>{join(in, before, after, *fit, result)};
  if (fit->pieces > 1) return std::vector<Shadow>{cut(in, before, after, *fit)};
  Shadow out = in;
  out.form = in.form.at_axis(fit->axis);
  return std::vector<Shadow>{std::move(out)};
}

}  // namespace faultwave::wave
