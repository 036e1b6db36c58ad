// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faultwave/error_model.h"
#include "faultwave/location.h"
#include "faultwave/site.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// Which elements of a batch a fault hits.
struct BatchPart {
  enum class Kind : uint8_t {
    all,   ///< no `@`, or `@*`: all, with the same draws
    each,  ///< `@each`: all, each with draws of its own
    one,   ///< `@3`: one element
  };
  Kind kind = Kind::all;
  int64_t element = 0;  ///< for Kind::one
  bool operator==(const BatchPart&) const = default;
};

/// In which forwards of an armed scope a fault acts, counted from 0: from `begin` on, `end` not included.
///
/// | text   | acts in                                        |
/// |--------|------------------------------------------------|
/// | none   | every forward; so is `%0:`, which prints as none |
/// | `%5`   | forward 5 alone                                |
/// | `%5:8` | forwards 5, 6 and 7                            |
/// | `%5:`  | forward 5 and all that come behind it          |
struct ForwardRange {
  static constexpr int64_t no_end = INT64_MAX;
  int64_t begin = 0;
  int64_t end = no_end;

  bool is_all() const { return begin == 0 && end == no_end; }
  bool holds(int64_t forward) const { return begin <= forward && forward < end; }
  bool operator==(const ForwardRange&) const = default;
};

/// Error model + site + location: what one fault does, in full. Printing and parsing are inverse to each
/// other.
///
///     output:features.3[17,4,9] flip(30)
///     output:layer2.0/add[5,3,3]@2 random(-1,1)#8841
///     output:lm_head[?] flip(30)%5#7
///
/// The grammar is in docs/fault_lines.md.
struct Fault {
  SiteKind kind = SiteKind::output;
  std::string site;
  Location location;
  BatchPart batch;
  ErrorModelPtr model;
  ForwardRange forwards;        ///< of those that run while the fault is armed (Armed)
  std::optional<uint64_t> key;  ///< `#8841`; needed where location or model is drawn, 0 if left out
  int site_number = -1;         ///< Site::number where it is known, so that nobody need look for the name
};

bool operator==(const Fault& a, const Fault& b);

std::string to_string(const Fault& fault);
/// Joined by "; ".
std::string to_string(const std::vector<Fault>& faults);

/// Parses one fault line. Throws UserError(usage) that shows the line, a column and what was expected there.
Fault parse_fault(std::string_view line);
/// Parses one or several joined by `;`.
std::vector<Fault> parse_faults(std::string_view line);

}  // namespace faultwave
#pragma GCC visibility pop
