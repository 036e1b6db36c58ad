// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/outcome.h"

#include "src/fault/scanner.h"
#include "src/outcome/criteria.h"

namespace faultwave {
namespace {

constexpr size_t kLongestName = 40;

bool is_name(const std::string& text) {
  const auto may_follow = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !text.empty() && text.size() <= kLongestName && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), may_follow);
}

using Fires = std::function<bool(const OutputPair&)>;
using IsNearBorder = std::function<bool(const OutputPair&, double rounding)>;

class UserCriterion final : public Criterion {
 public:
  UserCriterion(std::string name, Fires fires, IsNearBorder is_near_border)
      : name_(std::move(name)), fires_(std::move(fires)), is_near_border_(std::move(is_near_border)) {}
  std::string name() const override { return name_; }
  std::string text() const override { return name_; }
  bool fires(const OutputPair& outputs) const override { return fires_(outputs); }
  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    return is_near_border_ ? is_near_border_(outputs, rounding)
                           : Criterion::is_near_border(outputs, rounding);
  }

 private:
  std::string name_;
  Fires fires_;
  IsNearBorder is_near_border_;
};

bool is_known(const std::string& name) {
  const std::vector<std::string> known = criterion_names();
  return std::find(known.begin(), known.end(), name) != known.end();
}

}  // namespace

bool is_own_criterion(const std::string& name) {
  return is_name(name) && !is_known(name);
}

CriterionPtr make_criterion(std::string name, Fires fires, IsNearBorder is_near_border) {
  if (!is_name(name)) {
    throw UserError(ErrorCode::usage,
                    "a criterion cannot be named '" + name +
                        "': expected a letter, then letters, digits and underscores, at most " +
                        std::to_string(kLongestName) + " in all");
  }
  if (is_known(name)) {
    throw UserError(ErrorCode::usage, "a criterion of your own cannot be named '" + name +
                                          "': that is one of Faultwave's, choose another name");
  }
  if (!fires) {
    throw UserError(ErrorCode::usage,
                    "criterion " + name + ": expected a function that says when it fires, and got none");
  }
  return std::make_shared<UserCriterion>(std::move(name), std::move(fires), std::move(is_near_border));
}

}  // namespace faultwave
