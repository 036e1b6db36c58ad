// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faultwave/outcome.h"

namespace faultwave {

/// One kind of criterion, as the list of all.cpp holds it.
struct CriterionKind {
  std::string name;                    ///< "boxes_lost"
  std::vector<std::string> arguments;  ///< what the numbers between the parentheses are: "iou", "score"
  size_t required;                     ///< how many of them cannot be left out
  /// `arguments` holds between `required` and all of the numbers. Throws UserError(usage) if one is out of
  /// range.
  CriterionPtr (*make)(const std::vector<double>& arguments);

  /// How to write it: "boxes_lost(iou[,score])".
  std::string form() const;
};

/// All kinds, in the order in which they are shown.
const std::vector<CriterionKind>& criterion_kinds();

CriterionPtr make_top1(const std::vector<double>& arguments);
CriterionPtr make_top5(const std::vector<double>& arguments);
CriterionPtr make_topk(const std::vector<double>& arguments);
CriterionPtr make_label_topk(const std::vector<double>& arguments);
CriterionPtr make_ranking(const std::vector<double>& arguments);
CriterionPtr make_confidence(const std::vector<double>& arguments);
CriterionPtr make_drop(const std::vector<double>& arguments);
CriterionPtr make_differs(const std::vector<double>& arguments);
CriterionPtr make_differs_relative(const std::vector<double>& arguments);
CriterionPtr make_nonfinite(const std::vector<double>& arguments);
CriterionPtr make_boxes_lost(const std::vector<double>& arguments);
CriterionPtr make_boxes_phantom(const std::vector<double>& arguments);
CriterionPtr make_boxes_class(const std::vector<double>& arguments);
CriterionPtr make_boxes_moved(const std::vector<double>& arguments);
CriterionPtr make_map(const std::vector<double>& arguments);

/// Whether a criterion of the user's own may have this name.
bool is_own_criterion(const std::string& name);

/// The first of a criterion's arguments as a number of classes. `name` is the criterion, for the message.
/// Throws UserError(usage) unless it is a whole number from 1 up.
int64_t class_count(const char* name, const std::vector<double>& arguments);

/// Whether an output holds a NaN or Inf at a place where the golden one is finite. Where the two differ in
/// shape or type, places cannot be compared, and the golden output counts as a whole.
bool has_new_nonfinite(const OutputPair& outputs);

}  // namespace faultwave
