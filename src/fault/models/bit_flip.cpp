// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/common/numbers.h"
#include "src/fault/bits.h"
#include "src/fault/models/all.h"
#include "src/fault/models/checks.h"
#include "src/fault/models/format_flip.h"

namespace faultwave {
namespace {

/// Given bits flip in every victim.
class GivenBitFlip final : public ErrorModel {
 public:
  explicit GivenBitFlip(std::vector<int> bits) : bits_(std::move(bits)) {}

  std::string text() const override { return std::string("flip(") + join_integers(bits_) + ")"; }

  void check(const VictimContext& context) const override {
    check_type(*this, context);
    for (int bit : bits_) {
      check_bit(*this, context, bit, word_bits(context.dtype), std::string(type_name(context.dtype)));
    }
  }

  std::optional<BitChange> bit_change() const override {
    if (bits_.size() > 1) return std::nullopt;
    return BitChange{BitChange::Kind::flip, bits_.front(), ""};
  }

  void apply(at::Tensor& values, const VictimContext&, Draw&) const override {
    uint64_t mask = 0;
    for (int bit : bits_)
      mask |= uint64_t{1} << bit;
    transform_bits(values, [mask](uint64_t bits) { return bits ^ mask; });
  }

 private:
  std::vector<int> bits_;  // ascending, each once
};

/// That many different bits flip, drawn once for all victims of the fault.
class DrawnBitFlip final : public ErrorModel {
 public:
  explicit DrawnBitFlip(int count) : count_(count) {}

  std::string text() const override {
    return count_ == 1 ? "flip" : "flip(any=" + std::to_string(count_) + ")";
  }
  bool is_drawn() const override { return true; }

  void check(const VictimContext& context) const override {
    check_type(*this, context);
    const int bits = word_bits(context.dtype);
    if (count_ <= bits) return;
    refuse(*this, context, "they have only " + std::to_string(bits) + (bits == 1 ? " bit" : " bits"));
  }

  ErrorModelPtr resolve(const VictimContext& context, Draw& draw) const override {
    check(context);
    const int bits = word_bits(context.dtype);
    std::vector<int> chosen;
    while (static_cast<int>(chosen.size()) < count_) {
      // The k-th draw counts among the bits that are left: pass over those chosen before, from the lowest.
      int bit = static_cast<int>(draw.below(bits - chosen.size()));
      for (int taken : chosen)
        bit += taken <= bit ? 1 : 0;
      chosen.insert(std::upper_bound(chosen.begin(), chosen.end(), bit), bit);
    }
    return bit_flip(chosen);
  }

  std::vector<ErrorModelPtr> choices(const VictimContext& context) const override {
    std::vector<ErrorModelPtr> flips;
    for (int bit = 0; count_ == 1 && bit < word_bits(context.dtype); ++bit)
      flips.push_back(bit_flip({bit}));
    return flips;
  }

  std::optional<BitChange> bit_change() const override {
    if (count_ > 1) return std::nullopt;
    return BitChange{};
  }

  void apply(at::Tensor& values, const VictimContext& context, Draw& draw) const override {
    resolve(context, draw)->apply(values, context, draw);
  }

 private:
  int count_;
};

ErrorModelPtr parse_flip(const ArgumentTexts& arguments) {
  const bool is_format = arguments.count() > 0 && is_letter(arguments.text(0).front());
  if (is_format) return parse_format_flip(arguments);
  constexpr std::string_view forms = "flip, flip(bit, ...), flip(any=count) or flip(format:bit)";
  if (arguments.has("any")) {
    arguments.expect(0, 0, {"any"}, forms);
    return random_bit_flips(*arguments.integer("any"));
  }
  arguments.expect(0, 64, {}, forms);
  if (arguments.count() == 0) return bit_flip();
  std::vector<int> bits;
  for (size_t i = 0; i < arguments.count(); ++i)
    bits.push_back(arguments.integer(i));
  return bit_flip(bits);
}

}  // namespace

ErrorModelPtr bit_flip() {
  return std::make_shared<DrawnBitFlip>(1);
}

ErrorModelPtr bit_flip(std::vector<int> bits) {
  if (bits.empty()) throw UserError(ErrorCode::usage, "a flip of given bits needs at least one bit");
  std::sort(bits.begin(), bits.end());
  const auto twice = std::adjacent_find(bits.begin(), bits.end());
  if (twice != bits.end()) {
    throw UserError(ErrorCode::usage, "bit " + std::to_string(*twice) + " of a flip is given twice");
  }
  return std::make_shared<GivenBitFlip>(std::move(bits));
}

ErrorModelPtr random_bit_flips(int count) {
  if (count < 1 || count > 64) {
    throw UserError(ErrorCode::usage,
                    "flip(any=count) needs a count from 1 to 64, not " + std::to_string(count));
  }
  return std::make_shared<DrawnBitFlip>(count);
}

ModelSyntax bit_flip_syntax() {
  return {"flip",
          {{"flip", "one bit flips, drawn"},
           {"flip(bit, ...)", "these bits flip; 0 is the lowest"},
           {"flip(any=count)", "that many different bits flip, drawn"},
           {"flip(int8)", "the value goes through INT8 with its site's scale and one bit, drawn, flips"},
           {"flip(int8:bit)", "likewise with a given bit, 0 to 7; flip(int8:bit,scale=s) gives the scale"},
           {"flip(format:bit)",
            "likewise through fp16, bf16, fp8_e4m3, fp8_e5m2 or fixedW.F; flip(format) draws"}},
          {},
          {},
          parse_flip};
}

}  // namespace faultwave
