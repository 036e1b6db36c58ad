// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <string>

#include "faultwave/error.h"
#include "faultwave/outcome.h"

#include "src/outcome/criteria.h"
#include "src/outcome/scores.h"
#include "src/outcome/values.h"

namespace faultwave {
namespace {

/// Bit for bit: a zero of the other sign, or a NaN with another payload, differs.
bool is_identical(const at::Tensor& golden, const at::Tensor& faulty) {
  if (golden.scalar_type() != faulty.scalar_type() || golden.sizes() != faulty.sizes()) return false;
  const at::Tensor a = plain_values(golden);
  const at::Tensor b = plain_values(faulty);
  return a.nbytes() == 0 || std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
}

bool is_identical(const OutputPair& outputs) {
  if (outputs.golden.size() != outputs.faulty.size()) return false;
  for (size_t i = 0; i < outputs.golden.size(); ++i) {
    if (!is_identical(outputs.golden[i], outputs.faulty[i])) return false;
  }
  return true;
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
  }
  throw InternalError("an outcome class without a name");
}

Outcome judge(const OutputPair& outputs, const std::vector<CriterionPtr>& criteria) {
  check_fits(criteria);
  Outcome outcome;
  if (is_identical(outputs)) return outcome;
  for (size_t i = 0; i < criteria.size(); ++i) {
    if (criteria[i]->fires(outputs)) outcome.fired |= uint32_t{1} << i;
  }
  if (has_new_nonfinite(outputs)) {
    outcome.kind = OutcomeClass::due;
  } else {
    outcome.kind = outcome.fired != 0 ? OutcomeClass::sdc : OutcomeClass::benign;
  }
  return outcome;
}

Outcome crashed_outcome(const std::vector<CriterionPtr>& criteria) {
  check_fits(criteria);
  const uint64_t all = (uint64_t{1} << criteria.size()) - 1;
  return {.kind = OutcomeClass::due, .fired = static_cast<uint32_t>(all), .crashed = true};
}

std::vector<RankedClass> top_classes(const at::Tensor& scores, int64_t most) {
  if (most < 0) {
    throw UserError(ErrorCode::usage,
                    "the top " + std::to_string(most) + " classes: expected a number from 0 up");
  }
  return Scores(scores, "a ranking of classes").ranked(most);
}

}  // namespace faultwave
