// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <sstream>

#include "faultwave/error.h"
#include "faultwave/outcome.h"

#include "src/common/shape.h"
#include "src/outcome/output_kind.h"

namespace faultwave {
namespace {

/// "float32 [3, 64, 64] and 2 more".
std::string form_of(const Outputs& outputs) {
  if (outputs.empty()) return "no outputs";
  std::ostringstream text;
  text << c10::toString(outputs[0].scalar_type()) << " " << shape_text(outputs[0].sizes());
  if (outputs.size() > 1) text << " and " << outputs.size() - 1 << " more";
  return text.str();
}

std::vector<std::string> of_classes(const Outputs& outputs, const std::string& change) {
  std::vector<std::string> criteria = {"top1"};
  constexpr int64_t kAlwaysAmongThem = 5;
  if (class_count_of(outputs) > kAlwaysAmongThem) criteria.emplace_back("top5");
  if (!change.empty()) criteria.push_back(change);
  if (outputs[0].is_floating_point()) criteria.emplace_back("nonfinite");
  return criteria;
}

}  // namespace

ChosenCriteria choose_criteria(const std::vector<std::vector<at::Tensor>>& golden) {
  const Outputs first = golden.empty() ? Outputs() : golden.front();
  const std::string classes = std::to_string(class_count_of(first)) + " classes";
  switch (kind_of_outputs(golden)) {
    case OutputKind::scores:
      return {of_classes(first, first[0].is_floating_point() ? "confidence(0.2)" : ""),
              "scores of " + classes};
    case OutputKind::probabilities:
      // Softmax of probabilities hardly moves. differs reads all outputs, so it needs this one alone.
      return {of_classes(first, first.size() == 1 ? "differs(0.2)" : ""), "probabilities of " + classes};
    case OutputKind::share:
      return {{"differs(0.2)", "nonfinite"}, "a single number from 0 to 1"};
    case OutputKind::detections:
      return {{"boxes_lost(0.5)", "boxes_phantom(0.5)", "boxes_class(0.5)", "boxes_moved(0.5)", "nonfinite"},
              "boxes of a detector"};
    case OutputKind::integers:
      return {{"differs(0)"}, "integers"};
    case OutputKind::embedding:
      return {{"nonfinite"}, "an embedding of " + std::to_string(first[0].numel()) + " values", false};
    case OutputKind::number:
      return {{"nonfinite"}, "a single number", false};
    case OutputKind::other:
      break;
  }
  return {{"nonfinite"}, form_of(first), false};
}

bool judges_finite(const std::vector<CriterionPtr>& criteria) {
  return std::any_of(criteria.begin(), criteria.end(),
                     [](const CriterionPtr& criterion) { return criterion->name() != "nonfinite"; });
}

bool judges_finite(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [](const std::string& name) { return name != "nonfinite"; });
}

std::string_view outcome_name(OutcomeClass kind, bool is_judged) {
  return kind == OutcomeClass::benign && !is_judged ? "not judged" : to_string(kind);
}

}  // namespace faultwave
