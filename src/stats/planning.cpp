// SPDX-License-Identifier: Apache-2.0
#include "faultwave/planning.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <boost/math/special_functions/erf.hpp>

#include "faultwave/error.h"
#include "faultwave/interval.h"
#include "faultwave/weighted_sequence.h"

namespace faultwave {
namespace {

void check_between(double value, const char* what) {
  if (value > 0 && value < 1) return;
  throw UserError(ErrorCode::usage,
                  std::string(what) + " is " + std::to_string(value) + ": expected a number between 0 and 1");
}

void check_arguments(double half_width, double rate, double confidence) {
  check_between(half_width, "the half-width");
  check_between(rate, "the expected rate");
  check_between(confidence, "the confidence");
}

double half_width_of(const Interval& interval) {
  return (interval.high - interval.low) / 2;
}

int64_t expected_events(int64_t trials, double rate) {
  return static_cast<int64_t>(std::llround(static_cast<double>(trials) * rate));
}

}  // namespace

int64_t finite_population_trials(double population, double half_width, double rate, double confidence) {
  check_arguments(half_width, rate, confidence);
  if (!(population >= 1)) throw UserError(ErrorCode::usage, "a population of less than one fault");
  const double z = std::sqrt(2.0) * boost::math::erfc_inv(1 - confidence);
  const double trials =
      population / (1 + half_width * half_width * (population - 1) / (z * z * rate * (1 - rate)));
  return static_cast<int64_t>(std::ceil(trials));
}

int64_t clopper_pearson_trials(double half_width, double rate, double confidence) {
  check_arguments(half_width, rate, confidence);
  const auto is_enough = [&](int64_t trials) {
    return half_width_of(clopper_pearson(expected_events(trials, rate), trials, confidence)) <= half_width;
  };
  int64_t enough = 1;
  while (!is_enough(enough))
    enough *= 2;
  int64_t too_few = enough / 2;
  while (enough - too_few > 1) {
    const int64_t middle = too_few + (enough - too_few) / 2;
    (is_enough(middle) ? enough : too_few) = middle;
  }
  return enough;
}

int64_t sequential_trials(double half_width, double rate, double confidence) {
  check_arguments(half_width, rate, confidence);
  constexpr int64_t kFirst = 1024;
  WeightedSequence sequence({.confidence = confidence, .half_width = half_width});
  int64_t trials = 0;
  while (trials == 0 || half_width_of(sequence.interval()) > half_width) {
    const int64_t more = std::max(kFirst, trials / 8);
    const int64_t events = expected_events(trials + more, rate) - expected_events(trials, rate);
    const double guess = trials == 0 ? 0 : shrunken_rate(expected_events(trials, rate), trials, rate);
    sequence.add({{.guess = guess, .trials = more, .events = events}});
    trials += more;
  }
  return trials;
}

}  // namespace faultwave
