// SPDX-License-Identifier: Apache-2.0
// CBOR, which holds numbers exactly; rows are arrays, in the order below.
#include "src/store/block_codec.h"

#include <nlohmann/json.hpp>

#include "faultwave/error.h"

namespace faultwave {
namespace {

using Json = nlohmann::json;

Json optional(const std::optional<int64_t>& value) {
  return value ? Json(*value) : Json();
}

std::optional<int64_t> optional(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<int64_t>();
}

Json encode(const TrialOutcome& outcome) {
  if (!outcome.is_done) return nullptr;
  return {outcome.site,  outcome.choice,       outcome.stratum,     static_cast<int>(outcome.outcome),
          outcome.fired, outcome.golden_right, outcome.faulty_right};
}

TrialOutcome decode_outcome(const Json& json) {
  if (json.is_null()) return {.is_done = false};
  return {.site = json.at(0).get<int32_t>(),
          .choice = json.at(1).get<int32_t>(),
          .stratum = json.at(2).get<int32_t>(),
          .outcome = static_cast<OutcomeClass>(json.at(3).get<int>()),
          .fired = json.at(4).get<uint32_t>(),
          .golden_right = json.at(5).get<bool>(),
          .faulty_right = json.at(6).get<bool>(),
          .is_done = true};
}

Json encode(const TrialRow& row) {
  return {row.trial,
          row.input,
          row.fault,
          row.site,
          row.choice,
          row.index,
          row.value_before,
          row.value_after,
          row.bits_before,
          row.bits_after,
          row.forwards,
          row.hits,
          static_cast<int>(row.outcome),
          row.fired,
          Json::binary({row.crash.begin(), row.crash.end()}),  // what was thrown need not be UTF-8
          optional(row.label),
          optional(row.golden_class),
          optional(row.faulty_class),
          row.golden_probability,
          row.faulty_probability};
}

TrialRow decode_row(const Json& json) {
  TrialRow row;
  size_t at = 0;
  const auto next = [&]() -> const Json& { return json.at(at++); };
  row.trial = next().get<int64_t>();
  row.input = next().get<int64_t>();
  row.fault = next().get<std::string>();
  row.site = next().get<int64_t>();
  row.choice = next().get<int64_t>();
  row.index = next().get<std::vector<int64_t>>();
  row.value_before = next().get<double>();
  row.value_after = next().get<double>();
  row.bits_before = next().get<uint64_t>();
  row.bits_after = next().get<uint64_t>();
  row.forwards = next().get<int64_t>();
  row.hits = next().get<int64_t>();
  row.outcome = static_cast<OutcomeClass>(next().get<int>());
  row.fired = next().get<uint32_t>();
  const Json::binary_t& crash = next().get_binary();
  row.crash.assign(crash.begin(), crash.end());
  row.label = optional(next());
  row.golden_class = optional(next());
  row.faulty_class = optional(next());
  row.golden_probability = next().get<double>();
  row.faulty_probability = next().get<double>();
  return row;
}

}  // namespace

std::vector<uint8_t> encode_block(const BlockResult& result) {
  Json outcomes = Json::array();
  for (const TrialOutcome& outcome : result.outcomes)
    outcomes.push_back(encode(outcome));
  Json rows = Json::array();
  for (const TrialRow& row : result.rows)
    rows.push_back(encode(row));
  Json classes = Json::array();
  for (const auto& [input, best] : result.golden_classes)
    classes.push_back({input, best});
  return Json::to_cbor(Json{result.block.number, result.block.first_trial, result.block.trials, outcomes,
                            rows, classes, result.counts.decided_again, result.counts.audited});
}

BlockResult decode_block(const std::vector<uint8_t>& bytes) {
  try {
    const Json json = Json::from_cbor(bytes);
    BlockResult result;
    result.block = {json.at(0).get<int64_t>(), json.at(1).get<int64_t>(), json.at(2).get<int64_t>(), {}};
    for (const Json& outcome : json.at(3))
      result.outcomes.push_back(decode_outcome(outcome));
    for (const Json& row : json.at(4))
      result.rows.push_back(decode_row(row));
    for (const Json& known : json.at(5))
      result.golden_classes[known.at(0).get<int64_t>()] = known.at(1).get<int64_t>();
    result.counts = {json.at(6).get<int64_t>(), json.at(7).get<int64_t>()};
    return result;
  } catch (const Json::exception& error) {
    throw InternalError(std::string("a block that cannot be decoded: ") + error.what());
  }
}

}  // namespace faultwave
