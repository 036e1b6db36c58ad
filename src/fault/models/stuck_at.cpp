// SPDX-License-Identifier: Apache-2.0
#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/fault/bits.h"
#include "src/fault/models/all.h"
#include "src/fault/models/checks.h"

namespace faultwave {
namespace {

/// One bit reads as 0 or 1 whatever it was. A drawn bit is drawn once for all victims of the fault.
class StuckAt final : public ErrorModel {
 public:
  StuckAt(int value, std::optional<int> bit) : value_(value), bit_(bit) {}

  std::string text() const override {
    const std::string name = value_ == 0 ? "stuck0" : "stuck1";
    return bit_ ? name + "(" + std::to_string(*bit_) + ")" : name;
  }

  bool is_drawn() const override { return !bit_; }

  void check(const VictimContext& context) const override {
    check_type(*this, context);
    if (!bit_) return;
    check_bit(*this, context, *bit_, word_bits(context.dtype), std::string(type_name(context.dtype)));
  }

  ErrorModelPtr resolve(const VictimContext& context, Draw& draw) const override {
    if (bit_) return nullptr;
    check(context);
    return stuck_at(value_, draw_bit(context, draw));
  }

  std::vector<ErrorModelPtr> choices(const VictimContext& context) const override {
    std::vector<ErrorModelPtr> bits;
    for (int bit = 0; !bit_ && bit < word_bits(context.dtype); ++bit)
      bits.push_back(stuck_at(value_, bit));
    return bits;
  }

  std::optional<BitChange> bit_change() const override {
    const auto kind = value_ == 0 ? BitChange::Kind::stuck_at_0 : BitChange::Kind::stuck_at_1;
    return BitChange{kind, bit_, ""};
  }

  void apply(at::Tensor& values, const VictimContext& context, Draw& draw) const override {
    const uint64_t mask = uint64_t{1} << (bit_ ? *bit_ : draw_bit(context, draw));
    const bool is_one = value_ == 1;
    transform_bits(values, [=](uint64_t bits) { return is_one ? bits | mask : bits & ~mask; });
  }

 private:
  static int draw_bit(const VictimContext& context, Draw& draw) {
    return static_cast<int>(draw.below(word_bits(context.dtype)));
  }

  int value_;
  std::optional<int> bit_;
};

std::vector<Parameter> stuck_at_parameters() {
  return {{.name = "bit", .type = Parameter::Type::integer, .otherwise = ""}};
}

ErrorModelPtr make_stuck_at(int value, const Arguments& arguments) {
  if (!arguments.has("bit")) return stuck_at(value);
  return stuck_at(value, static_cast<int>(arguments.integer("bit")));
}

}  // namespace

ErrorModelPtr stuck_at(int value, std::optional<int> bit) {
  if (value != 0 && value != 1) {
    throw UserError(ErrorCode::usage, "a bit can be stuck at 0 or 1, not at " + std::to_string(value));
  }
  return std::make_shared<StuckAt>(value, bit);
}

ModelSyntax stuck_at_0_syntax() {
  return {"stuck0",
          {{"stuck0", "one bit, drawn, reads as 0"}, {"stuck0(bit)", "this bit reads as 0"}},
          stuck_at_parameters(),
          [](const Arguments& arguments) { return make_stuck_at(0, arguments); }};
}

ModelSyntax stuck_at_1_syntax() {
  return {"stuck1",
          {{"stuck1", "one bit, drawn, reads as 1"}, {"stuck1(bit)", "this bit reads as 1"}},
          stuck_at_parameters(),
          [](const Arguments& arguments) { return make_stuck_at(1, arguments); }};
}

}  // namespace faultwave
