// SPDX-License-Identifier: Apache-2.0
#include "faultwave/neuron_classes.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <tuple>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/sampler.h"

#include "src/sample/neuron_groups.h"

namespace faultwave {
namespace {

using Selection = NeuronClasses::Selection;

/// Two sites, of 1301 values (blocks of 512, and an odd number) and of 7, on five inputs of levels 0 to 2.
/// Classes are made up.
constexpr int64_t kWide = 1301;
constexpr int64_t kNarrow = 7;

uint8_t made_up_class(int64_t input, size_t site, int64_t element) {
  return static_cast<uint8_t>((element * element + 3 * input + static_cast<int64_t>(site)) % 7);
}

std::shared_ptr<const NeuronClasses> made_up_classes() {
  const auto classes = std::make_shared<NeuronClasses>(std::vector<int64_t>{kWide, kNarrow});
  const std::vector<std::pair<int64_t, int>> inputs = {{4, 0}, {0, 0}, {2, 1}, {1, 2}, {3, 2}};
  for (const auto& [number, level] : inputs) {
    std::vector<NeuronClasses::Packed> sites;
    for (const size_t site : {size_t{0}, size_t{1}}) {
      std::vector<uint8_t> values(static_cast<size_t>(site == 0 ? kWide : kNarrow));
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = made_up_class(number, site, static_cast<int64_t>(i));
      sites.push_back(NeuronClasses::pack(values));
    }
    classes->add_input(number, level, std::move(sites));
  }
  return classes;
}

Site site(const std::string& name, int64_t values) {
  Site made;
  made.name = name;
  made.shape = {1, values};
  made.batch = {0, 1};
  return made;
}

Population two_sites(const ErrorModelPtr& model = bit_flip()) {
  return Population({site("wide", kWide), site("narrow", kNarrow)}, DrawRule::stratified, model);
}

Sampler sampler_of(const ErrorModelPtr& model, uint64_t seed) {
  return Sampler(two_sites(model),
                 {.rule = DrawRule::stratified, .seed = seed, .inputs = 5, .neurons = made_up_classes()});
}

TEST_CASE("classes are counted, and picked one after the other") {
  const auto classes = made_up_classes();
  CHECK(classes->levels() == 3);
  CHECK(classes->first_of_level(1) == 2);
  CHECK(classes->first_of_level(3) == 5);
  CHECK(classes->position(2) == 2);
  CHECK(classes->number(4) == 3);
  const NeuronClasses::Set sets[] = {NeuronClasses::kAll, 1 << 0, 1 << 3 | 1 << 5, 1 << 6};
  for (const NeuronClasses::Set set : sets) {
    for (const size_t site : {size_t{0}, size_t{1}}) {
      for (const auto& [first, end] : {std::pair<int64_t, int64_t>{0, 5}, {1, 4}, {3, 5}}) {
        const Selection selection{.site = site, .classes = set, .first = first, .end = end};
        int64_t found = 0;
        for (int64_t position = first; position < end; ++position) {
          for (int64_t element = 0; element < classes->values(site); ++element) {
            const uint8_t number = made_up_class(classes->number(position), site, element);
            REQUIRE(classes->of(position, site, element) == number);
            if ((set >> number & 1) == 0) continue;
            const NeuronClasses::Neuron neuron = classes->pick(selection, found++);
            REQUIRE(neuron.position == position);
            REQUIRE(neuron.element == element);
          }
        }
        CHECK(classes->count(selection) == found);
        CHECK_THROWS_AS(classes->pick(selection, found), InternalError);
      }
    }
  }
}

TEST_CASE("classes of another size, or inputs out of order, are a bug") {
  NeuronClasses classes({4});
  classes.add_input(0, 1, {NeuronClasses::pack({1, 2, 3, 4})});
  CHECK_THROWS_AS(classes.add_input(1, 0, {NeuronClasses::pack({1, 2, 3, 4})}), InternalError);
  CHECK_THROWS_AS(classes.add_input(1, 1, {NeuronClasses::pack({1, 2})}), InternalError);
  CHECK_THROWS_AS(classes.add_input(1, 1, {}), InternalError);
  CHECK_THROWS_AS(classes.position(7), InternalError);
}

TEST_CASE("a value's class is its sign, and how it compares with 1 and 2") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const at::Tensor values = at::tensor({0.0F, -0.0F, 1e-40F, 0.99F, 1.0F, 1.99F, 2.0F, kInfinity, -1e-9F,
                                        -1.0F, -1.5F, -2.0F, -kInfinity, std::nanf("")});
  CHECK(value_classes(values) == std::vector<uint8_t>{0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6, 3});
  CHECK(value_classes(at::tensor({-3, 0, 1}, at::kInt)) == std::vector<uint8_t>{6, 0, 2});
}

TEST_CASE("few inputs have a level each, many are halved again and again") {
  CHECK(margin_levels({0.1, 5, 0.2}) == std::vector<int>{2, 0, 1});
  CHECK(margin_levels({1, 1}) == std::vector<int>{0, 1});
  CHECK(margin_levels({}).empty());
  std::vector<double> margins;
  for (int i = 0; i < 1000; ++i)
    margins.push_back((i * 37) % 1000);
  std::map<int, int> counts;
  std::map<int, double> largest;
  const std::vector<int> levels = margin_levels(margins);
  for (size_t i = 0; i < levels.size(); ++i) {
    ++counts[levels[i]];
    largest[levels[i]] = std::max(largest[levels[i]], margins[i]);
  }
  const std::map<int, int> halves = {{0, 500}, {1, 250}, {2, 125}, {3, 63}, {4, 31}, {5, 16}, {6, 8}, {7, 7}};
  CHECK(counts == halves);
  CHECK(largest[0] == 999);
  CHECK(largest[1] == 499);
  CHECK(largest[7] == 6);
}

TEST_CASE("strata by neuron hold each place once, with exact weights") {
  for (const ErrorModelPtr& model : {bit_flip(), int8_flip(), random_value(-1, 1)}) {
    const Population population = two_sites(model);
    const Strata strata(population, made_up_classes());
    std::vector<double> places(strata.size());
    double all = 0;
    for (int64_t number = 0; number < static_cast<int64_t>(population.size()); ++number) {
      const Place place = population.at(static_cast<uint64_t>(number));
      for (int64_t input = 0; input < 5; ++input) {
        ++places[strata.of(place, input)];
        ++all;
      }
    }
    for (size_t i = 0; i < strata.size(); ++i) {
      CAPTURE(strata.name(i));
      CHECK(strata.weight(i) == doctest::Approx(places[i] / all).epsilon(1e-12));
      CHECK(static_cast<double>(strata.pairs(i) * strata.choices(i)) == places[i]);
    }
  }
}

TEST_CASE("names of strata by neuron say bit, value and margin") {
  const Strata strata(two_sites(), made_up_classes());
  CHECK(strata.name(0) == "output:wide low mantissa");
  CHECK(strata.name(2) == "output:wide low exponent, 0 <= value < 2, margin 1/3");
  size_t top = 0;
  while (strata.first_choice(top) != 30)
    ++top;
  CHECK(strata.name(top) == "output:wide top exponent, value = 0");
  CHECK(strata.name(top + 4) == "output:wide top exponent, -1 < value < 0");
  CHECK(strata.name(top + 7) == "output:wide sign, value >= 0, margin 1/3");
  const Strata int8(two_sites(int8_flip()), made_up_classes());
  CHECK(int8.size() == 2 * (4 + 4 * 2 * 3));
  CHECK(int8.name(3) == "output:wide flip(int8:3)");
  CHECK(int8.name(4) == "output:wide flip(int8:4), value >= 0, margin 1/3");
  CHECK(int8.kind(4 + 28) == int8.kind(4));
}

TEST_CASE("with many sites margins are told apart less finely, so that strata stay few") {
  constexpr int kSites = 60;
  std::vector<Site> sites;
  for (int i = 0; i < kSites; ++i)
    sites.push_back(site("s" + std::to_string(i), kNarrow));
  const auto classes = std::make_shared<NeuronClasses>(std::vector<int64_t>(kSites, kNarrow));
  const NeuronClasses::Packed one_each = NeuronClasses::pack({0, 1, 2, 3, 4, 5, 6});
  for (int input = 0; input < 8; ++input)
    classes->add_input(input, input, std::vector<NeuronClasses::Packed>(kSites, one_each));
  const Strata strata(Population(sites, DrawRule::stratified, int8_flip()), classes);
  CHECK(strata.size() == kSites * (4 + 4 * 2 * 3));
  CHECK(strata.first_level(5) == 2);
  CHECK(strata.levels(5) == 3);
  double sum = 0;
  for (size_t i = 0; i < strata.size(); ++i)
    sum += strata.weight(i);
  CHECK(sum == doctest::Approx(1));
}

TEST_CASE("trials by neuron fall on strata as the shares say, and are uniform within them") {
  const Sampler sampler = sampler_of(bit_flip(), 3);
  const Strata& strata = sampler.strata();
  std::vector<double> wanted(strata.size(), 0.001);
  size_t chosen = strata.size() - 1;  // a few neurons of the narrow site
  while (strata.first_choice(chosen) != 30)
    --chosen;
  wanted[chosen] = 1;
  const Shares shares = Shares::of(wanted);
  std::map<std::tuple<int64_t, int64_t>, int64_t> counts;
  constexpr int64_t kTrials = 40'000;
  for (int64_t k = 0; k < kTrials; ++k) {
    const Sampler::Located located = sampler.locate(k, shares);
    REQUIRE(strata.of(located.place, located.input) == located.stratum);
    if (located.stratum == chosen) ++counts[{located.input, located.place.element}];
  }
  REQUIRE(static_cast<int64_t>(counts.size()) == strata.pairs(chosen));
  const double expected = kTrials * shares.probability(chosen) / static_cast<double>(strata.pairs(chosen));
  for (const auto& [pair, count] : counts)
    CHECK(std::abs(static_cast<double>(count) - expected) < 5 * std::sqrt(expected));
}

TEST_CASE("drawn from strata in proportion to their weights, every place is as likely") {
  const Sampler sampler = sampler_of(int8_flip(), 11);
  std::vector<double> weights;
  for (size_t i = 0; i < sampler.strata().size(); ++i)
    weights.push_back(sampler.strata().weight(i));
  const Shares shares = Shares::of(weights);
  constexpr int64_t kTrials = 100'000;
  std::map<int64_t, double> inputs;
  std::map<int64_t, double> bits;
  double narrow = 0;
  for (int64_t k = 0; k < kTrials; ++k) {
    const Sampler::Located located = sampler.locate(k, shares);
    ++inputs[located.input];
    ++bits[located.place.choice];
    narrow += static_cast<double>(located.place.site);
  }
  const auto check = [&](double count, double probability) {
    const double deviation = std::sqrt(kTrials * probability * (1 - probability));
    CHECK(std::abs(count - kTrials * probability) < 4.5 * deviation);
  };
  for (int64_t i = 0; i < 5; ++i)
    check(inputs[i], 1.0 / 5);
  for (int64_t i = 0; i < 8; ++i)
    check(bits[i], 1.0 / 8);
  check(narrow, static_cast<double>(kNarrow) / (kNarrow + kWide));
}

TEST_CASE("draws by neuron are pinned") {
  const Sampler sampler = sampler_of(bit_flip(), 7);
  const Shares shares = Shares::of(std::vector<double>(sampler.strata().size(), 1.0));
  const auto line = [&](int64_t trial) {
    const Sampler::Drawn drawn = sampler.draw(trial, shares);
    return std::to_string(drawn.trial.input) + " " + to_string(drawn.trial.faults);
  };
  CHECK(line(0) == "3 output:narrow[5] flip(31)");
  CHECK(line(1) == "3 output:narrow[5] flip(24)");
  CHECK(line(2) == "4 output:narrow[0] flip(25)");
  CHECK(line(1'000'000) == "1 output:wide[870] flip(30)");
}

TEST_CASE("classes of other sites or inputs do not fit") {
  SamplingOptions options{.rule = DrawRule::stratified, .inputs = 5, .neurons = made_up_classes()};
  CHECK(neurons_fit(two_sites(), options));
  CHECK_FALSE(neurons_fit(Population({site("wide", kWide)}, DrawRule::stratified, bit_flip()), options));
  const Population swapped({site("narrow", kNarrow), site("wide", kWide)}, DrawRule::stratified, bit_flip());
  CHECK_FALSE(neurons_fit(swapped, options));
  options.inputs_in_turn = true;
  CHECK_FALSE(neurons_fit(two_sites(), options));
  CHECK_THROWS_AS(Sampler(two_sites(), options), InternalError);
}

}  // namespace
}  // namespace faultwave
