// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faultwave/criterion_type.h"

#include "src/common/registry.h"

namespace faultwave {

/// All criteria that a text can name: the built-in ones in the order in which they are shown, then those of
/// extensions.
Registry<CriterionType>& criterion_types();

CriterionPtr make_top1(const Arguments& arguments);
CriterionPtr make_top5(const Arguments& arguments);
CriterionPtr make_topk(const Arguments& arguments);
CriterionPtr make_label_topk(const Arguments& arguments);
CriterionPtr make_ranking(const Arguments& arguments);
CriterionPtr make_confidence(const Arguments& arguments);
CriterionPtr make_drop(const Arguments& arguments);
CriterionPtr make_differs(const Arguments& arguments);
CriterionPtr make_differs_relative(const Arguments& arguments);
CriterionPtr make_nonfinite(const Arguments& arguments);
CriterionPtr make_boxes_lost(const Arguments& arguments);
CriterionPtr make_boxes_phantom(const Arguments& arguments);
CriterionPtr make_boxes_class(const Arguments& arguments);
CriterionPtr make_boxes_moved(const Arguments& arguments);
CriterionPtr make_map(const Arguments& arguments);

/// Whether a criterion of the user's own may have this name.
bool is_own_criterion(const std::string& name);

/// The argument k of a criterion, a number of classes. `name` is the criterion, for the message. Throws
/// UserError(usage) unless it is a whole number from 1 up.
int64_t class_count(const char* name, const Arguments& arguments);

/// Whether an output holds a NaN or Inf at a place where the golden one is finite. Where the two differ in
/// shape or type, places cannot be compared, and the golden output counts as a whole.
bool has_new_nonfinite(const OutputPair& outputs);

}  // namespace faultwave
