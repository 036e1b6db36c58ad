// SPDX-License-Identifier: Apache-2.0
// Trials on an engine, timed, and whether two engines give the same.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "faultwave/engine.h"

namespace faultwave::bench {

constexpr int64_t kCrashed = -1;  ///< in place of a class

struct EngineRun {
  double seconds = 0;            ///< from the list of trials to the last top class
  std::vector<int64_t> classes;  ///< top class, by trial, as are those below
  std::vector<at::Tensor> scores;
  std::vector<Receipt> receipts;

  double rate() const { return static_cast<double>(classes.size()) / seconds; }
};

enum class Keep { classes, everything };

/// Runs trials whose first output is a vector of FP32 scores.
EngineRun run_trials(Engine& engine, const std::vector<Trial>& trials, Keep keep);

/// Of runs that have kept everything: how many top classes differ, how many scores are finite in other
/// places, and the largest difference of the others relative to the largest score of its trial.
nlohmann::json agreement(const EngineRun& wave, const EngineRun& direct);

}  // namespace faultwave::bench
