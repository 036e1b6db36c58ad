// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "faultwave/campaign.h"
#include "faultwave/report.h"

#include "src/report/trial_fields.h"
#include "src/report/walk_trials.h"

namespace faultwave {
namespace {

/// RFC 4180: quoted where it holds a separator, a quotation mark or a line end.
std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"') result += '"';
    result += letter;
  }
  return result + '"';
}

}  // namespace

void write_csv(const Store& store, std::ostream& out) {
  const CampaignInfo& info = store.info();
  std::string line;
  for (const std::string& column : trial_columns(info))
    line += (line.empty() ? "" : ",") + cell(column);
  out << line << '\n';
  walk_rows(store, recorded_sampler(store), [&](const TrialRow& row) {
    line.clear();
    for (const TrialField& field : trial_fields(info, row)) {
      line += cell(field.text);
      line += ',';
    }
    line.back() = '\n';
    out << line;
  });
}

}  // namespace faultwave
