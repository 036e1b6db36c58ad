// SPDX-License-Identifier: Apache-2.0
#include "tests/property/comparison.h"

#include <torch/types.h>

#include <algorithm>

#include "faultwave/error.h"

namespace faultwave::test {
namespace {

std::string receipts_differ(const std::vector<Receipt>& a, const std::vector<Receipt>& b) {
  if (a.size() != b.size()) return "the number of receipts";
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].fault != b[i].fault) return "the fault of a receipt: " + a[i].fault + " and " + b[i].fault;
    if (a[i].hits != b[i].hits) return "the hits of a receipt";
    if (a[i].victims.size() != b[i].victims.size()) return "the victims of a receipt";
    for (size_t v = 0; v < a[i].victims.size(); ++v) {
      const Victim& x = a[i].victims[v];
      const Victim& y = b[i].victims[v];
      if (x.index != y.index || x.element_index != y.element_index) return "the place of a victim";
      // A later fault may hit what an earlier one has changed, which is the same but for rounding.
      if (a.size() > 1) continue;
      if (x.bits_before != y.bits_before || x.bits_after != y.bits_after) return "the bits of a victim";
    }
  }
  return "";
}

double largest_of(const at::Tensor& values) {
  return values.numel() == 0 ? 0 : values.abs().max().item<double>();
}

/// "other places of NaN, first at 7: nan and 0.25"
std::string first_place(const std::string& what, const at::Tensor& a, const at::Tensor& b,
                        const at::Tensor& differs) {
  const auto place = differs.flatten().to(at::kInt).argmax().item<int64_t>();
  return c10::str(what, ", first at ", place, ": ", a.flatten()[place].item<double>(), " and ",
                  b.flatten()[place].item<double>());
}

/// Of one output: what differs beside rounding, and how far finite values lie apart.
Difference output_difference(const at::Tensor& a, const at::Tensor& b, const at::Tensor& golden) {
  if (a.sizes() != b.sizes()) return {"the shape of an output"};
  if (a.scalar_type() != b.scalar_type()) return {"the type of an output"};
  if (!b.is_floating_point()) {
    if (at::equal(a, b)) return {};
    return {first_place("integers", a, b, a != b), 0, /*is_of_integers=*/true};
  }
  if (!at::equal(a.isnan(), b.isnan())) return {first_place("places of NaN", a, b, a.isnan() != b.isnan())};
  const at::Tensor other_inf = a.isinf().logical_or(b.isinf()).logical_and(a != b);
  if (other_inf.any().item<bool>()) return {first_place("places or signs of Inf", a, b, other_inf)};
  const at::Tensor x = a.masked_select(b.isfinite()).to(at::kDouble);
  const at::Tensor y = b.masked_select(b.isfinite()).to(at::kDouble);
  const double change = largest_of(x - y);
  if (change == 0) return {};
  const at::Tensor finite = golden.masked_select(golden.isfinite()).to(at::kDouble);
  return {"", change / std::max(largest_of(y), largest_of(finite))};
}

bool can_judge(const std::vector<at::Tensor>& golden, const CriterionPtr& criterion) {
  try {
    check_criteria(golden, {criterion});
    return true;
  } catch (const UserError&) {
    return false;
  }
}

}  // namespace

Difference difference_of(const TrialOutputs& a, const TrialOutputs& b) {
  if (a.crash != b.crash) return {"the crash: '" + a.crash + "' and '" + b.crash + "'"};
  if (a.faulty.size() != b.faulty.size()) return {"the number of outputs"};
  Difference whole{receipts_differ(a.receipts, b.receipts)};
  for (size_t i = 0; i < a.faulty.size(); ++i) {
    const Difference output = output_difference(a.faulty[i], b.faulty[i], b.golden[i]);
    whole.rounding = std::max(whole.rounding, output.rounding);
    if (!whole.what.empty() || output.what.empty()) continue;
    whole.what = "output " + std::to_string(i) + ", " + output.what;
    whole.is_of_integers = output.is_of_integers;
  }
  return whole;
}

std::vector<CriterionPtr> criteria_for(const std::vector<at::Tensor>& golden) {
  std::vector<CriterionPtr> criteria;
  for (const char* text :
       {"top1", "top5", "topk(2)", "ranking(3)", "confidence(0.1)", "drop(0.1)", "differs(0.01)",
        "differs(1e-4)", "differs_relative(0.01)", "nonfinite", "boxes_lost(0.5)", "boxes_phantom(0.5,0.3)",
        "boxes_class(0.5)", "boxes_moved(0.9)", "map(0.9)"}) {
    const CriterionPtr criterion = parse_criterion(text);
    if (can_judge(golden, criterion)) criteria.push_back(criterion);
  }
  return criteria;
}

std::string outcome_text(const TrialOutputs& outputs, const std::vector<CriterionPtr>& criteria) {
  const Outcome outcome = outputs.crash.empty() ? judge({outputs.golden, outputs.faulty}, criteria)
                                                : Outcome{.kind = OutcomeClass::crash};
  std::string text(to_string(outcome.kind));
  for (size_t i = 0; i < criteria.size(); ++i) {
    if ((outcome.fired >> i & 1) != 0) text += " " + criteria[i]->text();
  }
  return text;
}

bool is_decided_again(const TrialOutputs& outputs, const std::vector<CriterionPtr>& criteria) {
  return outputs.rounding > 0 && outputs.crash.empty() &&
         is_near_border({outputs.golden, outputs.faulty}, criteria, outputs.rounding);
}

}  // namespace faultwave::test
