// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/outcome.h"

#include "src/outcome/criteria.h"

namespace faultwave {
namespace {

constexpr size_t kLongestName = 40;

// Not std::isalpha, which depends on the locale.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name(const std::string& text) {
  const auto may_follow = [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && text.size() <= kLongestName && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), may_follow);
}

class UserCriterion final : public Criterion {
 public:
  UserCriterion(std::string name, std::function<bool(const OutputPair&)> fires)
      : name_(std::move(name)), fires_(std::move(fires)) {}
  std::string name() const override { return name_; }
  std::string text() const override { return name_; }
  bool fires(const OutputPair& outputs) const override { return fires_(outputs); }

 private:
  std::string name_;
  std::function<bool(const OutputPair&)> fires_;
};

bool is_known(const std::string& name) {
  const std::vector<std::string> known = criterion_names();
  return std::find(known.begin(), known.end(), name) != known.end();
}

}  // namespace

bool is_own_criterion(const std::string& name) {
  return is_name(name) && !is_known(name);
}

CriterionPtr make_criterion(std::string name, std::function<bool(const OutputPair&)> fires) {
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
  return std::make_shared<UserCriterion>(std::move(name), std::move(fires));
}

}  // namespace faultwave
