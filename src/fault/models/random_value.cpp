// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/common/numbers.h"
#include "src/fault/bits.h"
#include "src/fault/models/all.h"
#include "src/fault/models/checks.h"

namespace faultwave {
namespace {

class RandomValueModel final : public ErrorModel {
 public:
  RandomValueModel(double low, double high) : low_(low), high_(high) {}

  std::string text() const override {
    return "random(" + format_number(low_) + "," + format_number(high_) + ")";
  }
  bool is_drawn() const override { return true; }

  void check(const VictimContext& context) const override {
    check_type(*this, context);
    check_value(*this, context, low_);
    check_value(*this, context, high_);
  }

  void apply(at::Tensor& values, const VictimContext& context, Draw& draw) const override {
    if (is_floating(context.dtype)) {
      transform_bits(values, [&](uint64_t) {
        return from_double(low_ + (high_ - low_) * draw.uniform(), context.dtype);
      });
      return;
    }
    // Arithmetic modulo the word's size is right for signed and unsigned types alike, up to 64 bits.
    const uint64_t lowest = from_double(low_, context.dtype);
    const uint64_t span = (from_double(high_, context.dtype) - lowest) & word_mask(context.dtype);
    transform_bits(values, [&](uint64_t) { return lowest + draw.below(span + 1); });
  }

 private:
  double low_;
  double high_;
};

}  // namespace

ErrorModelPtr random_value(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high) || !(low < high) || !std::isfinite(high - low)) {
    throw UserError(ErrorCode::usage,
                    "random(low,high) needs two finite numbers, low below high, a finite distance "
                    "apart, but got " +
                        format_number(low) + " and " + format_number(high));
  }
  return std::make_shared<RandomValueModel>(low, high);
}

ModelSyntax random_value_syntax() {
  return {
      "random",
      {{"random(low,high)", "a value drawn uniformly from [low, high); for integers from {low, ..., high}"}},
      {{.name = "low"}, {.name = "high"}},
      [](const Arguments& arguments) {
        return random_value(arguments.number("low"), arguments.number("high"));
      }};
}

}  // namespace faultwave
