// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "faultwave/store.h"

namespace faultwave {

/// Ten trials in blocks of four, two sites, two criteria.
inline CampaignInfo sample_info() {
  CampaignInfo info;
  info.specification = parse_recorded_specification(R"(model = "net.pt2"
input = "images.npy"
seed = 7
trials = 10
block = 4
criteria = ["top1", "nonfinite"]
confidence = 0.95
[fault]
error = "flip"
draw = "layers"
)",
                                                    "the sample");
  info.specification_file = "seed = 6\ncriteria = [\"top1\", \"nonfinite\"]\n";
  info.specification_path = "/somewhere/spec.toml";
  info.model_fingerprint = "abc";
  info.inputs_fingerprint = "def";
  info.program_version = "0.1.0";
  info.torch_version = "2.13.0";
  info.seed = std::numeric_limits<uint64_t>::max();
  info.trials = 10;
  info.block = 4;
  info.inputs = 3;
  info.confidence = 0.95;
  info.error = "flip";
  info.draw = "layers";
  info.criteria = {"top1", "nonfinite"};
  info.criteria_text = {"top1", "nonfinite"};
  info.sites = {{SiteKind::output, "conv", "aten::conv2d", "float32", {2, 3, 3}, 18, 32, 0, 0.5},
                {SiteKind::output, "fc, last", "aten::linear", "float16", {4}, 4, 16, 0, 0.5}};
  for (int bit = 0; bit < 32; ++bit)
    info.choices.push_back("flip(" + std::to_string(bit) + ")");
  return info;
}

/// Every kind of row: masked, benign, SDC, DUE by NaN, a crash, and values that SQL and CSV find hard.
inline TrialRow sample_row(int64_t trial) {
  TrialRow row;
  row.trial = trial;
  row.input = trial % 3;
  row.site = trial % 2;
  row.choice = row.site == 0 ? 30 : 15;
  row.fault = row.site == 0 ? "output:conv[1,2,0] flip(30)" : "output:fc, last[3] flip(15)";
  row.index = row.site == 0 ? std::vector<int64_t>{1, 2, 0} : std::vector<int64_t>{3};
  row.value_before = 0.5;
  row.value_after = -1.25;
  row.bits_before = 0x3f000000;
  row.bits_after = 0xbfa00000;
  row.forwards = 1;
  row.hits = 1;
  row.golden_class = 2;
  row.golden_probability = 0.75;
  row.faulty_class = 2;
  row.faulty_probability = 0.5;
  switch (trial % 5) {
    case 1:
      row.outcome = OutcomeClass::benign;
      break;
    case 2:
      row.outcome = OutcomeClass::sdc;
      row.fired = 0b01;
      row.faulty_class = 0;
      break;
    case 3:
      row.outcome = OutcomeClass::due;
      row.fired = 0b11;
      row.value_after = std::numeric_limits<double>::quiet_NaN();
      row.bits_after = std::numeric_limits<uint64_t>::max();
      row.faulty_probability = std::numeric_limits<double>::quiet_NaN();
      break;
    case 4:
      row.outcome = OutcomeClass::crash;
      row.crash = "index \"9\", out of range\nin line 2";
      row.faulty_class.reset();
      row.hits = 0;
      row.index.clear();
      row.value_before = row.value_after = 0;
      row.bits_before = row.bits_after = 0;
      break;
    default:
      break;
  }
  return row;
}

/// The whole campaign in one round.
inline Round sample_round(const CampaignInfo& info = sample_info()) {
  Round round{.number = 0, .first_trial = 0, .trials = info.trials, .shares = {}};
  for (size_t stratum = 0; stratum < info.strata.size(); ++stratum)
    round.shares.push_back(stratum + 1);
  return round;
}

inline TrialOutcome outcome_of(const TrialRow& row) {
  return {.site = static_cast<int32_t>(row.site),
          .choice = static_cast<int32_t>(row.choice),
          .outcome = row.outcome,
          .fired = row.fired,
          .golden_right = row.label && row.golden_class == row.label,
          .faulty_right = row.label && row.faulty_class == row.label};
}

/// A block of sample rows, all kept.
inline BlockResult sample_result(const Block& block) {
  BlockResult result{.block = block, .outcomes = {}, .rows = {}, .golden_classes = {}};
  for (int64_t i = 0; i < block.trials; ++i) {
    result.rows.push_back(sample_row(block.first_trial + i));
    result.outcomes.push_back(outcome_of(result.rows.back()));
  }
  return result;
}

/// A new database whose round has begun.
inline Store sample_store(const std::string& path, const CampaignInfo& info = sample_info()) {
  Store store = Store::create(path, info);
  store.begin_round(sample_round(info));
  return store;
}

}  // namespace faultwave
