// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <vector>

#include "faultwave/site.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// One value that was hit.
struct Victim {
  std::vector<int64_t> index;          ///< in the site's tensor, batch axis included
  std::vector<int64_t> element_index;  ///< in Site::element_shape(), as fault lines count
  double before = 0;                   ///< NaN prints as nan; integers beyond 2^53 are exact only in the bits
  double after = 0;
  uint64_t bits_before = 0;  ///< in the tensor's own type, lowest bits
  uint64_t bits_after = 0;
};

/// Proof of what a fault did.
struct Receipt {
  static constexpr int64_t kept_victims = 64;

  /// The line as armed, with everything that was drawn filled in; the location as it was given where the
  /// tensor had another shape than the profile's, since each forward draws in its own.
  std::string fault;
  SiteKind kind = SiteKind::output;
  std::string site;
  at::ScalarType dtype = at::ScalarType::Float;
  int64_t forwards = 0;         ///< how many times the fault was applied
  int64_t first_forward = -1;   ///< in which forward of the scope it first was, from 0; -1: in none
  int64_t hits = 0;             ///< values hit, over all forwards
  std::vector<Victim> victims;  ///< the first kept_victims of the first application
};

}  // namespace faultwave
#pragma GCC visibility pop
