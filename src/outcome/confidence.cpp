// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/outcome/criteria.h"
#include "src/outcome/scores.h"

namespace faultwave {
namespace {

enum class Direction { both, down };

const char* name_of(Direction direction) {
  return direction == Direction::both ? "confidence" : "drop";
}

/// Fires if the probability of the golden best class moves by more than `change`, in this direction. A
/// probability that is no longer a number has moved, either way; one that becomes a number did not drop.
class Confidence final : public Criterion {
 public:
  Confidence(Direction direction, double change)
      : direction_(direction), change_(change), harmless_(harmless_log_odds(change)) {}
  std::string name() const override { return name_of(direction_); }
  std::string text() const override { return name() + "(" + format_number(change_) + ")"; }

  bool fires(const OutputPair& outputs) const override {
    const Scores golden = floating_point_scores(outputs.golden);
    const Scores faulty = floating_point_scores(outputs.faulty);
    const int64_t best = golden.best();
    // Most faults move the scores a little, and then this spares two exponentials a class.
    if (best >= 0 && golden.log_odds_bound(faulty, best) <= harmless_) return false;
    const double before = probability(golden, best);
    const double after = probability(faulty, best);
    if (std::isnan(before)) return direction_ == Direction::both && !std::isnan(after);
    if (std::isnan(after)) return true;
    return (direction_ == Direction::both ? std::abs(after - before) : before - after) > change_;
  }

  // The log odds of a class move by at most twice as much as the scores do, and the probability with them.
  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    const NearScores near(outputs, rounding, "criterion " + name());
    const int64_t best = near.golden.best();
    if (best < 0 || best >= near.faulty.classes()) return false;
    if (near.golden.has_near_tie(0, 1, near.golden_slack)) return true;
    const double slack = near.golden_slack + near.faulty_slack;
    if (near.golden.log_odds_bound(near.faulty, best) + slack <= harmless_) return false;
    const Range before = probabilities(near.golden.log_odds(best), near.golden_slack);
    const Range after = probabilities(near.faulty.log_odds(best), near.faulty_slack);
    const double most =
        std::max(before.high - after.low, direction_ == Direction::both ? after.high - before.low : 0);
    double least = before.low - after.high;
    if (direction_ == Direction::both) least = std::max({least, after.low - before.high, 0.0});
    return least <= change_ && most > change_;  // false for NaN
  }

 private:
  /// Log odds that move by at most this much move no probability by more than `change`: by d, they move it by
  /// at most tanh(d / 4), from 1/2 - tanh(d / 4) / 2 to as much above 1/2. The margin is for rounding in the
  /// sums that the probabilities are computed from.
  static double harmless_log_odds(double change) {
    constexpr double margin = 1e-9;
    return change > margin ? 4 * std::atanh(change - margin) : -1;
  }

  struct Range {
    double low;
    double high;
  };

  static Range probabilities(double log_odds, double slack) {
    const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
    return {logistic(log_odds - slack), logistic(log_odds + slack)};
  }

  static double probability(const Scores& scores, int64_t index) {
    const bool exists = index >= 0 && index < scores.classes();
    return exists ? scores.probability(index) : std::numeric_limits<double>::quiet_NaN();
  }

  Scores floating_point_scores(const std::vector<at::Tensor>& outputs) const {
    const std::string reader = "criterion " + name();
    Scores scores = first_output(outputs, reader);
    if (!scores.is_floating_point()) {
      throw UserError(
          ErrorCode::bad_input,
          reader + " needs floating-point scores as the network's first output, and got integers");
    }
    return scores;
  }

  Direction direction_;
  double change_;
  double harmless_;
};

CriterionPtr make(Direction direction, double change) {
  if (!(change >= 0 && change < 1)) {  // refuses NaN too
    throw UserError(ErrorCode::usage,
                    std::string("criterion ") + name_of(direction) + "(" + format_number(change) +
                        "): expected a change of probability from 0 to below 1, such as 0.2");
  }
  return std::make_shared<Confidence>(direction, change);
}

}  // namespace

CriterionPtr make_confidence(const Arguments& arguments) {
  return make(Direction::both, arguments.number("x"));
}

CriterionPtr make_drop(const Arguments& arguments) {
  return make(Direction::down, arguments.number("x"));
}

}  // namespace faultwave
