// SPDX-License-Identifier: Apache-2.0
#include "src/common/numbers.h"
#include "src/fault/bits.h"
#include "src/fault/models/all.h"
#include "src/fault/models/checks.h"

namespace faultwave {
namespace {

class ConstantModel final : public ErrorModel {
 public:
  explicit ConstantModel(double value) : value_(value) {}

  std::string text() const override { return "constant(" + format_number(value_) + ")"; }

  void check(const VictimContext& context) const override {
    check_type(*this, context);
    check_value(*this, context, value_);
  }

  void apply(at::Tensor& values, const VictimContext& context, Draw&) const override {
    const uint64_t bits = from_double(value_, context.dtype);
    transform_bits(values, [bits](uint64_t) { return bits; });
  }

 private:
  double value_;
};

}  // namespace

ErrorModelPtr constant(double value) {
  return std::make_shared<ConstantModel>(value);
}

ModelSyntax constant_syntax() {
  return {"constant",
          {{"constant(value)", "the value becomes this number; floating point takes inf, -inf and nan too"}},
          {{.name = "value"}},
          [](const Arguments& arguments) { return constant(arguments.number("value")); }};
}

}  // namespace faultwave
