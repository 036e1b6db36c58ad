// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <type_traits>

#include "src/outcome/criteria.h"
#include "src/outcome/values.h"

namespace faultwave {
namespace {

template <typename Value>
bool is_finite(Value value) {
  const auto number = as_number(value);
  if constexpr (std::is_integral_v<decltype(number)>) {
    return true;
  } else {
    // Unlike std::isfinite, a comparison that the compiler turns into vector instructions; false for NaN.
    return std::abs(number) <= std::numeric_limits<decltype(number)>::max();
  }
}

bool has_nonfinite(const at::Tensor& plain) {
  return visit_values(plain, [](const auto* values, int64_t count) {
    bool found = false;
    for (int64_t i = 0; i < count; ++i) {
      found |= !is_finite(values[i]);
    }
    return found;
  });
}

bool has_new_nonfinite(const at::Tensor& golden, const at::Tensor& faulty) {
  const at::Tensor plain_golden = plain_values(golden);
  const at::Tensor plain_faulty = plain_values(faulty);
  if (golden.scalar_type() != faulty.scalar_type() || golden.sizes() != faulty.sizes()) {
    return has_nonfinite(plain_faulty) && !has_nonfinite(plain_golden);
  }
  return visit_values(plain_faulty, [&](const auto* values, int64_t count) {
    using Value = std::remove_cvref_t<decltype(*values)>;
    const Value* golden_values = plain_golden.const_data_ptr<Value>();
    bool found = false;
    for (int64_t i = 0; i < count; ++i) {
      found |= static_cast<int>(is_finite(golden_values[i])) & static_cast<int>(!is_finite(values[i]));
    }
    return found;
  });
}

/// Fires if a NaN or Inf stands where the golden output is finite, in any output.
class Nonfinite final : public Criterion {
 public:
  std::string name() const override { return "nonfinite"; }
  std::string text() const override { return "nonfinite"; }
  bool fires(const OutputPair& outputs) const override { return has_new_nonfinite(outputs); }
  // What is near overflow is near a border for every criterion: is_near_border(outputs, criteria, ...).
  bool is_near_border(const OutputPair&, double) const override { return false; }
};

}  // namespace

bool has_new_nonfinite(const OutputPair& outputs) {
  for (size_t i = 0; i < outputs.faulty.size(); ++i) {
    const bool has_twin = i < outputs.golden.size();
    if (has_twin ? has_new_nonfinite(outputs.golden[i], outputs.faulty[i])
                 : has_nonfinite(plain_values(outputs.faulty[i]))) {
      return true;
    }
  }
  return false;
}

CriterionPtr make_nonfinite(const Arguments&) {
  return std::make_shared<Nonfinite>();
}

}  // namespace faultwave
