// SPDX-License-Identifier: Apache-2.0
#include "src/fault/formats.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "src/common/numbers.h"

namespace faultwave {
namespace {

/// The formats with a name of their own. To add one: a line here, a test, a row in docs/error_models.md.
const std::vector<Format>& named_formats() {
  static const std::vector<Format> formats = {
      {.name = "int8", .bits = 8},
      {.name = "fp16", .bits = kFp16Layout.bits(), .floating = kFp16Layout},
      {.name = "bf16", .bits = kBf16Layout.bits(), .floating = kBf16Layout},
      {.name = "fp8_e4m3", .bits = kE4m3fnLayout.bits(), .floating = kE4m3fnLayout},
      {.name = "fp8_e5m2", .bits = kE5m2Layout.bits(), .floating = kE5m2Layout},
  };
  return formats;
}

/// `fixedW.F`: two's complement of W bits (2 to 32), F of them (0 to W - 1) after the binary point.
std::optional<Format> find_fixed_point(std::string_view name) {
  constexpr std::string_view prefix = "fixed";
  const size_t point = name.find('.');
  if (!name.starts_with(prefix) || point == std::string_view::npos) return std::nullopt;
  const auto bits = parse_unsigned(name.substr(prefix.size(), point - prefix.size()));
  const auto fraction = parse_unsigned(name.substr(point + 1));
  if (!bits || !fraction || *bits < 2 || *bits > 32 || *fraction >= *bits) return std::nullopt;
  // Rebuilt from the numbers, so that "fixed08.4" and "fixed8.4" are one format with one name.
  return Format{.name = "fixed" + std::to_string(*bits) + "." + std::to_string(*fraction),
                .bits = static_cast<int>(*bits),
                .step = std::ldexp(1.0, -static_cast<int>(*fraction))};
}

}  // namespace

std::optional<Format> find_format(std::string_view name) {
  for (const Format& format : named_formats()) {
    if (format.name == name) return format;
  }
  return find_fixed_point(name);
}

std::string format_choices() {
  std::string text;
  for (const Format& format : named_formats())
    text += format.name + ", ";
  return text + "or fixedW.F (W bits, 2 to 32, F of them after the binary point)";
}

uint64_t encode(double value, const Format& format, double scale) {
  if (format.floating) return encode_float(value, *format.floating);
  if (std::isnan(value)) return 0;
  const double highest = std::ldexp(1.0, format.bits - 1) - 1.0;
  const double steps = std::nearbyint(value / format.step.value_or(scale));
  const auto integer = static_cast<int64_t>(std::clamp(steps, -highest - 1.0, highest));
  return static_cast<uint64_t>(integer) & ((uint64_t{1} << format.bits) - 1);
}

double decode(uint64_t word, const Format& format, double scale) {
  if (format.floating) return decode_float(word, *format.floating);
  // Moves the sign bit to the top and back, which copies it into all the bits above the word.
  const int unused = 64 - format.bits;
  const int64_t integer = static_cast<int64_t>(word << unused) >> unused;
  return static_cast<double>(integer) * format.step.value_or(scale);
}

}  // namespace faultwave
