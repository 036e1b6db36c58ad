// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <random>

#include <doctest/doctest.h>

#include "faultwave/weighted_sequence.h"

namespace faultwave {
namespace {

/// Rounds as they were, to work out wealth from its definition.
struct Book {
  Gambler::Bets purses{};
  std::vector<std::vector<Gambler::Value>> values;
  std::vector<Gambler::Bets> bets;

  double wealth(double mean) const {
    long double sum = 0;
    for (size_t j = 0; j < purses.size(); ++j) {
      long double log_wealth = std::log(static_cast<long double>(purses[j]));
      for (size_t round = 0; round < values.size(); ++round) {
        for (const Gambler::Value& value : values[round])
          log_wealth += value.count * std::log1p(bets[round][j] * (static_cast<long double>(value.x) - mean));
      }
      sum += std::exp(log_wealth);
    }
    return static_cast<double>(sum);
  }
};

Gambler::Bets even_purses() {
  Gambler::Bets purses;
  purses.fill(1.0 / static_cast<double>(purses.size()));
  return purses;
}

TEST_CASE("the end is where wealth, worked out trial by trial, is e^threshold, and it never moves back") {
  std::mt19937_64 random(5);
  const double threshold = std::log(200.0);
  for (const double rate : {0.003, 0.2}) {
    Book book;
    book.purses = even_purses();
    Gambler gambler(book.purses, 0);
    double before = 0;
    int moves = 0;
    for (int round = 0; round < 60; ++round) {
      const auto events = std::binomial_distribution<int64_t>(500, rate)(random);
      book.values.push_back({{-0.0005, 500.0 - static_cast<double>(events)},
                             {1 - 0.01 * (round % 7), static_cast<double>(events)}});
      Gambler::Bets bets;
      for (size_t j = 0; j < bets.size(); ++j)
        bets[j] = 0.85 / std::pow(2.0 + 0.1 * (round % 5), static_cast<double>(j));
      book.bets.push_back(bets);
      const double end = gambler.play(book.values.back(), bets, threshold, 1);
      CHECK(end >= before);
      if (end > before) {
        ++moves;
        CHECK(book.wealth(end) == doctest::Approx(200).epsilon(1e-6));
      } else {
        CHECK(book.wealth(end) < 200 * (1 + 1e-9));
      }
      before = end;
    }
    CHECK(moves > 10);
    CHECK(before < rate * 1.1);
    CHECK(before > rate * 0.3);
  }
}

TEST_CASE("wealth falls as the mean grows, so that what is refuted lies under one end") {
  std::mt19937_64 random(9);
  Book book;
  book.purses = even_purses();
  for (int round = 0; round < 5; ++round) {
    book.values.push_back({{0, 90.0}, {1, static_cast<double>(random() % 20)}});
    Gambler::Bets bets;
    for (size_t j = 0; j < bets.size(); ++j)
      bets[j] = 0.07 * static_cast<double>(j);
    book.bets.push_back(bets);
  }
  for (int percent = 0; percent < 99; ++percent)
    CHECK(book.wealth(percent / 100.0) > book.wealth((percent + 1) / 100.0));
}

TEST_CASE("no end goes beyond the greatest mean still possible, even against all evidence") {
  Gambler gambler(even_purses(), 0);
  Gambler::Bets bets;
  bets.fill(0.9);
  CHECK(gambler.play({{1, 1000}}, bets, std::log(200.0), 0.25) == 0.25);
  // A bound that fell since: the gambler's books are safe for it.
  bets.fill(8);
  CHECK(gambler.play({{0, 10}}, bets, std::log(200.0), 0.1) == 0.25);
}

TEST_CASE("an empty round changes nothing") {
  Gambler gambler(even_purses(), -1);
  Gambler::Bets bets;
  bets.fill(0.5);
  CHECK(gambler.play({}, bets, std::log(200.0), 0) == -1);
  const double end = gambler.play({{-0.1, 300}}, bets, std::log(200.0), 0);
  CHECK(end > -1);
  CHECK(gambler.play({}, bets, std::log(200.0), 0) == end);
}

}  // namespace
}  // namespace faultwave
