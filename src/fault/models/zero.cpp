// SPDX-License-Identifier: Apache-2.0
#include "src/fault/bits.h"
#include "src/fault/models/all.h"
#include "src/fault/models/checks.h"

namespace faultwave {
namespace {

class ZeroModel final : public ErrorModel {
 public:
  std::string text() const override { return "zero"; }

  void check(const VictimContext& context) const override { check_type(*this, context); }

  void apply(at::Tensor& values, const VictimContext&, Draw&) const override {
    // The word without any bit is +0 in every type.
    transform_bits(values, [](uint64_t) { return uint64_t{0}; });
  }
};

}  // namespace

ErrorModelPtr zero() {
  return std::make_shared<ZeroModel>();
}

ModelSyntax zero_syntax() {
  return {"zero", {{"zero", "the value becomes 0"}}, {}, [](const Arguments&) { return zero(); }};
}

}  // namespace faultwave
