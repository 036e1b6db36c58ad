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

class GaussianNoise final : public ErrorModel {
 public:
  explicit GaussianNoise(double sigma) : sigma_(sigma) {}

  std::string text() const override { return "noise(" + format_number(sigma_) + ")"; }
  bool is_drawn() const override { return true; }
  double gradient() const override { return 1.0; }

  void check(const VictimContext& context) const override { check_numeric(*this, context); }

  void apply(at::Tensor& values, const VictimContext& context, Draw& draw) const override {
    transform_bits(values, [&](uint64_t bits) {
      return from_double(to_double(bits, context.dtype) + sigma_ * draw.normal(), context.dtype);
    });
  }

 private:
  double sigma_;
};

}  // namespace

ErrorModelPtr gaussian_noise(double sigma) {
  if (!std::isfinite(sigma) || sigma < 0.0) {
    throw UserError(ErrorCode::usage, "noise(sigma) needs a finite standard deviation of at least 0, not " +
                                          format_number(sigma));
  }
  return std::make_shared<GaussianNoise>(sigma);
}

ModelSyntax gaussian_noise_syntax() {
  return {"noise",
          {{"noise(sigma)", "value + sigma * N(0, 1)"}},
          {{.name = "sigma"}},
          [](const Arguments& arguments) { return gaussian_noise(arguments.number("sigma")); }};
}

}  // namespace faultwave
