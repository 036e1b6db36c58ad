// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/doubts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "src/common/numbers.h"

namespace faultwave {
namespace {

constexpr const char* kOfClasses[] = {"top1", "top5", "topk", "label_topk", "ranking", "confidence", "drop"};

bool takes_softmax(const Criterion& criterion) {
  return criterion.name() == "confidence" || criterion.name() == "drop";
}

bool reads_classes(const Criterion& criterion) {
  return std::any_of(std::begin(kOfClasses), std::end(kOfClasses),
                     [&](const char* name) { return criterion.name() == name; });
}

/// Names of the criteria for which this holds: "top1 and 2 more"; "" if for none.
std::string named(const std::vector<CriterionPtr>& criteria, bool (*holds)(const Criterion&)) {
  std::string first;
  int64_t others = 0;
  for (const CriterionPtr& criterion : criteria) {
    if (!holds(*criterion)) continue;
    if (first.empty()) {
      first = criterion->text();
    } else {
      ++others;
    }
  }
  return others == 0 ? first : first + " and " + std::to_string(others) + " more";
}

bool has_nonfinite(const Outputs& outputs) {
  return std::any_of(outputs.begin(), outputs.end(), [](const at::Tensor& output) {
    const bool can_have = output.is_floating_point() || output.is_complex();
    return can_have && !at::isfinite(output).all().item<bool>();
  });
}

std::string about_nonfinite(const std::vector<Outputs>& golden) {
  const auto count = std::count_if(golden.begin(), golden.end(), has_nonfinite);
  if (count == 0) return "";
  return "NaN or infinity is in the fault-free outputs already, of " + std::to_string(count) + " of the " +
         std::to_string(golden.size()) + " inputs looked at: faults that cause it there are not seen";
}

at::Tensor probabilities_of(const Outputs& outputs) {
  const at::Tensor& first = outputs.front();
  return at::softmax((first.is_quantized() ? first.dequantize() : first).to(at::kDouble).flatten(), 0);
}

/// Entropy of the softmax in parts of the most there is, mean over inputs; 0 where that cannot be told.
double evenness(const std::vector<Outputs>& golden) {
  double sum = 0;
  for (const Outputs& outputs : golden) {
    const at::Tensor p = probabilities_of(outputs);
    const double entropy = -at::xlogy(p, p).sum().item<double>();
    sum += entropy / std::log(static_cast<double>(p.numel()));
  }
  const double mean = sum / static_cast<double>(golden.size());
  return std::isfinite(mean) ? mean : 0;
}

std::string about_scores(const std::vector<Outputs>& golden, const std::string& readers) {
  constexpr int64_t kFewest = 16;
  constexpr double kEven = 0.95;
  const int64_t classes = class_count_of(golden.front());
  if (classes < kFewest || evenness(golden) <= kEven) return "";
  const double best = probabilities_of(golden.front()).max().item<double>();
  const std::string percent = format_digits(100 * best, 2) + " %";
  return "the scores hardly tell the " + std::to_string(classes) + " classes apart (the best has " + percent +
         "): " + readers + " may mean nothing if the first output is not scores, or the network not trained";
}

std::string about_form(const std::vector<Outputs>& golden, const std::vector<CriterionPtr>& criteria) {
  const std::string readers = named(criteria, reads_classes);
  if (golden.empty() || readers.empty()) return "";
  switch (kind_of_outputs(golden)) {
    case OutputKind::share:
    case OutputKind::number:
      return "the first output is a single number, which is always the best of its one class: " + readers +
             " can hardly fire; differs(x) reads numbers";
    case OutputKind::embedding:
      return "the first output looks like an embedding, not like scores of " +
             std::to_string(class_count_of(golden.front())) + " classes (a vector of length 1): " + readers +
             " may mean nothing; differs(x) reads any numbers";
    case OutputKind::scores:
      return about_scores(golden, readers);
    default:
      return "";
  }
}

std::string about_softmax(const std::vector<Outputs>& golden, const std::vector<CriterionPtr>& criteria) {
  const std::string readers = named(criteria, takes_softmax);
  if (readers.empty() || kind_of_outputs(golden) != OutputKind::probabilities) return "";
  return "the scores are probabilities already, and " + readers +
         " takes a softmax of them, so it hardly ever fires: differs(0.2) reads them as they are";
}

}  // namespace

std::vector<std::string> doubts_about(const std::vector<Outputs>& golden,
                                      const std::vector<CriterionPtr>& criteria) {
  std::vector<std::string> doubts;
  for (std::string& doubt : std::vector<std::string>{about_nonfinite(golden), about_form(golden, criteria),
                                                     about_softmax(golden, criteria)}) {
    if (!doubt.empty()) doubts.push_back(std::move(doubt));
  }
  return doubts;
}

std::string doubt_about_labels(const std::vector<int64_t>& labels, int64_t classes) {
  const auto is_outside = [classes](int64_t label) { return label < 0 || label >= classes; };
  const auto count = std::count_if(labels.begin(), labels.end(), is_outside);
  if (count == 0 || classes == 0) return "";
  const auto first = std::find_if(labels.begin(), labels.end(), is_outside);
  return std::to_string(count) + " of " + std::to_string(labels.size()) +
         " labels are no class of the network, which has " + std::to_string(classes) +
         ", counted from 0: the first is " + std::to_string(*first) + ", of input " +
         std::to_string(first - labels.begin());
}

}  // namespace faultwave
