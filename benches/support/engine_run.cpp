// SPDX-License-Identifier: Apache-2.0
#include "benches/support/engine_run.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "benches/support/measure.h"

namespace faultwave::bench {
namespace {

/// The first NaN counts as the largest, as in torch.argmax.
int64_t top_class(const at::Tensor& scores) {
  const at::Tensor values = scores.contiguous();
  const float* const begin = values.const_data_ptr<float>();
  const float* const end = begin + values.numel();
  const float* const nan = std::find_if(begin, end, [](float value) { return std::isnan(value); });
  return (nan != end ? nan : std::max_element(begin, end)) - begin;
}

/// Relative to the largest score; infinite where scores are finite in other places.
double difference(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() && !b.defined()) return 0;
  if (!a.defined() || !b.defined() || !at::equal(a.isfinite(), b.isfinite())) return INFINITY;
  const at::Tensor finite = a.isfinite();
  if (!finite.any().item<bool>()) return 0;
  const at::Tensor left = a.masked_select(finite);
  const double scale = left.abs().max().item<double>();
  return scale == 0 ? 0 : (left - b.masked_select(finite)).abs().max().item<double>() / scale;
}

}  // namespace

EngineRun run_trials(Engine& engine, const std::vector<Trial>& trials, Keep keep) {
  EngineRun result;
  result.classes.resize(trials.size());
  if (keep == Keep::everything) {
    result.scores.resize(trials.size());
    result.receipts.resize(trials.size());
  }
  const auto sink = [&](size_t index, const TrialOutputs& outputs) {
    const bool crashed = !outputs.crash.empty();
    result.classes[index] = crashed ? kCrashed : top_class(outputs.faulty.at(0));
    if (keep == Keep::classes) return;
    if (!crashed) result.scores[index] = outputs.faulty.at(0).clone();
    result.receipts[index] = outputs.receipts.at(0);
  };
  result.seconds = seconds_of([&] { engine.run(trials, sink); });
  return result;
}

nlohmann::json agreement(const EngineRun& wave, const EngineRun& direct) {
  double largest = 0;
  size_t other_class = 0, other_nonfinite = 0;
  for (size_t i = 0; i < direct.classes.size(); ++i) {
    other_class += wave.classes[i] != direct.classes[i];
    const double value = difference(wave.scores[i], direct.scores[i]);
    if (std::isfinite(value)) {
      largest = std::max(largest, value);
    } else {
      ++other_nonfinite;
    }
  }
  return {{"trials", direct.classes.size()},
          {"top1_differs", other_class},
          {"nonfinite_scores_differ", other_nonfinite},
          {"largest_relative_difference", largest}};
}

}  // namespace faultwave::bench
