// SPDX-License-Identifier: Apache-2.0
#include "src/model/batch_runs.h"

#include <torch/types.h>

#include <algorithm>
#include <limits>

namespace faultwave::detail {
namespace {

constexpr int64_t kValuesOfARow = 64;       // enough to tell rows apart
constexpr double kLikeTheBest = 2;          // rounding differs between batch sizes, and between layouts
constexpr double kLikeNoDifference = 1e-6;  // of the largest value

double largest_of(const at::Tensor& values) {
  return values.numel() == 0 ? 0 : values.abs().max().item<double>();
}

}  // namespace

RowSampler::RowSampler(const std::vector<Target>& targets) {
  for (const Target& target : targets)
    targets_[target.use.call].push_back(target);
}

void RowSampler::keep(const Target& target, const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.layout() != at::kStrided || target.axis >= tensor.dim()) return;
  const at::Tensor rows = tensor.detach().movedim(target.axis, 0);
  if (rows.numel() == 0) return;
  const int64_t width = rows.numel() / rows.size(0);  // 1 for a tensor that has no other axis
  const at::Tensor flat = rows.reshape({rows.size(0), width}).narrow(1, 0, std::min(kValuesOfARow, width));
  const at::Tensor values = flat.is_quantized() ? flat.dequantize() : flat;
  rows_[target.site] = values.to(at::kCPU, at::kDouble).nan_to_num().clone();
}

void RowSampler::on_call(intercept::OperatorCall& call) {
  const auto found = targets_.find(next_call_++);
  if (found == targets_.end()) return call.run();
  for (const Target& target : found->second) {
    if (target.use.role != CallUse::Role::output) keep(target, tensor_at(call.arguments(), target.use.place));
  }
  call.run();
  for (const Target& target : found->second) {
    if (target.use.role == CallUse::Role::output) keep(target, tensor_at(call.results(), target.use.place));
  }
}

int64_t find_run(const at::Tensor& once, const at::Tensor& twice, int64_t batch, int64_t rows) {
  std::vector<std::pair<int64_t, double>> differences;  // by run, longest first
  double least = std::numeric_limits<double>::infinity();
  for (int64_t run = rows; run >= 1; --run) {
    if (rows % run != 0) continue;
    const at::Tensor small = once.view({rows / run, batch, run, once.size(1)});
    const at::Tensor large = twice.view({rows / run, 2 * batch, run, once.size(1)}).narrow(1, 0, batch);
    differences.emplace_back(run, largest_of(large - small));
    least = std::min(least, differences.back().second);
  }
  const double bound = kLikeTheBest * least + kLikeNoDifference * largest_of(once);
  for (const auto& [run, difference] : differences) {
    if (difference <= bound) return run;
  }
  return rows;
}

}  // namespace faultwave::detail
