// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/change.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "faultwave/outcome.h"

#include "src/outcome/values.h"

namespace faultwave {
namespace {

template <typename Value>
void compare(const Value* golden, const Value* faulty, int64_t count, Change& change) {
  bool has_same_nonfinite = true;
  for (int64_t i = 0; i < count; ++i) {
    const auto before = static_cast<double>(as_number(golden[i]));
    const auto after = static_cast<double>(as_number(faulty[i]));
    const bool is_finite_before = std::isfinite(before);
    const bool is_finite_after = std::isfinite(after);
    if (is_finite_before) change.largest_golden = std::max(change.largest_golden, std::abs(before));
    if (is_finite_after) change.largest_faulty = std::max(change.largest_faulty, std::abs(after));
    if (is_finite_before && is_finite_after) {
      change.largest_change = std::max(change.largest_change, std::abs(after - before));
    } else {
      has_same_nonfinite &= before == after || (std::isnan(before) && std::isnan(after));
    }
  }
  change.has_same_nonfinite = has_same_nonfinite;
}

}  // namespace

Change change_of(const at::Tensor& golden, const at::Tensor& faulty) {
  Change change;
  change.has_same_form = golden.scalar_type() == faulty.scalar_type() && golden.sizes() == faulty.sizes();
  if (!change.has_same_form) return change;
  const at::Tensor a = plain_values(golden);
  const at::Tensor b = plain_values(faulty);
  change.is_identical =
      a.nbytes() == 0 || std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
  visit_values(b, [&](const auto* values, int64_t count) {
    using Value = std::remove_cvref_t<decltype(*values)>;
    compare(a.const_data_ptr<Value>(), values, count, change);
  });
  return change;
}

bool Change::is_masked(double slack) const {
  return has_same_form && has_same_nonfinite && largest_change <= kMaskedChange * largest_golden + slack;
}

// Each of the two values may be off.
double Change::faulty_slack(double rounding) const {
  return 2 * rounding * std::max(largest_golden, largest_faulty);
}

double Change::golden_slack(double rounding) const {
  return 2 * rounding * largest_golden;
}

}  // namespace faultwave
