// SPDX-License-Identifier: Apache-2.0
#include "faultwave/sampler.h"

#include <map>
#include <numeric>
#include <set>

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

/// 6 values of 32 bits and 2 of 16: 224 bits.
Population two_sites(DrawRule rule, const ErrorModelPtr& model = bit_flip()) {
  return Population({site("wide", {1, 2, 3}, at::kFloat), site("narrow", {1, 2}, at::kHalf)}, rule, model);
}

TEST_CASE("strata are classes of bits of each layer, their weights exact shares of all bits") {
  const Population population = two_sites(DrawRule::stratified);
  const Strata strata(population);
  REQUIRE(strata.size() == 13);  // FP16 has no low exponent bits apart
  CHECK(strata.name(0) == "output:wide low mantissa");
  CHECK(strata.weight(0) == doctest::Approx(6 * 20.0 / 224));
  CHECK(strata.name(5) == "output:wide top exponent");
  CHECK(strata.first_choice(5) == 30);
  CHECK(strata.weight(5) == doctest::Approx(6 * 1.0 / 224));
  CHECK(strata.name(11) == "output:narrow top exponent");
  CHECK(strata.first_choice(11) == 14);
  double sum = 0;
  for (size_t i = 0; i < strata.size(); ++i)
    sum += strata.weight(i);
  CHECK(sum == doctest::Approx(1));
  CHECK(strata.of({.site = 0, .element = 3, .choice = 30}) == 5);
  CHECK(strata.of({.site = 0, .element = 3, .choice = 31}) == 6);
  CHECK(strata.of({.site = 1, .element = 0, .choice = 0}) == 7);
}

TEST_CASE("strata go by the fields of a value where choices are its bits, and only there") {
  const auto first_name = [](const char* model, at::ScalarType dtype) {
    const Population population({site("a", {1, 2, 3}, dtype)}, DrawRule::stratified,
                                parse_error_model(model));
    return Strata(population).name(0);
  };
  for (const char* model : {"flip", "stuck0", "stuck1", "burst(1)"})
    CHECK(first_name(model, at::kFloat) == "output:a low mantissa");
  CHECK(first_name("flip(fp16)", at::kHalf) == "output:a low mantissa");
  // As many choices as bits, of a word that is laid out otherwise.
  CHECK(first_name("flip(fixed32.8)", at::kFloat) == "output:a low bits");
  CHECK(first_name("flip(bf16)", at::kHalf) == "output:a low bits");
}

TEST_CASE("emulated INT8 has a stratum for each of its eight bits") {
  const Strata strata(two_sites(DrawRule::stratified, int8_flip()));
  REQUIRE(strata.size() == 16);
  CHECK(strata.name(7) == "output:wide flip(int8:7)");
  CHECK(strata.weight(7) == doctest::Approx(6 * 32.0 / 224 / 8));
}

TEST_CASE("an exhaustive campaign is every bit of every value of every input, once") {
  const Sampler sampler(two_sites(DrawRule::exhaustive), {.rule = DrawRule::exhaustive, .inputs = 3});
  REQUIRE(sampler.trials() == 3 * 224);
  std::set<std::string> seen;
  for (int64_t k = 0; k < 672; ++k) {
    const Sampler::Drawn drawn = sampler.draw(k, {});
    seen.insert(std::to_string(drawn.trial.input) + to_string(drawn.trial.faults));
  }
  CHECK(seen.size() == 672);
  CHECK(to_string(sampler.draw(0, {}).trial.faults) == "output:wide[0,0] flip(0)");
  CHECK(to_string(sampler.draw(33, {}).trial.faults) == "output:wide[0,1] flip(1)");
  CHECK(to_string(sampler.draw(223, {}).trial.faults) == "output:narrow[1] flip(15)");
  CHECK(sampler.draw(224, {}).trial.input == 1);
}

TEST_CASE("a model that draws values has no end, and cannot be tried exhaustively") {
  check_contains(error_of(ErrorCode::usage,
                          [] {
                            Sampler(two_sites(DrawRule::exhaustive, random_value(-1, 1)),
                                    {.rule = DrawRule::exhaustive});
                          }),
                 "needs an error model with finitely many faults");
}

TEST_CASE("inputs come in turn, at random, or from those that are eligible") {
  const Sampler in_turn(two_sites(DrawRule::bits), {.inputs = 5, .inputs_in_turn = true});
  for (int64_t k = 0; k < 12; ++k)
    CHECK(in_turn.draw(k, {}).trial.input == k % 5);
  const Sampler some(two_sites(DrawRule::bits), {.inputs = 100, .eligible = {3, 50, 99}});
  std::map<int64_t, int> counts;
  for (int64_t k = 0; k < 3000; ++k)
    ++counts[some.draw(k, {}).trial.input];
  REQUIRE(counts.size() == 3);
  for (const int64_t input : {3, 50, 99})
    CHECK(counts[input] > 870);
}

TEST_CASE("stratified trials fall on strata as the shares say, and lie within them") {
  const Sampler sampler(two_sites(DrawRule::stratified), {.rule = DrawRule::stratified, .seed = 3});
  std::vector<double> wanted(13, 0.01);
  wanted[5] = 0.88;
  const Shares shares = Shares::of(wanted);
  CHECK(shares.probability(5) == doctest::Approx(0.88));
  std::vector<int> counts(13);
  for (int64_t k = 0; k < 20000; ++k) {
    const Sampler::Located located = sampler.locate(k, shares);
    ++counts[located.stratum];
    CHECK(sampler.strata().of(located.place) == located.stratum);
  }
  CHECK(counts[5] > 17400);
  CHECK(counts[5] < 17800);
  CHECK(*std::min_element(counts.begin(), counts.end()) > 120);
}

TEST_CASE("several faults a trial, or one in each site") {
  const Sampler three(two_sites(DrawRule::bits), {.faults_per_trial = 3});
  CHECK(three.draw(0, {}).trial.faults.size() == 3);
  const Sampler each(two_sites(DrawRule::bits), {.faults_per_trial = 0});
  for (int64_t k = 0; k < 20; ++k) {
    const std::vector<Fault> faults = each.draw(k, {}).trial.faults;
    REQUIRE(faults.size() == 2);
    CHECK(faults[0].site == "wide");
    CHECK(faults[1].site == "narrow");
  }
  check_contains(error_of(ErrorCode::usage,
                          [] {
                            Sampler(two_sites(DrawRule::stratified),
                                    {.rule = DrawRule::stratified, .faults_per_trial = 2});
                          }),
                 "several faults a trial");
}

TEST_CASE("a list goes through all inputs, line by line") {
  const Sampler sampler(two_sites(DrawRule::list), {.rule = DrawRule::list,
                                                    .inputs = 2,
                                                    .list = {parse_faults("output:narrow[1] flip(3)"),
                                                             parse_faults("output:wide[1,2] zero")}});
  REQUIRE(sampler.trials() == 4);
  CHECK(to_string(sampler.draw(1, {}).trial.faults) == "output:narrow[1] flip(3)");
  CHECK(sampler.draw(1, {}).trial.input == 1);
  const Sampler::Drawn third = sampler.draw(2, {});
  CHECK(to_string(third.trial.faults) == "output:wide[1,2] zero");
  CHECK(third.located.place.site == 0);
  CHECK(third.located.place.element == 5);
  CHECK(sampler.draw(1, {}).located.place.choice == 3);
}

TEST_CASE("known seeds have pinned draws") {
  const Sampler bits(two_sites(DrawRule::bits), {.seed = 11, .inputs = 9});
  CHECK(bits.draw(4, {}).trial.input == 7);
  CHECK(to_string(bits.draw(4, {}).trial.faults) == "output:narrow[0] flip(5)");
  const Sampler strata(two_sites(DrawRule::stratified),
                       {.rule = DrawRule::stratified, .seed = 11, .inputs = 9});
  const Shares even = Shares::of(std::vector<double>(13, 1.0));
  CHECK(to_string(strata.draw(4, even).trial.faults) == "output:narrow[0] flip(8)");
  CHECK(to_string(strata.draw(1'000'000'007, even).trial.faults) == "output:wide[0,0] flip(27)");
}

TEST_CASE("locating a trial agrees with drawing it") {
  const Sampler sampler(two_sites(DrawRule::bits), {.seed = 1, .inputs = 4});
  for (int64_t k = 0; k < 200; ++k) {
    const Sampler::Located located = sampler.locate(k, {});
    const Sampler::Drawn drawn = sampler.draw(k, {});
    CHECK(located.input == drawn.trial.input);
    CHECK(located.place.site == drawn.located.place.site);
    CHECK(located.place.element == drawn.located.place.element);
    CHECK(located.place.choice == drawn.located.place.choice);
  }
}

}  // namespace
}  // namespace faultwave
