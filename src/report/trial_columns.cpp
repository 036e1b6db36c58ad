// SPDX-License-Identifier: Apache-2.0
#include "faultwave/trial_columns.h"

#include <limits>

#include "src/report/walk_trials.h"

namespace faultwave {
namespace {

void add(TrialColumns& columns, const TrialRow& row) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const bool has_values = row.is_kept && row.hits > 0;
  columns.trial.push_back(row.trial);
  columns.input.push_back(row.input);
  columns.site.push_back(row.site);
  columns.choice.push_back(row.choice);
  columns.fault.push_back(row.fault);
  columns.value_before.push_back(has_values ? row.value_before : none);
  columns.value_after.push_back(has_values ? row.value_after : none);
  columns.outcome.push_back(row.outcome);
  columns.fired.push_back(row.fired);
  columns.label.push_back(row.label.value_or(-1));
  columns.golden_class.push_back(row.golden_class.value_or(-1));
  columns.faulty_class.push_back(row.faulty_class.value_or(-1));
}

}  // namespace

TrialColumns trial_columns(const Store& store, const Sampler& sampler) {
  TrialColumns columns;
  walk_rows(store, sampler, [&](const TrialRow& row) { add(columns, row); });
  return columns;
}

}  // namespace faultwave
