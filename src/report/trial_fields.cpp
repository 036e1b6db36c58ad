// SPDX-License-Identifier: Apache-2.0
#include "src/report/trial_fields.h"

#include <cmath>
#include <optional>

#include "src/report/numbers.h"

namespace faultwave {
namespace {

TrialField text(std::string value) {
  return {TrialField::Type::text, std::move(value)};
}
TrialField absent() {
  return {TrialField::Type::absent, ""};
}
TrialField number(int64_t value) {
  return {TrialField::Type::number, std::to_string(value)};
}

/// JSON has no NaN and no infinity, so those are text there.
TrialField number(double value) {
  return {std::isfinite(value) ? TrialField::Type::number : TrialField::Type::text, exact(value)};
}

TrialField number(const std::optional<int64_t>& value) {
  return value ? number(*value) : absent();
}

std::string index_text(const std::vector<int64_t>& index) {
  std::string joined;
  for (const int64_t position : index) {
    if (!joined.empty()) joined += ',';
    joined += std::to_string(position);
  }
  return "[" + joined + "]";
}

void add_receipt(const StoredSite& site, const TrialRow& row, std::vector<TrialField>& fields) {
  fields.push_back(text(std::string(to_string(site.kind))));
  fields.push_back(text(site.name));
  if (!row.is_kept) {
    fields.insert(fields.end(), {text(index_text(row.index)), text(site.dtype), absent(), absent(), absent(),
                                 absent(), absent(), absent()});
    return;
  }
  if (row.hits == 0) {
    fields.insert(fields.end(), {absent(), text(site.dtype), absent(), absent(), absent(), absent()});
  } else {
    fields.insert(fields.end(), {text(index_text(row.index)), text(site.dtype), number(row.value_before),
                                 number(row.value_after), text(hexadecimal(row.bits_before, site.bits)),
                                 text(hexadecimal(row.bits_after, site.bits))});
  }
  fields.push_back(number(row.forwards));
  fields.push_back(number(row.hits));
}

}  // namespace

std::vector<std::string> trial_columns(const CampaignInfo& info) {
  std::vector<std::string> columns = {"trial",        "input",
                                      "fault",        "kind",
                                      "site",         "index",
                                      "dtype",        "value_before",
                                      "value_after",  "bits_before",
                                      "bits_after",   "forwards",
                                      "hits",         "outcome",
                                      "crash",        "label",
                                      "golden_class", "golden_probability",
                                      "faulty_class", "faulty_probability"};
  columns.insert(columns.end(), info.criteria.begin(), info.criteria.end());
  return columns;
}

std::vector<TrialField> trial_fields(const CampaignInfo& info, const TrialRow& row) {
  std::vector<TrialField> fields = {number(row.trial), number(row.input), text(row.fault)};
  add_receipt(info.sites.at(row.site), row, fields);
  fields.push_back(text(std::string(outcome_name(row.outcome, judges_finite(info.criteria)))));
  fields.push_back(row.crash.empty() ? absent() : text(row.crash));
  fields.push_back(number(row.label));
  fields.push_back(number(row.golden_class));
  fields.push_back(row.golden_class ? number(row.golden_probability) : absent());
  fields.push_back(number(row.faulty_class));
  fields.push_back(row.faulty_class ? number(row.faulty_probability) : absent());
  for (size_t i = 0; i < info.criteria.size(); ++i)
    fields.push_back(number(int64_t{(row.fired >> i) & 1}));
  return fields;
}

}  // namespace faultwave
