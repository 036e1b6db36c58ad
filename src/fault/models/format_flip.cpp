// SPDX-License-Identifier: Apache-2.0
#include "src/fault/models/format_flip.h"

#include <algorithm>
#include <cmath>

#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/common/numbers.h"
#include "src/fault/bits.h"
#include "src/fault/formats.h"
#include "src/fault/models/checks.h"

namespace faultwave {
namespace {

/// The victim alone goes through a number format, in which one bit flips.
class FormatFlip final : public ErrorModel {
 public:
  FormatFlip(std::shared_ptr<const NumberFormat> format, std::optional<int> bit, std::optional<double> scale)
      : format_(std::move(format)), bit_(bit), scale_(scale) {}

  std::string text() const override {
    std::string text = std::string("flip(") + format_->name;
    if (bit_) text.append(1, ':').append(std::to_string(*bit_));
    if (scale_) text += ",scale=" + format_number(*scale_);
    return text + ")";
  }

  bool is_drawn() const override { return !bit_; }

  void check(const VictimContext& context) const override {
    check_target(context);
    if (!format_->needs_scale || scale_) return;
    if (!context.int8_scale) {
      refuse(*this, context,
             "the scale of the site is not known; calibrate it, or give one as in " + text_with_scale());
    }
    if (!is_scale(*context.int8_scale)) {
      refuse(*this, context,
             "the calibrated scale of the site is " + format_number(*context.int8_scale) +
                 "; calibrate with other inputs, or give one as in " + text_with_scale());
    }
  }

  /// Fixes the bit, and the scale where the context knows it, so that the text needs no calibration to be
  /// replayed.
  ErrorModelPtr resolve(const VictimContext& context, Draw& draw) const override {
    check_target(context);
    const bool takes_scale =
        format_->needs_scale && !scale_ && context.int8_scale && is_scale(*context.int8_scale);
    if (bit_ && !takes_scale) return nullptr;
    const int bit = bit_ ? *bit_ : static_cast<int>(draw.below(format_->bits));
    return std::make_shared<FormatFlip>(format_, bit, takes_scale ? context.int8_scale : scale_);
  }

  std::vector<ErrorModelPtr> choices(const VictimContext& context) const override {
    const bool takes_scale =
        format_->needs_scale && !scale_ && context.int8_scale && is_scale(*context.int8_scale);
    std::vector<ErrorModelPtr> flips;
    for (int bit = 0; !bit_ && bit < format_->bits; ++bit) {
      flips.push_back(std::make_shared<FormatFlip>(format_, bit, takes_scale ? context.int8_scale : scale_));
    }
    return flips;
  }

  void apply(at::Tensor& values, const VictimContext& context, Draw& draw) const override {
    const int bit = bit_ ? *bit_ : static_cast<int>(draw.below(format_->bits));
    const uint64_t mask = uint64_t{1} << bit;
    const double scale = scale_ ? *scale_ : context.int8_scale.value_or(1.0);
    transform_bits(values, [&](uint64_t bits) {
      const uint64_t word = format_->encode(to_double(bits, context.dtype), scale) & all_bits();
      return from_double(format_->decode(word ^ mask, scale), context.dtype);
    });
  }

  bool needs_scale() const override { return format_->needs_scale && !scale_; }

  std::optional<BitChange> bit_change() const override {
    return BitChange{BitChange::Kind::flip, bit_, format_->name};
  }

  static bool is_scale(double scale) { return std::isfinite(scale) && scale > 0.0; }

 private:
  std::string text_with_scale() const {
    return "flip(" + format_->name + ":" + std::to_string(std::min(6, format_->bits - 1)) + ",scale=0.05)";
  }

  uint64_t all_bits() const { return ~uint64_t{0} >> (64 - format_->bits); }

  void check_target(const VictimContext& context) const {
    check_type(*this, context);
    if (!is_floating(context.dtype)) {
      refuse(*this, context,
             "formats are emulated on floating-point values; flip(bit) flips the bits of this type");
    }
    if (bit_) check_bit(*this, context, *bit_, format_->bits, format_->name);
  }

  std::shared_ptr<const NumberFormat> format_;
  std::optional<int> bit_;
  std::optional<double> scale_;  // given in the text; unused unless the format needs one
};

}  // namespace

ErrorModelPtr format_flip(const std::string& format, std::optional<int> bit, std::optional<double> scale) {
  const std::shared_ptr<const NumberFormat> found = find_format(format);
  if (!found) {
    throw UserError(ErrorCode::usage, "unknown number format '" + format + "': expected " + format_choices());
  }
  if (scale && !found->needs_scale) {
    throw UserError(ErrorCode::usage, "the number format " + format + " takes no scale");
  }
  if (scale && !FormatFlip::is_scale(*scale)) {
    throw UserError(ErrorCode::usage,
                    "the scale of a flip must be finite and above 0, not " + format_number(*scale));
  }
  return std::make_shared<FormatFlip>(found, bit, scale);
}

ErrorModelPtr int8_flip(std::optional<int> bit, std::optional<double> scale) {
  return format_flip("int8", bit, scale);
}

ErrorModelPtr parse_format_flip(const ArgumentTexts& arguments) {
  arguments.expect(1, 1, {"scale"}, "flip(format), flip(format:bit) or flip(int8:bit,scale=s)");
  const std::string_view text = arguments.text(0);
  const size_t colon = text.find(':');
  const std::string format(text.substr(0, colon));
  if (colon == std::string_view::npos) return format_flip(format, {}, arguments.number("scale"));
  const std::optional<int> bit = parse_int(text.substr(colon + 1));
  if (!bit) arguments.fail(0, "a format and one of its bits, such as int8:6,");
  return format_flip(format, bit, arguments.number("scale"));
}

}  // namespace faultwave
