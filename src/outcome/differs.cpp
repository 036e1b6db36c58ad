// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/outcome/change.h"
#include "src/outcome/criteria.h"
#include "src/outcome/values.h"

namespace faultwave {
namespace {

enum class Measure { absolute, relative };

/// How far values may lie apart.
struct Tolerance {
  Measure measure;
  double most;
  double slack = 0;  ///< more than that, for floating-point values; may be negative

  /// Holds for equal numbers (of infinities those of one sign), and for NaN and NaN.
  bool allows(double golden, double faulty) const {
    if (std::isnan(golden) && std::isnan(faulty)) return true;
    if (golden == faulty && slack >= 0) return true;
    if (golden == faulty && std::isinf(golden)) return true;
    if (!std::isfinite(golden) || !std::isfinite(faulty)) return false;
    return std::abs(faulty - golden) <=
           (measure == Measure::relative ? most * std::abs(golden) : most) + slack;
  }

  /// Exact for 64-bit integers too, which a double does not hold.
  template <typename Integer>
  bool allows_integer(Integer golden, Integer faulty) const {
    if (measure == Measure::relative) {
      // Unequal integers may become equal doubles.
      return allows(static_cast<double>(golden), static_cast<double>(faulty)) &&
             (golden == faulty || most > 0);
    }
    const auto greater = static_cast<uint64_t>(std::max(golden, faulty));
    const auto lesser = static_cast<uint64_t>(std::min(golden, faulty));
    constexpr double beyond = 0x1p64;
    return most >= beyond || greater - lesser <= static_cast<uint64_t>(most);
  }

  template <typename Value>
  bool allows_value(Value golden, Value faulty) const {
    const auto golden_number = as_number(golden);
    const auto faulty_number = as_number(faulty);
    if constexpr (std::is_integral_v<decltype(golden_number)>) {
      return allows_integer(golden_number, faulty_number);
    } else {
      return allows(golden_number, faulty_number);
    }
  }
};

bool differs(const at::Tensor& golden, const at::Tensor& faulty, const Tolerance& tolerance) {
  if (golden.scalar_type() != faulty.scalar_type() || golden.sizes() != faulty.sizes()) return true;
  const at::Tensor plain_golden = plain_values(golden);
  const at::Tensor plain_faulty = plain_values(faulty);
  return visit_values(plain_faulty, [&](const auto* values, int64_t count) {
    using Value = std::remove_cvref_t<decltype(*values)>;
    const Value* golden_values = plain_golden.const_data_ptr<Value>();
    for (int64_t i = 0; i < count; ++i) {
      if (!tolerance.allows_value(golden_values[i], values[i])) return true;
    }
    return false;
  });
}

/// Fires if any element of any output lies further from the golden one than allowed.
class Differs final : public Criterion {
 public:
  explicit Differs(Tolerance tolerance) : tolerance_(tolerance) {}
  std::string name() const override {
    return tolerance_.measure == Measure::relative ? "differs_relative" : "differs";
  }
  std::string text() const override { return name() + "(" + format_number(tolerance_.most) + ")"; }
  bool fires(const OutputPair& outputs) const override {
    if (outputs.golden.size() != outputs.faulty.size()) return true;
    for (size_t i = 0; i < outputs.golden.size(); ++i) {
      if (differs(outputs.golden[i], outputs.faulty[i], tolerance_)) return true;
    }
    return false;
  }

  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    if (outputs.golden.size() != outputs.faulty.size()) return false;
    bool may_fire = false;
    for (size_t i = 0; i < outputs.golden.size(); ++i) {
      const at::Tensor& golden = outputs.golden[i];
      const at::Tensor& faulty = outputs.faulty[i];
      const double slack = change_of(golden, faulty).faulty_slack(rounding);
      if (differs(golden, faulty, {tolerance_.measure, tolerance_.most, slack})) return false;
      may_fire = may_fire || differs(golden, faulty, {tolerance_.measure, tolerance_.most, -slack});
    }
    return may_fire;
  }

 private:
  Tolerance tolerance_;
};

CriterionPtr make(Measure measure, double most) {
  auto criterion = std::make_shared<Differs>(Tolerance{measure, most});
  if (most >= 0 && std::isfinite(most)) return criterion;
  throw UserError(ErrorCode::usage,
                  "criterion " + criterion->text() + ": expected a difference from 0 up, such as 0.001");
}

}  // namespace

CriterionPtr make_differs(const Arguments& arguments) {
  return make(Measure::absolute, arguments.number("x"));
}

CriterionPtr make_differs_relative(const Arguments& arguments) {
  return make(Measure::relative, arguments.number("x"));
}

}  // namespace faultwave
