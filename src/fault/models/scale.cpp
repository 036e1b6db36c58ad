// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/fault/bits.h"
#include "src/fault/models/all.h"
#include "src/fault/models/checks.h"

namespace faultwave {
namespace {

class ScaleModel final : public ErrorModel {
 public:
  explicit ScaleModel(double factor) : factor_(factor) {}

  std::string text() const override { return "scale(" + format_number(factor_) + ")"; }
  double gradient() const override { return factor_; }

  void check(const VictimContext& context) const override { check_numeric(*this, context); }

  void apply(at::Tensor& values, const VictimContext& context, Draw&) const override {
    transform_bits(values, [&](uint64_t bits) {
      return from_double(to_double(bits, context.dtype) * factor_, context.dtype);
    });
  }

 private:
  double factor_;
};

}  // namespace

ErrorModelPtr scale_by(double factor) {
  if (!std::isfinite(factor)) {
    throw UserError(ErrorCode::usage, "scale(factor) needs a finite factor, not " + format_number(factor));
  }
  return std::make_shared<ScaleModel>(factor);
}

ModelSyntax scale_syntax() {
  return {
      "scale", {{"scale(factor)", "value * factor"}}, {{.name = "factor"}}, [](const Arguments& arguments) {
        return scale_by(arguments.number("factor"));
      }};
}

}  // namespace faultwave
