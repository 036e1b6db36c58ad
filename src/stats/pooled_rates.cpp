// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

#include "faultwave/allocation.h"
#include "faultwave/error.h"

namespace faultwave {
namespace {

// Rates 10^-6 to 10^-0.5 and their mirror images, four a decade; half in between.
constexpr int kHalf = 23;
constexpr size_t kGrid = 2 * kHalf + 1;
constexpr int kIterations = 20;
// The weight, in strata, of what is assumed of a distribution before any trial. It keeps every rate possible.
constexpr double kFlat = 0.5;
constexpr double kCommon = 2;
constexpr double kRateBeforeAll = 0.05;

using Distribution = std::array<double, kGrid>;

struct Grid {
  Distribution rate{};
  Distribution log_rate{};
  Distribution log_other{};  // of 1 - rate
};

Grid make_grid() {
  Grid grid;
  for (int i = 0; i < kHalf; ++i) {
    const double rate = std::pow(10.0, -6 + 0.25 * i);
    const auto low = static_cast<size_t>(i);
    const size_t high = kGrid - 1 - low;
    grid.rate[low] = rate;
    grid.rate[high] = 1 - rate;
    grid.log_rate[low] = grid.log_other[high] = std::log(rate);
    grid.log_other[low] = grid.log_rate[high] = std::log1p(-rate);
  }
  grid.rate[kHalf] = 0.5;
  grid.log_rate[kHalf] = grid.log_other[kHalf] = std::log(0.5);
  return grid;
}

const Grid& grid() {
  static const Grid made = make_grid();
  return made;
}

/// Likelihood of a stratum's counts at each rate, the greatest being 1.
Distribution likelihood_of(const StratumTotal& total) {
  Distribution likelihood;
  const auto events = static_cast<double>(total.events);
  const auto others = static_cast<double>(total.trials - total.events);
  for (size_t i = 0; i < kGrid; ++i)
    likelihood[i] = events * grid().log_rate[i] + others * grid().log_other[i];
  const double greatest = *std::max_element(likelihood.begin(), likelihood.end());
  for (double& value : likelihood)
    value = std::exp(value - greatest);
  return likelihood;
}

/// Where rates are thought to be before any trial: flat over the logarithms of low rates, with high ones
/// rarer.
Distribution flat() {
  Distribution prior;
  double sum = 0;
  for (size_t i = 0; i < kGrid; ++i)
    sum += prior[i] = i <= kHalf ? 1.0 : 0.1;
  for (double& value : prior)
    value /= sum;
  return prior;
}

double posterior_mean(const Distribution& prior, const Distribution& likelihood) {
  double sum = 0;
  double mean = 0;
  for (size_t i = 0; i < kGrid; ++i) {
    const double mass = prior[i] * likelihood[i];
    sum += mass;
    mean += mass * grid().rate[i];
  }
  return mean / sum;
}

/// The distribution of rates behind these likelihoods, drawn towards `prior` with the weight of `strata`
/// strata.
Distribution fit(const std::vector<const Distribution*>& likelihoods, const Distribution& prior,
                 double strata) {
  Distribution fitted = prior;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    Distribution next;
    for (size_t i = 0; i < kGrid; ++i)
      next[i] = strata * prior[i];
    for (const Distribution* likelihood : likelihoods) {
      double sum = 0;
      for (size_t i = 0; i < kGrid; ++i)
        sum += fitted[i] * (*likelihood)[i];
      for (size_t i = 0; i < kGrid; ++i)
        next[i] += fitted[i] * (*likelihood)[i] / sum;
    }
    const double all = strata + static_cast<double>(likelihoods.size());
    for (size_t i = 0; i < kGrid; ++i)
      fitted[i] = next[i] / all;
  }
  return fitted;
}

void check(const std::vector<StratumTotal>& totals, const std::vector<size_t>& kinds) {
  if (!kinds.empty() && kinds.size() != totals.size()) {
    throw UserError(ErrorCode::usage, "kinds of " + std::to_string(kinds.size()) + " strata for " +
                                          std::to_string(totals.size()) +
                                          ": expected one a stratum, or none");
  }
  for (const StratumTotal& total : totals) {
    if (total.events >= 0 && total.events <= total.trials) continue;
    throw UserError(ErrorCode::usage, "a stratum with " + std::to_string(total.events) + " events in " +
                                          std::to_string(total.trials) +
                                          " trials: expected 0 <= events <= trials");
  }
}

}  // namespace

std::vector<double> pooled_rates(const std::vector<StratumTotal>& totals, const std::vector<size_t>& kinds) {
  check(totals, kinds);
  std::vector<Distribution> likelihoods;
  std::vector<const Distribution*> tried;  // of strata with trials; the others say nothing
  std::map<size_t, std::vector<const Distribution*>> tried_of_kind;
  likelihoods.reserve(totals.size());
  for (size_t h = 0; h < totals.size(); ++h) {
    likelihoods.push_back(likelihood_of(totals[h]));
    if (totals[h].trials == 0) continue;
    tried.push_back(&likelihoods.back());
    if (!kinds.empty()) tried_of_kind[kinds[h]].push_back(&likelihoods.back());
  }
  if (tried.empty()) return std::vector<double>(totals.size(), kRateBeforeAll);

  const Distribution common = fit(tried, flat(), kFlat);
  std::map<size_t, Distribution> of_kind;
  for (const auto& [kind, likely] : tried_of_kind)
    of_kind[kind] = fit(likely, common, kCommon);
  std::vector<double> rates;
  for (size_t h = 0; h < totals.size(); ++h) {
    const auto found = kinds.empty() ? of_kind.end() : of_kind.find(kinds[h]);
    rates.push_back(posterior_mean(found == of_kind.end() ? common : found->second, likelihoods[h]));
  }
  return rates;
}

double shrunken_rate(int64_t events, int64_t trials, double overall) {
  const double prior = std::clamp(overall, 1e-6, 1 - 1e-6);
  return (static_cast<double>(events) + prior) / (static_cast<double>(trials) + 1);
}

}  // namespace faultwave
