// SPDX-License-Identifier: Apache-2.0
// Do the intervals hold the true rate as often as they say, and at which price? Campaigns are simulated:
// rounds of binomial counts from populations whose rates are known. Each is followed to its end, and read
// where a fixed size, a half-width, or someone who waits for the interval to miss would have stopped it.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "faultwave/weighted_sequence.h"

namespace {

using namespace faultwave;
using Random = std::mt19937_64;

struct Population {
  std::vector<double> weights;
  std::vector<double> rates;
  std::vector<size_t> kinds;

  size_t size() const { return weights.size(); }
  double rate() const {
    double sum = 0;
    for (size_t h = 0; h < size(); ++h)
      sum += weights[h] * rates[h];
    return sum;
  }
};

Population one_stratum(double rate) {
  return {{1.0}, {rate}, {0}};
}

/// Weights and rates of 200 strata that differ by orders of magnitude, with this rate over all.
Population uneven(double rate) {
  Random random(200);
  std::normal_distribution<double> normal;
  Population population;
  double sum = 0;
  for (size_t h = 0; h < 200; ++h) {
    population.weights.push_back(std::exp(normal(random)));
    sum += population.weights.back();
    population.rates.push_back(std::exp(2 * normal(random)));
    population.kinds.push_back(0);
  }
  for (double& weight : population.weights)
    weight /= sum;
  // Scaled again and again, since none may exceed one.
  for (int step = 0; step < 100; ++step) {
    const double now = population.rate();
    for (double& value : population.rates)
      value = rate == 0 ? 0 : std::min(0.95, value * rate / now);
  }
  return population;
}

/// Classes of bits as FP32 strata have them, with rates as measured on convolutional networks: only the top
/// bit of the exponent does much.
Population fp32_bits(size_t layers, Random& random) {
  struct Class {
    int bits;
    double rate, spread;  // spread: standard deviation of the logarithm over layers
  };
  constexpr Class kClasses[] = {{20, 1e-7, 1},  {3, 5e-6, 1},   {3, 1.5e-4, 0.6}, {2, 4e-4, 0.6},
                                {2, 2e-3, 0.6}, {1, 0.19, 0.3}, {1, 1e-3, 0.6}};
  std::normal_distribution<double> normal;
  Population population;
  std::vector<double> sizes;
  for (size_t i = 0; i < layers; ++i)
    sizes.push_back(std::exp(normal(random)));
  double sum = 0;
  for (const double size : sizes)
    sum += size;
  for (const double size : sizes) {
    for (size_t kind = 0; kind < std::size(kClasses); ++kind) {
      const Class& bits = kClasses[kind];
      population.weights.push_back(size / sum * bits.bits / 32);
      population.rates.push_back(std::min(0.9, bits.rate * std::exp(bits.spread * normal(random))));
      population.kinds.push_back(kind);
    }
  }
  return population;
}

Population int8_bits(size_t layers, Random& random) {
  constexpr double kRates[] = {1e-6, 1e-5, 5e-5, 3e-4, 1e-3, 3e-3, 1e-2, 2e-2};
  std::normal_distribution<double> normal;
  Population population;
  for (size_t i = 0; i < layers; ++i) {
    const double of_layer = std::exp(0.6 * normal(random));
    for (size_t bit = 0; bit < 8; ++bit) {
      population.weights.push_back(1.0 / static_cast<double>(8 * layers));
      population.rates.push_back(std::min(0.9, kRates[bit] * of_layer));
      population.kinds.push_back(bit);
    }
  }
  return population;
}

enum class Scheme { proportional, adaptive };

/// A campaign that grows round by round, and what a reader sees.
class Simulation {
 public:
  Simulation(const Population& population, Scheme scheme, const SequenceTarget& target, uint64_t seed)
      : population_(population),
        scheme_(scheme),
        target_(target),
        random_(seed),
        sequence_(target),
        totals_(population.size()) {}

  int64_t trials() const { return trials_; }
  int64_t events() const {
    int64_t sum = 0;
    for (const StratumTotal& total : totals_)
      sum += total.events;
    return sum;
  }
  Interval interval() const { return sequence_.interval(); }

  void round(int64_t trials) {
    const std::vector<double> rates = pooled_rates(totals_, population_.kinds);
    const bool adapts = scheme_ == Scheme::adaptive && trials_ > 0;
    const std::vector<double> shares =
        adapts ? best_shares(population_.weights, rates, target_) : population_.weights;
    RoundCounts counts;
    int64_t left = trials;
    double share_left = 1;
    for (size_t h = 0; h < population_.size(); ++h) {
      const double part = h + 1 == population_.size() ? 1 : std::clamp(shares[h] / share_left, 0.0, 1.0);
      const int64_t drawn = binomial(left, part);
      const int64_t events = binomial(drawn, population_.rates[h]);
      counts.push_back({population_.weights[h], shares[h], trials_ > 0 ? rates[h] : 0, drawn, events});
      left -= drawn;
      share_left -= shares[h];
      totals_[h].trials += drawn;
      totals_[h].events += events;
    }
    trials_ += trials;
    sequence_.add(counts);
  }

 private:
  int64_t binomial(int64_t trials, double rate) {
    return trials == 0 ? 0 : std::binomial_distribution<int64_t>(trials, rate)(random_);
  }

  const Population& population_;
  Scheme scheme_;
  SequenceTarget target_;
  Random random_;
  WeightedSequence sequence_;
  std::vector<StratumTotal> totals_;
  int64_t trials_ = 0;
};

bool holds(const Interval& interval, double rate) {
  return interval.low <= rate && rate <= interval.high;
}

/// Sums over campaigns that ended by one rule.
struct Tally {
  std::string rule;
  int64_t campaigns = 0;
  int64_t covered = 0;
  double half_width = 0;
  double trials = 0;

  void add(const Interval& interval, double rate, int64_t size) {
    ++campaigns;
    covered += holds(interval, rate);
    half_width += faultwave::half_width(interval);
    trials += static_cast<double>(size);
  }
  double share(double sum) const { return sum / static_cast<double>(campaigns); }
};

constexpr int64_t kMost = 20'000;
constexpr char kMisused[] = "waits for a miss, Clopper-Pearson";

std::vector<Tally> cover(const Population& population, Scheme scheme, double half_width, int campaigns) {
  const double rate = population.rate();
  const bool is_uniform = population.size() == 1;
  Tally fixed{"fixed size"}, narrow{"half-width"}, hostile{"waits for a miss"};
  Tally exact{"fixed size, Clopper-Pearson"}, misused{kMisused};
  for (int i = 0; i < campaigns; ++i) {
    Simulation campaign(population, scheme, {.half_width = half_width}, static_cast<uint64_t>(i) + 1);
    Interval now;
    bool is_narrow = false, is_missed = false, is_misused = false;
    while (campaign.trials() < kMost) {
      campaign.round(std::min(std::max<int64_t>(500, campaign.trials() / 4), kMost - campaign.trials()));
      now = campaign.interval();
      const bool is_last = campaign.trials() == kMost;
      if (!is_narrow && (is_last || faultwave::half_width(now) <= half_width)) {
        narrow.add(now, rate, campaign.trials());
        is_narrow = true;
      }
      if (!is_missed && (is_last || !holds(now, rate))) {
        hostile.add(now, rate, campaign.trials());
        is_missed = true;
      }
      if (!is_uniform || is_misused) continue;
      const Interval by_size = clopper_pearson(campaign.events(), campaign.trials());
      if (is_last || !holds(by_size, rate)) {
        misused.add(by_size, rate, campaign.trials());
        is_misused = true;
      }
    }
    fixed.add(now, rate, kMost);
    if (is_uniform) exact.add(clopper_pearson(campaign.events(), kMost), rate, kMost);
  }
  if (is_uniform) return {exact, misused, fixed, narrow, hostile};
  return {fixed, narrow, hostile};
}

/// Mean trials until the half-width, in rounds that grow by `part` of all before.
double trials_until(const Population& population, Scheme scheme, double half_width, uint64_t seed,
                    double part) {
  Simulation campaign(population, scheme, {.half_width = half_width}, seed);
  do {
    campaign.round(
        std::max<int64_t>(1'000, static_cast<int64_t>(part * static_cast<double>(campaign.trials()))));
  } while (faultwave::half_width(campaign.interval()) > half_width);
  return static_cast<double>(campaign.trials());
}

/// What stratification saves: mean trials of campaigns to a half-width, and of uniform ones.
template <typename Make>
nlohmann::json price(const std::string& name, Make make, double half_width, int campaigns) {
  double rate = 0, adaptive = 0, uniform = 0, fixed = 0, limit = 0;
  for (int i = 0; i < campaigns; ++i) {
    Random random(static_cast<uint64_t>(i) + 1);
    const Population population = make(random);
    const Population whole = one_stratum(population.rate());
    const auto seed = static_cast<uint64_t>(i) + 1;
    constexpr double kPart = 0.125;
    adaptive += trials_until(population, Scheme::adaptive, half_width, seed, kPart) / campaigns;
    uniform += trials_until(whole, Scheme::proportional, half_width, seed, kPart) / campaigns;
    // 2.5758^2 p (1 - p) / e^2, what Clopper-Pearson tends to.
    fixed += 6.6349 * whole.rates[0] * (1 - whole.rates[0]) / (half_width * half_width) / campaigns;
    const SequenceTarget target{.half_width = half_width};
    limit += expected_trials(population.weights, population.rates,
                             best_shares(population.weights, population.rates, target), target) /
             campaigns;
    rate += whole.rates[0] / campaigns;
  }
  std::printf("%-24s %8.4f %% %8.3f %% %11.0f %11.0f %11.0f %11.0f %8.1f %8.1f\n", name.c_str(), 100 * rate,
              100 * half_width, fixed, uniform, adaptive, limit, uniform / adaptive, fixed / adaptive);
  return {{"population", name}, {"rate", rate},         {"half_width", half_width}, {"uniform_fixed", fixed},
          {"uniform", uniform}, {"adaptive", adaptive}, {"rates_known", limit},     {"campaigns", campaigns}};
}

nlohmann::json prices(int campaigns) {
  std::printf("\n%-24s %10s %10s %11s %11s %11s %11s %8s %8s\n", "population", "rate", "half-width",
              "fixed size", "uniform", "adaptive", "known", "saves", "v. fixed");
  nlohmann::json rows;
  const auto fp32 = [](size_t layers) { return [=](Random& random) { return fp32_bits(layers, random); }; };
  const auto int8 = [](size_t layers) { return [=](Random& random) { return int8_bits(layers, random); }; };
  for (const double half_width : {0.001, 0.0002}) {
    rows.push_back(price("FP32 bits, 8 layers", fp32(8), half_width, campaigns));
    rows.push_back(price("FP32 bits, 50 layers", fp32(50), half_width, campaigns));
    rows.push_back(price("INT8 bits, 50 layers", int8(50), half_width, campaigns));
  }
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  const int campaigns = argc > 1 ? std::atoi(argv[1]) : 2'000;
  const auto start = std::chrono::steady_clock::now();
  nlohmann::json rows;
  bool is_enough = true;
  std::printf("%-22s %8s  %-34s %9s %11s %9s\n", "sampling", "rate", "ends by", "coverage", "half-width",
              "trials");
  const struct {
    double rate, half_width;
  } cases[] = {{0, 5e-4}, {1e-4, 6e-4}, {1e-2, 3.3e-3}, {0.3, 1.5e-2}};
  for (const auto& [rate, half_width] : cases) {
    const auto report = [&](const char* sampling, const std::vector<Tally>& tallies) {
      for (const Tally& tally : tallies) {
        const double coverage = tally.share(static_cast<double>(tally.covered));
        std::printf("%-22s %8g  %-34s %7.2f %% %9.4f %% %9.0f\n", sampling, rate, tally.rule.c_str(),
                    100 * coverage, 100 * tally.share(tally.half_width), tally.share(tally.trials));
        rows.push_back({{"sampling", sampling},
                        {"rate", rate},
                        {"ends_by", tally.rule},
                        {"campaigns", tally.campaigns},
                        {"covered", tally.covered},
                        {"half_width", tally.share(tally.half_width)},
                        {"trials", tally.share(tally.trials)}});
        if (tally.rule == kMisused) continue;
        // Sequences are conservative. Clopper-Pearson is nearly tight where events abound, so three standard
        // deviations of what 1 % of so many campaigns may be are left for chance.
        const double misses = static_cast<double>(tally.campaigns - tally.covered);
        const double allowed = 0.01 * static_cast<double>(tally.campaigns);
        is_enough = is_enough && misses <= allowed + 3 * std::sqrt(allowed);
      }
    };
    report("uniform", cover(one_stratum(rate), Scheme::proportional, half_width, campaigns));
    const Population strata = uneven(rate);
    report("200 strata, fixed", cover(strata, Scheme::proportional, half_width, campaigns));
    report("200 strata, adaptive", cover(strata, Scheme::adaptive, half_width, campaigns));
    std::fflush(stdout);
  }
  const nlohmann::json priced = prices(std::clamp(campaigns / 100, 1, 20));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (argc > 2) {
    std::ofstream(argv[2])
        << nlohmann::json{{"coverage", rows}, {"price", priced}, {"seconds", seconds.count()}}.dump(2)
        << "\n";
  }
  if (is_enough) return 0;
  std::cerr << "coverage: an interval missed more often than in 1 % of campaigns\n";
  return 1;
}
