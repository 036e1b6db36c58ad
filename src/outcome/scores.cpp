// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <type_traits>

#include "src/common/shape.h"
#include "src/outcome/change.h"
#include "src/outcome/values.h"

namespace faultwave {
namespace {

template <typename Number>
bool not_a_number(Number value) {
  return value != value;  // holds for no integer
}

/// What softmax needs to know of all scores.
struct SoftmaxTotal {
  double highest = -std::numeric_limits<double>::infinity();
  double sum = 0;  // of exp(score - highest); where `highest` is infinite, the number of scores equal to it
  bool has_nan = false;

  double probability(double score) const {
    if (has_nan) return std::numeric_limits<double>::quiet_NaN();
    if (std::isinf(highest)) return score == highest ? 1 / sum : 0;
    return std::exp(score - highest) / sum;
  }
};

template <typename Value>
SoftmaxTotal softmax_total(const Value* values, int64_t count) {
  SoftmaxTotal total;
  for (int64_t i = 0; i < count; ++i) {
    const auto score = static_cast<double>(as_number(values[i]));
    total.has_nan |= not_a_number(score);
    total.highest = std::max(total.highest, score);
  }
  if (total.has_nan) return total;
  const bool infinite = std::isinf(total.highest);
  for (int64_t i = 0; i < count; ++i) {
    const auto score = static_cast<double>(as_number(values[i]));
    total.sum += infinite ? (score == total.highest ? 1 : 0) : std::exp(score - total.highest);
  }
  return total;
}

}  // namespace

Scores::Scores(const at::Tensor& tensor, std::string_view reader) {
  const auto sizes = tensor.sizes();
  const bool is_one_row =
      std::any_of(sizes.begin(), sizes.end(), [&](int64_t size) { return size == tensor.numel(); });
  if (!is_one_row || tensor.numel() == 0 || tensor.is_complex()) {
    throw UserError(ErrorCode::bad_input,
                    std::string(reader) +
                        " needs the scores of a classifier, real numbers of shape [classes], as "
                        "the network's first output, and got " +
                        c10::toString(tensor.scalar_type()) + " " + shape_text(tensor.sizes()));
  }
  values_ = plain_values(tensor);
}

int64_t Scores::best() const {
  return visit_values(values_, [](const auto* values, int64_t count) {
    int64_t best = -1;
    for (int64_t i = 0; i < count; ++i) {
      const auto score = as_number(values[i]);
      if (!not_a_number(score) && (best < 0 || score > as_number(values[best]))) best = i;
    }
    return best;
  });
}

bool Scores::is_nan(int64_t index) const {
  return visit_values(
      values_, [index](const auto* values, int64_t) { return not_a_number(as_number(values[index])); });
}

bool Scores::is_among(int64_t index, int64_t most) const {
  if (index < 0 || index >= classes() || is_nan(index)) return false;
  return visit_values(values_, [index, most](const auto* values, int64_t count) {
    const auto score = as_number(values[index]);
    int64_t ahead = 0;  // comparisons with NaN are false
    for (int64_t i = 0; i < index; ++i) {
      ahead += as_number(values[i]) >= score;
    }
    for (int64_t i = index + 1; i < count; ++i) {
      ahead += as_number(values[i]) > score;
    }
    return ahead < most;
  });
}

double Scores::probability(int64_t index) const {
  return visit_values(values_, [index](const auto* values, int64_t count) {
    return softmax_total(values, count).probability(static_cast<double>(as_number(values[index])));
  });
}

// The odds of a class are exp(its score) over the sum of exp(score) of all others. If every score moves, the
// sum is multiplied by a factor between the least and the greatest exp(shift) among the others. So the log
// odds move by at most the greatest distance between the shift of the class and the shift of another one.
double Scores::log_odds_bound(const Scores& other, int64_t index) const {
  constexpr double unknown = std::numeric_limits<double>::infinity();
  if (values_.scalar_type() != other.values_.scalar_type() || classes() != other.classes()) return unknown;
  return visit_values(values_, [&](const auto* values, int64_t count) {
    using Value = std::remove_cvref_t<decltype(*values)>;
    const Value* others = other.values_.template const_data_ptr<Value>();
    const auto shift_of = [&](int64_t i) {
      return static_cast<double>(as_number(others[i])) - static_cast<double>(as_number(values[i]));
    };
    double least = unknown;
    double greatest = -unknown;
    bool finite = true;
    for (int64_t i = 0; i < count; ++i) {
      const double shift = shift_of(i);
      finite &= std::abs(shift) <= std::numeric_limits<double>::max();  // false for NaN
      least = std::min(least, shift);
      greatest = std::max(greatest, shift);
    }
    if (!finite) return unknown;
    const double shift = shift_of(index);
    const double rounding = 1e-15 * std::max(std::abs(least), std::abs(greatest));
    return std::max(greatest - shift, shift - least) + rounding;
  });
}

double Scores::log_odds(int64_t index) const {
  return visit_values(values_, [index](const auto* values, int64_t count) {
    double highest = -std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < count; ++i) {
      const auto score = static_cast<double>(as_number(values[i]));
      if (not_a_number(score)) return score;
      if (i != index) highest = std::max(highest, score);
    }
    const auto own = static_cast<double>(as_number(values[index]));
    if (std::isinf(highest)) return own == highest ? 0 : own - highest;
    double rivals = 0;
    for (int64_t i = 0; i < count; ++i) {
      if (i != index) rivals += std::exp(static_cast<double>(as_number(values[i])) - highest);
    }
    return own - highest - std::log(rivals);
  });
}

bool Scores::has_near_tie(int64_t first, int64_t last, double slack) const {
  const std::vector<int64_t> best_first = order(last + 1);
  return visit_values(values_, [&](const auto* values, int64_t) {
    for (size_t place = static_cast<size_t>(first) + 1; place < best_first.size(); ++place) {
      const auto better = static_cast<double>(as_number(values[best_first[place - 1]]));
      const auto worse = static_cast<double>(as_number(values[best_first[place]]));
      if (better - worse <= slack) return true;
    }
    return false;
  });
}

std::vector<int64_t> Scores::order(int64_t most) const {
  return visit_values(values_, [most](const auto* values, int64_t count) {
    std::vector<int64_t> order(count);
    std::iota(order.begin(), order.end(), int64_t{0});
    const auto comes_before = [values](int64_t a, int64_t b) {
      const auto score_a = as_number(values[a]);
      const auto score_b = as_number(values[b]);
      if (not_a_number(score_a) != not_a_number(score_b)) return not_a_number(score_b);
      if (not_a_number(score_a) || score_a == score_b) return a < b;
      return score_a > score_b;
    };
    const int64_t kept = std::min(most, count);
    std::partial_sort(order.begin(), order.begin() + kept, order.end(), comes_before);
    order.resize(kept);
    return order;
  });
}

std::vector<RankedClass> Scores::ranked(int64_t most) const {
  const std::vector<int64_t> best_first = order(most);
  return visit_values(values_, [&](const auto* values, int64_t count) {
    const SoftmaxTotal total = softmax_total(values, count);
    std::vector<RankedClass> classes;
    for (const int64_t index : best_first) {
      const auto score = static_cast<double>(as_number(values[index]));
      classes.push_back({index, total.probability(score)});
    }
    return classes;
  });
}

NearScores::NearScores(const OutputPair& outputs, double rounding, std::string_view reader)
    : golden(first_output(outputs.golden, reader)), faulty(first_output(outputs.faulty, reader)) {
  const Change change = change_of(outputs.golden.front(), outputs.faulty.front());
  golden_slack = change.golden_slack(rounding);
  faulty_slack = change.faulty_slack(rounding);
}

Scores first_output(const std::vector<at::Tensor>& outputs, std::string_view reader) {
  if (outputs.empty()) {
    throw UserError(
        ErrorCode::bad_input,
        std::string(reader) + " needs the scores of a classifier, and the network has no outputs");
  }
  return Scores(outputs.front(), reader);
}

}  // namespace faultwave
