// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/columns.h"

#include <algorithm>

#include "faultwave/error.h"

namespace faultwave {
namespace {

// What the table tallies counts beside criteria.
constexpr const char* kTaken[] = {"masked", "benign", "sdc",        "due",
                                  "crash",  "hang",   "right_lost", "right_won"};

bool is_taken(const std::string& name) {
  return std::any_of(std::begin(kTaken), std::end(kTaken), [&](const char* taken) { return name == taken; });
}

}  // namespace

std::vector<std::string> criterion_columns(const std::vector<CriterionPtr>& criteria) {
  std::vector<std::string> columns;
  for (const CriterionPtr& criterion : criteria) {
    const auto same_name = [&](const CriterionPtr& other) { return other->name() == criterion->name(); };
    const bool is_alone = std::count_if(criteria.begin(), criteria.end(), same_name) == 1;
    std::string column = is_alone ? criterion->name() : criterion->text();
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      throw UserError(ErrorCode::usage, "the criterion " + column + " is there twice: name each once");
    }
    if (is_taken(column)) {
      throw UserError(ErrorCode::usage,
                      "a criterion cannot be named " + column + ": outcomes are counted under that name");
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace faultwave
