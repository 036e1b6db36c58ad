// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/row_pass.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/golden_memo.h"
#include "src/wave/kernels/kernels.h"
#include "src/wave/rules/keep_golden.h"

namespace faultwave::wave {
namespace {

// So many values are worked on at a time; they fit into the second cache, beside as many golden ones.
constexpr int64_t kValuesAtOnce = 32768;
// If fewer entries than this share have become golden, moving the others costs more than it saves.
constexpr double kWorthDropping = 0.1;

at::Tensor view_of(float* values, int64_t entries, const Shadow& like) {
  if (like.is_points()) return at::from_blob(values, {entries}, at::kFloat);
  return at::from_blob(values, {entries, like.width()}, at::kFloat);
}

double mean_magnitude(const at::Tensor& golden) {
  const double quick = golden.abs().sum().item<float>();
  const double sum = std::isfinite(quick) ? quick : golden.norm(1, at::kDouble).item<double>();
  return sum / static_cast<double>(golden.numel());
}

void drop(Shadow& shadow, const std::vector<char>& keep) {
  const auto golden = static_cast<double>(std::count(keep.begin(), keep.end(), 0));
  if (golden > kWorthDropping * static_cast<double>(shadow.size())) keep_entries(shadow, keep);
}

/// Values of the result from changes before; golden where the value before did not differ, if an operator
/// works value by value.
class PassOfChanges {
 public:
  PassOfChanges(const Shadow& in, const at::Tensor& golden_in, const at::Tensor& golden_out,
                bool value_by_value, float least)
      : in_(in),
        width_(in.width()),
        value_by_value_(value_by_value),
        golden_in_(rows_of(golden_in, in.form.axis)),
        golden_out_(rows_of(golden_out, in.form.axis)),
        out_(with_values(in, at::empty_like(in.values), in.form.as_values())),
        least_(least),
        keep_(in.trials.size()) {}

  Shadow run(const ValuesOperator& op) {
    const int64_t some = std::max<int64_t>(kValuesAtOnce / width_, 1);
    const int64_t chunks = (in_.size() + some - 1) / some;
    parallel_for(0, chunks, 1, [&](int64_t first, int64_t last) {
      for (int64_t chunk = first; chunk < last; ++chunk)
        entries(chunk * some, std::min((chunk + 1) * some, in_.size()), op);
    });
    drop(out_, keep_);
    return std::move(out_);
  }

 private:
  void entries(int64_t begin, int64_t end, const ValuesOperator& op) {
    const float* changes = in_.values.const_data_ptr<float>();
    const float* scale = in_.form.scale.defined() ? in_.form.scale.const_data_ptr<float>() : nullptr;
    const float* before = golden_in_.const_data_ptr<float>();
    const float* after = golden_out_.const_data_ptr<float>();
    float* out = out_.values.mutable_data_ptr<float>();
    for (int64_t entry = begin; entry < end; ++entry)
      kernels().to_values(out + entry * width_, changes + entry * width_, before + place(entry) * width_,
                          scale, width_);
    const torch::NoGradGuard no_grad;  // of a thread of the pool
    const at::Tensor values = view_of(out + begin * width_, end - begin, in_);
    const at::Tensor results = op(values).contiguous();
    const float* from = results.const_data_ptr<float>();
    for (int64_t entry = begin; entry < end; ++entry) {
      float* to = out + entry * width_;
      const float* result = from + (entry - begin) * width_;
      if (result != to) std::copy_n(result, width_, to);
      const float* known = value_by_value_ ? changes + entry * width_ : nullptr;
      keep_[static_cast<size_t>(entry)] =
          kernels().keep_golden(to, known, after + place(entry) * width_, width_, least_);
    }
  }

  int64_t place(int64_t entry) const { return in_.places[static_cast<size_t>(entry)]; }

  const Shadow& in_;
  int64_t width_;
  bool value_by_value_;
  at::Tensor golden_in_;
  at::Tensor golden_out_;
  Shadow out_;
  float least_;
  std::vector<char> keep_;
};

Shadow pass(const Shadow& in, const at::Tensor& golden_in, const at::Tensor& golden_out, bool value_by_value,
            const ValuesOperator& run) {
  if (in.empty()) return Shadow(in.form.as_values());
  if (in.form.is_change) {
    const float least = least_change(golden_out);
    if (std::isfinite(least)) return PassOfChanges(in, golden_in, golden_out, value_by_value, least).run(run);
  }
  const Shadow values = as_values(in, golden_in);
  at::Tensor results = run(values.values.clone());
  if (value_by_value) keep_golden(values, golden_in, results, golden_out);
  Shadow out = with_values(in, std::move(results), in.form.as_values());
  drop_golden(out, golden_out);
  return out;
}

}  // namespace

float least_change(const at::Tensor& golden) {
  if (golden.numel() == 0) return 0;
  const auto mean =
      GoldenMemo::remember<double>(golden, Shadow::points, [&] { return mean_magnitude(golden); });
  return static_cast<float>(kLeastChange * *mean);
}

bool is_finite(const at::Tensor& golden) {
  return std::isfinite(least_change(golden));
}

Shadow pass_rows(const Shadow& in, const at::Tensor& golden_in, const at::Tensor& golden_out,
                 const ValuesOperator& run) {
  return pass(in, golden_in, golden_out, /*value_by_value=*/true, run);
}

Shadow pass_whole_rows(const Shadow& in, const at::Tensor& golden_in, const at::Tensor& golden_out,
                       const ValuesOperator& run) {
  return pass(in, golden_in, golden_out, /*value_by_value=*/false, run);
}

Shadow less_golden(Shadow values, const at::Tensor& golden) {
  const float least = least_change(golden);
  const int64_t width = values.width();
  const at::Tensor rows = rows_of(golden, values.form.axis);
  const float* before = rows.const_data_ptr<float>();
  float* own = values.values.mutable_data_ptr<float>();
  std::vector<char> keep(values.trials.size());
  parallel_for(0, values.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const auto at = static_cast<size_t>(entry);
      keep[at] = kernels().to_changes(own + entry * width, before + values.places[at] * width, width, least);
    }
  });
  values.form = values.form.as_changes();
  keep_entries(values, keep);
  return values;
}

Shadow pass_clamp(const Shadow& in, const at::Tensor& golden_in, float low, float high, float least) {
  if (in.empty()) return Shadow(in.form.without_scale());
  const int64_t width = in.width();
  const at::Tensor golden = rows_of(golden_in, in.form.axis);
  const float* before = golden.const_data_ptr<float>();
  const float* changes = in.values.const_data_ptr<float>();
  const float* scale = in.form.scale.defined() ? in.form.scale.const_data_ptr<float>() : nullptr;
  Shadow out = with_values(in, at::empty_like(in.values), in.form.without_scale());
  float* to = out.values.mutable_data_ptr<float>();
  std::vector<char> keep(in.trials.size());
  parallel_for(0, in.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const auto at = static_cast<size_t>(entry);
      keep[at] = kernels().clamp_changes(to + entry * width, changes + entry * width,
                                         before + in.places[at] * width, scale, width, low, high, least);
    }
  });
  drop(out, keep);
  return out;
}

}  // namespace faultwave::wave
