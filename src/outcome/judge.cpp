// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "faultwave/error.h"
#include "faultwave/outcome.h"

#include "src/outcome/change.h"
#include "src/outcome/criteria.h"
#include "src/outcome/scores.h"

namespace faultwave {
namespace {

/// One an output; empty where their numbers differ.
std::vector<Change> changes_of(const OutputPair& outputs) {
  std::vector<Change> changes;
  if (outputs.golden.size() != outputs.faulty.size()) return changes;
  for (size_t i = 0; i < outputs.golden.size(); ++i)
    changes.push_back(change_of(outputs.golden[i], outputs.faulty[i]));
  return changes;
}

bool is_identical(const OutputPair& outputs, const std::vector<Change>& changes) {
  return outputs.golden.size() == outputs.faulty.size() &&
         std::all_of(changes.begin(), changes.end(),
                     [](const Change& change) { return change.is_identical; });
}

bool is_masked(const OutputPair& outputs, const std::vector<Change>& changes) {
  if (outputs.golden.size() != outputs.faulty.size()) return false;
  for (size_t i = 0; i < changes.size(); ++i) {
    const bool is_exact = !outputs.golden[i].is_floating_point() && !outputs.golden[i].is_complex();
    if (is_exact ? !changes[i].is_identical : !changes[i].is_masked()) return false;
  }
  return true;
}

/// Values beyond this may overflow in one order of summation and not in another.
constexpr double kNearOverflow = 0x1p123;

bool is_near_border_of_masked(const Change& change, double rounding) {
  const double slack = change.faulty_slack(rounding);
  return change.is_masked(slack) != change.is_masked(-slack);
}

void check_fits(const std::vector<CriterionPtr>& criteria) {
  if (criteria.size() > 32) {
    throw UserError(ErrorCode::usage,
                    std::to_string(criteria.size()) + " criteria were given: expected at most 32 at a time");
  }
}

}  // namespace

std::string_view to_string(OutcomeClass kind) {
  switch (kind) {
    case OutcomeClass::masked:
      return "masked";
    case OutcomeClass::benign:
      return "benign";
    case OutcomeClass::sdc:
      return "sdc";
    case OutcomeClass::due:
      return "due";
    case OutcomeClass::crash:
      return "crash";
    case OutcomeClass::hang:
      return "hang";
  }
  throw InternalError("an outcome class without a name");
}

Outcome judge(const OutputPair& outputs, const std::vector<CriterionPtr>& criteria) {
  check_fits(criteria);
  Outcome outcome;
  const std::vector<Change> changes = changes_of(outputs);
  if (is_identical(outputs, changes)) return outcome;
  for (size_t i = 0; i < criteria.size(); ++i) {
    if (criteria[i]->fires(outputs)) outcome.fired |= uint32_t{1} << i;
  }
  if (has_new_nonfinite(outputs)) {
    outcome.kind = OutcomeClass::due;
  } else if (outcome.fired != 0) {
    outcome.kind = OutcomeClass::sdc;
  } else {
    outcome.kind = is_masked(outputs, changes) ? OutcomeClass::masked : OutcomeClass::benign;
  }
  return outcome;
}

bool is_near_border(const OutputPair& outputs, const std::vector<CriterionPtr>& criteria, double rounding) {
  const std::vector<Change> changes = changes_of(outputs);
  const bool is_near = std::any_of(changes.begin(), changes.end(), [&](const Change& change) {
    return change.largest_faulty >= kNearOverflow ||
           (!change.is_identical && is_near_border_of_masked(change, rounding));
  });
  return is_near || std::any_of(criteria.begin(), criteria.end(), [&](const CriterionPtr& criterion) {
           return criterion->is_near_border(outputs, rounding);
         });
}

bool Criterion::is_near_border(const OutputPair& outputs, double) const {
  return !is_identical(outputs, changes_of(outputs));
}

std::vector<RankedClass> top_classes(const at::Tensor& scores, int64_t most) {
  if (most < 0) {
    throw UserError(ErrorCode::usage,
                    "the top " + std::to_string(most) + " classes: expected a number from 0 up");
  }
  return Scores(scores, "a ranking of classes").ranked(most);
}

}  // namespace faultwave
