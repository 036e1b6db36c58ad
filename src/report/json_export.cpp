// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include <nlohmann/json.hpp>

#include "faultwave/campaign.h"
#include "faultwave/report.h"

#include "src/report/trial_fields.h"
#include "src/report/walk_trials.h"

namespace faultwave {
namespace {

/// A string as JSON. What a crashed run said need not be UTF-8.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string value_text(const TrialField& field) {
  switch (field.type) {
    case TrialField::Type::number:
      return field.text;
    case TrialField::Type::text:
      return quoted(field.text);
    case TrialField::Type::absent:
      break;
  }
  return "null";
}

}  // namespace

void write_json(const Store& store, std::ostream& out) {
  const CampaignInfo& info = store.info();
  const std::vector<std::string> columns = trial_columns(info);
  out << "{\"criteria\": " << nlohmann::json(info.criteria).dump() << ",\n\"trials\": [";
  bool is_first = true;
  walk_rows(store, recorded_sampler(store), [&](const TrialRow& row) {
    std::string line = is_first ? "\n{" : ",\n{";
    is_first = false;
    const std::vector<TrialField> fields = trial_fields(info, row);
    for (size_t i = 0; i < fields.size(); ++i) {
      line += (i == 0 ? "" : ", ") + quoted(columns[i]) + ": " + value_text(fields[i]);
    }
    out << line << "}";
  });
  out << "\n]}\n";
}

}  // namespace faultwave
