// SPDX-License-Identifier: Apache-2.0
#include "src/fault/formats.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "src/common/numbers.h"
#include "src/fault/float_layout.h"

namespace faultwave {
namespace {

NumberFormat floating(const char* name, const FloatLayout& layout) {
  return {.name = name,
          .bits = layout.bits(),
          .encode = [layout](double value, double) { return encode_float(value, layout); },
          .decode = [layout](uint64_t word, double) { return decode_float(word, layout); }};
}

/// The word of a two's complement integer times a step.
uint64_t encode_integer(double value, int bits, double step) {
  if (std::isnan(value)) return 0;
  const double highest = std::ldexp(1.0, bits - 1) - 1.0;
  const auto integer =
      static_cast<int64_t>(std::clamp(std::nearbyint(value / step), -highest - 1.0, highest));
  return static_cast<uint64_t>(integer) & ((uint64_t{1} << bits) - 1);
}

double decode_integer(uint64_t word, int bits, double step) {
  // Moves the sign bit to the top and back, which copies it into all the bits above the word.
  const int unused = 64 - bits;
  return static_cast<double>(static_cast<int64_t>(word << unused) >> unused) * step;
}

NumberFormat int8() {
  constexpr int bits = 8;
  return {.name = "int8",
          .bits = bits,
          .needs_scale = true,
          .encode = [](double value, double scale) { return encode_integer(value, bits, scale); },
          .decode = [](uint64_t word, double scale) { return decode_integer(word, bits, scale); }};
}

/// `fixedW.F`: two's complement of W bits (2 to 32), F of them (0 to W - 1) after the binary point.
std::shared_ptr<const NumberFormat> find_fixed_point(std::string_view name) {
  constexpr std::string_view prefix = "fixed";
  const size_t point = name.find('.');
  if (!name.starts_with(prefix) || point == std::string_view::npos) return nullptr;
  const auto width = parse_unsigned(name.substr(prefix.size(), point - prefix.size()));
  const auto fraction = parse_unsigned(name.substr(point + 1));
  if (!width || !fraction || *width < 2 || *width > 32 || *fraction >= *width) return nullptr;
  const auto bits = static_cast<int>(*width);
  const double step = std::ldexp(1.0, -static_cast<int>(*fraction));
  // Rebuilt from the numbers, so that "fixed08.4" and "fixed8.4" are one format with one name.
  return std::make_shared<NumberFormat>(NumberFormat{
      .name = "fixed" + std::to_string(*width) + "." + std::to_string(*fraction),
      .bits = bits,
      .encode = [bits, step](double value, double) { return encode_integer(value, bits, step); },
      .decode = [bits, step](uint64_t word, double) { return decode_integer(word, bits, step); }});
}

}  // namespace

// To add one: a line here, a test, a row in docs/error_models.md.
Registry<NumberFormat>& number_formats() {
  static Registry<NumberFormat> formats({
      int8(),
      floating("fp16", kFp16Layout),
      floating("bf16", kBf16Layout),
      floating("fp8_e4m3", kE4m3fnLayout),
      floating("fp8_e5m2", kE5m2Layout),
  });
  return formats;
}

std::shared_ptr<const NumberFormat> find_format(std::string_view name) {
  if (const auto known = number_formats().find(name)) return {known, &known->entry};
  return find_fixed_point(name);
}

std::string format_choices() {
  std::string text;
  for (const auto& format : number_formats().all())
    text += format->entry.name + ", ";
  return text + "or fixedW.F (W bits, 2 to 32, F of them after the binary point)";
}

}  // namespace faultwave
