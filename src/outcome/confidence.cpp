// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "faultwave/error.h"

#include "src/outcome/criteria.h"
#include "src/outcome/scores.h"

namespace faultwave {
namespace {

/// The shortest text that reads back as the same number.
std::string shortest(double value) {
  std::array<char, 32> digits;
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), result.ptr};
}

Scores floating_point_scores(const std::vector<at::Tensor>& outputs) {
  Scores scores = first_output(outputs, "criterion confidence");
  if (!scores.is_floating_point()) {
    throw UserError(
        ErrorCode::bad_input,
        "criterion confidence needs floating-point scores as the network's first output, and got integers");
  }
  return scores;
}

/// Fires if the probability of the golden best class moves by more than `change`, either way, or if only one
/// of the two probabilities is a number.
class Confidence final : public Criterion {
 public:
  explicit Confidence(double change) : change_(change) {}
  // With the number, so that a campaign may count several changes side by side.
  std::string name() const override { return "confidence"; }
  std::string text() const override { return "confidence(" + shortest(change_) + ")"; }

  bool fires(const OutputPair& outputs) const override {
    const Scores golden = floating_point_scores(outputs.golden);
    const Scores faulty = floating_point_scores(outputs.faulty);
    const double before = probability(golden, golden.best());
    const double after = probability(faulty, golden.best());
    if (std::isnan(before) || std::isnan(after)) return std::isnan(before) != std::isnan(after);
    return std::abs(after - before) > change_;
  }

 private:
  static double probability(const Scores& scores, int64_t index) {
    const bool exists = index >= 0 && index < scores.classes();
    return exists ? scores.probability(index) : std::numeric_limits<double>::quiet_NaN();
  }

  double change_;
};

}  // namespace

CriterionPtr make_confidence(const std::vector<double>& arguments) {
  const double change = arguments.at(0);
  if (!(change >= 0 && change < 1)) {  // refuses NaN too
    throw UserError(ErrorCode::usage,
                    "criterion confidence(" + shortest(change) +
                        "): expected a change of probability from 0 to below 1, such as 0.2");
  }
  return std::make_shared<Confidence>(change);
}

}  // namespace faultwave
