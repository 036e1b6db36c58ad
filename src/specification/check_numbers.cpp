// SPDX-License-Identifier: Apache-2.0
#include "src/specification/check_numbers.h"

#include <string>

#include "faultwave/error.h"

#include "src/common/number_ranges.h"

namespace faultwave {
namespace {

// A row of the database each: more would cost minutes before the first trial, for blocks that are too small
// to be of use.
constexpr int64_t kMostBlocks = 10'000'000;
// Of a block, all of which are drawn before it runs: some hundred bytes each.
constexpr int64_t kMostFaults = 4'194'304;

void check_blocks(const Specification& spec, int64_t trials) {
  if (trials / spec.block < kMostBlocks) return;
  throw UserError(ErrorCode::usage, "block = " + std::to_string(spec.block) + " would make more than " +
                                        std::to_string(kMostBlocks) + " blocks of " + std::to_string(trials) +
                                        " trials: make block larger");
}

void check_preprocess_numbers(const Preprocess& preprocess) {
  if (preprocess.resize) check_number("resize", *preprocess.resize);
  if (preprocess.crop) check_number("crop", *preprocess.crop);
  for (const double mean : preprocess.mean)
    check_number("mean", mean);
  for (const double std : preprocess.std)
    check_number("std", std);
}

}  // namespace

void check_numbers(const Specification& spec) {
  check_number("batch", spec.batch);
  check_number("block", spec.block);
  check_number("round", spec.round);
  check_number("audit", spec.audit);
  check_number("confidence", spec.confidence);
  check_number("calibrate", spec.calibrate);
  // What is left out is 0.
  if (spec.trials != 0) check_number("trials", spec.trials);
  if (spec.faults_per_trial != 0) check_number("per_trial", spec.faults_per_trial);
  if (spec.stop.half_width != 0) check_number("half_width", spec.stop.half_width);
  if (spec.timeout != 0) check_number("timeout", spec.timeout);
  if (spec.stop.minutes != 0) check_number("minutes", spec.stop.minutes);
  check_preprocess_numbers(spec.preprocess);
  check_blocks(spec, spec.trials);
  if (spec.faults_per_trial * spec.block > kMostFaults) {
    throw UserError(ErrorCode::usage, "per_trial = " + std::to_string(spec.faults_per_trial) +
                                          " with block = " + std::to_string(spec.block) +
                                          " would hold more than " + std::to_string(kMostFaults) +
                                          " faults at a time: make block smaller");
  }
}

void check_trials(const Specification& spec, int64_t trials) {
  if (trials > kMostTrials) {
    throw UserError(ErrorCode::usage, "draw = \"" + std::string(to_string(spec.draw)) + "\" would take " +
                                          std::to_string(trials) + " trials, more than the " +
                                          std::to_string(kMostTrials) +
                                          " that a campaign may have: set trials to try the first of them, "
                                          "or draw = \"bits\" to try some of all");
  }
  check_blocks(spec, trials);
}

}  // namespace faultwave
