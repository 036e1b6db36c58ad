// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/outcome.h"

namespace faultwave {

/// One kind of criterion, as the list of all.cpp holds it.
struct CriterionKind {
  std::string name;       ///< "confidence"
  std::string form;       ///< how to write it: "confidence(x)"
  size_t argument_count;  ///< numbers between the parentheses
  /// `arguments` holds argument_count numbers. Throws UserError(usage) if one is out of range.
  CriterionPtr (*make)(const std::vector<double>& arguments);
};

/// All kinds, in the order in which they are shown.
const std::vector<CriterionKind>& criterion_kinds();

CriterionPtr make_top1(const std::vector<double>& arguments);
CriterionPtr make_top5(const std::vector<double>& arguments);
CriterionPtr make_confidence(const std::vector<double>& arguments);
CriterionPtr make_nonfinite(const std::vector<double>& arguments);

/// Whether an output holds a NaN or Inf at a place where the golden one is finite. Where the two differ in
/// shape or type, places cannot be compared, and the golden output counts as a whole.
bool has_new_nonfinite(const OutputPair& outputs);

}  // namespace faultwave
