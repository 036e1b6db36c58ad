// SPDX-License-Identifier: Apache-2.0
#include "src/cli/inject_report.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "src/campaign/columns.h"
#include "src/cli/element_text.h"
#include "src/cli/receipt_text.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

std::string fired_text(const Outcome& outcome, const std::vector<CriterionPtr>& criteria) {
  std::string text;
  for (size_t i = 0; i < criteria.size(); ++i) {
    if (((outcome.fired >> i) & 1) != 0) text += (text.empty() ? ": " : ", ") + criteria[i]->text();
  }
  return std::string(outcome_name(outcome.kind, judges_finite(criteria))) + text;
}

std::string texts_of(const std::vector<CriterionPtr>& criteria) {
  std::string text;
  for (const CriterionPtr& criterion : criteria)
    text += (text.empty() ? "" : ", ") + criterion->text();
  return text;
}

/// "20 inputs: masked 12, sdc 8 (top1 6, top5 2)".
std::string summary_text(const std::vector<Element>& elements, const std::vector<CriterionPtr>& criteria) {
  std::map<OutcomeClass, int64_t> classes;
  std::vector<int64_t> fired(criteria.size());
  for (const Element& element : elements) {
    ++classes[element.outcome.kind];
    for (size_t i = 0; i < criteria.size(); ++i)
      fired[i] += (element.outcome.fired >> i) & 1;
  }
  std::string text = grouped(static_cast<int64_t>(elements.size())) + " inputs";
  std::string separator = ": ";
  for (const auto& [kind, count] : classes) {
    text += separator + std::string(outcome_name(kind, judges_finite(criteria))) + " " + grouped(count);
    separator = ", ";
  }
  separator = "; fired: ";
  for (size_t i = 0; i < criteria.size(); ++i) {
    if (fired[i] == 0) continue;
    text += separator + criteria[i]->text() + " " + grouped(fired[i]);
    separator = ", ";
  }
  return text;
}

/// A line an input.
void print_lines(const std::vector<Element>& elements, const std::vector<CriterionPtr>& criteria) {
  std::vector<std::array<std::string, 4>> rows = {{"input", "golden", "faulty", "outcome"}};
  for (const Element& element : elements) {
    const ShortElement shown = short_element(element.golden, element.faulty);
    rows.push_back({element.name, shown.golden, shown.faulty, fired_text(element.outcome, criteria)});
  }
  std::array<size_t, 4> widths{};
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i)
      std::cout << row[i] << std::string(widths[i] - row[i].size() + 2, ' ');
    std::cout << row.back() << "\n";
  }
}

void print_elements(const std::vector<Element>& elements, const std::vector<CriterionPtr>& criteria) {
  for (const Element& element : elements) {
    if (elements.size() > 1) std::cout << element.name << "\n";
    std::cout << element_text(element.golden, element.faulty) << "outcome   "
              << fired_text(element.outcome, criteria) << "\n";
  }
}

/// None where the outputs are no scores, or the run crashed.
nlohmann::ordered_json classes_json(const Outputs& outputs, bool are_scores) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  if (!are_scores || class_count_of(outputs) == 0) return list;
  for (const RankedClass& ranked : top_classes(outputs[0])) {
    list.push_back({{"class", ranked.index}, {"probability", json_number(ranked.probability)}});
  }
  return list;
}

}  // namespace

void print_text(const FaultyRun& run, const std::vector<Element>& elements, const Judges& judges) {
  constexpr size_t kMostAtLength = 4;
  for (const Receipt& receipt : run.receipts)
    std::cout << receipt_text(receipt);
  if (!run.crash.empty()) {
    // A run that was not ended has no receipt, which would have named the fault.
    if (run.receipts.empty()) std::cout << "fault     " << run.faults << "\n";
    std::cout << "crashed   " << run.crash << "\n";
  }
  if (elements.size() > kMostAtLength) {
    print_lines(elements, judges.criteria);
  } else {
    print_elements(elements, judges.criteria);
  }
  if (elements.size() > 1) std::cout << "summary   " << summary_text(elements, judges.criteria) << "\n";
  if (judges.chosen_for.empty()) return;
  std::cout << "criteria  " << texts_of(judges.criteria) << ", chosen for " << judges.chosen_for
            << (judges_finite(judges.criteria) ? "" : ", which no other fits: name one with --criterion")
            << "\n";
}

void print_json(const FaultyRun& run, const std::vector<Element>& elements, const Judges& judges) {
  const std::vector<CriterionPtr>& criteria = judges.criteria;
  const bool is_judged = judges_finite(criteria);
  const std::vector<std::string> columns = criterion_columns(criteria);
  nlohmann::ordered_json json;
  json["receipts"] = nlohmann::ordered_json::array();
  for (const Receipt& receipt : run.receipts)
    json["receipts"].push_back(receipt_json(receipt));
  if (!run.crash.empty()) {
    json["fault"] = run.faults;
    json["crash"] = run.crash;
  }
  json["elements"] = nlohmann::ordered_json::array();
  OutcomeClass worst = OutcomeClass::masked;
  for (const Element& element : elements) {
    nlohmann::ordered_json fired;
    for (size_t i = 0; i < criteria.size(); ++i)
      fired[columns[i]] = ((element.outcome.fired >> i) & 1) != 0;
    const bool are_scores = shows_classes(element.golden);
    json["elements"].push_back({{"input", element.name},
                                {"golden", classes_json(element.golden, are_scores)},
                                {"faulty", classes_json(element.faulty, are_scores)},
                                {"outcome", outcome_name(element.outcome.kind, is_judged)},
                                {"criteria", std::move(fired)}});
    worst = std::max(worst, element.outcome.kind);
  }
  json["outcome"] = outcome_name(worst, is_judged);
  if (!judges.chosen_for.empty()) json["criteria_chosen_for"] = judges.chosen_for;
  std::cout << json.dump(2) << "\n";
}

}  // namespace faultwave::cli
