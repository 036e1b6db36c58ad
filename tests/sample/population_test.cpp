// SPDX-License-Identifier: Apache-2.0
#include "faultwave/population.h"

#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include "faultwave/error.h"

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

Site site(const std::string& name, std::vector<int64_t> shape, at::ScalarType dtype) {
  Site made;
  made.name = name;
  made.shape = std::move(shape);
  made.dtype = dtype;
  made.batch = {0, 1};
  return made;
}

/// 6 values of 32 bits and 2 values of 16 bits: 192 and 32 of 224 bits.
std::vector<Site> two_sites() {
  return {site("wide", {1, 2, 3}, at::kFloat), site("narrow", {1, 2}, at::kHalf)};
}

/// How often each (site, element, bit) comes up in `draws` draws.
std::map<std::string, int> count_draws(const Population& population, int draws) {
  std::map<std::string, int> counts;
  for (int trial = 0; trial < draws; ++trial) {
    Draw draw(99, static_cast<uint64_t>(trial));
    ++counts[to_string(population.fault(population.draw(draw), draw))];
  }
  return counts;
}

/// Fails unless each of `cells` equally likely faults that begin with `prefix` came up as often as it should,
/// within five standard deviations of a binomial count.
void check_uniform(const std::map<std::string, int>& counts, const std::string& prefix, int cells,
                   double probability, int draws) {
  int seen = 0;
  for (const auto& [fault, count] : counts) {
    if (fault.rfind(prefix, 0) != 0) continue;
    ++seen;
    const double expected = draws * probability / cells;
    CAPTURE(fault);
    CHECK(std::abs(count - expected) < 5 * std::sqrt(expected));
  }
  CHECK(seen == cells);
}

TEST_CASE("uniform over all bits: every (value, bit) is as likely as any other") {
  const Population population(two_sites(), DrawRule::bits, bit_flip());
  CHECK(population.probability(0) == doctest::Approx(192.0 / 224));
  CHECK(population.probability(1) == doctest::Approx(32.0 / 224));
  const int draws = 112000;  // 500 a cell
  const auto counts = count_draws(population, draws);
  check_uniform(counts, "output:wide", 192, 192.0 / 224, draws);
  check_uniform(counts, "output:narrow", 32, 32.0 / 224, draws);
}

TEST_CASE("uniform over layers: every site is as likely as any other, then its values, then their bits") {
  const Population population(two_sites(), DrawRule::layers, bit_flip());
  CHECK(population.probability(0) == 0.5);
  CHECK(population.probability(1) == 0.5);
  const int draws = 96000;
  const auto counts = count_draws(population, draws);
  check_uniform(counts, "output:wide", 192, 0.5, draws);
  check_uniform(counts, "output:narrow", 32, 0.5, draws);
}

TEST_CASE("a trial's draw depends on seed and number alone") {
  const auto line = [&](uint64_t seed, uint64_t trial, const ErrorModelPtr& model) {
    const Population population(two_sites(), DrawRule::bits, model);
    Draw draw(seed, trial);
    return to_string(population.fault(population.draw(draw), draw));
  };
  CHECK(line(1, 17, bit_flip()) == line(1, 17, bit_flip()));
  CHECK(line(1, 17, bit_flip()) != line(1, 18, bit_flip()));
  CHECK(line(1, 17, bit_flip()) != line(2, 17, bit_flip()));
  // A continuous draw leaves a key, so that the line alone replays it; a plain model needs none.
  CHECK(contains(line(1, 17, random_value(-1, 1)), "random(-1,1)#"));
  CHECK_FALSE(contains(line(1, 17, zero()), "#"));
}

TEST_CASE("a population of nothing is refused") {
  check_contains(error_of(ErrorCode::illegal_fault, [] { Population({}, DrawRule::bits, bit_flip()); }),
                 "no site to draw from");
  check_contains(
      error_of(ErrorCode::illegal_fault,
               [] { Population({site("empty", {1, 0, 3}, at::kFloat)}, DrawRule::layers, bit_flip()); }),
      "no site to draw from");
}

}  // namespace
}  // namespace faultwave
