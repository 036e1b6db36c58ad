// SPDX-License-Identifier: Apache-2.0
#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/fault/bits.h"
#include "src/fault/models/all.h"
#include "src/fault/models/checks.h"

namespace faultwave {
namespace {

/// Adjacent bits flip. A drawn start is drawn once for all victims of the fault.
class BurstFlip final : public ErrorModel {
 public:
  BurstFlip(int length, std::optional<int> start) : length_(length), start_(start) {}

  std::string text() const override {
    std::string text = "burst(" + std::to_string(length_);
    if (start_) text += ",start=" + std::to_string(*start_);
    return text + ")";
  }

  bool is_drawn() const override { return !start_; }

  void check(const VictimContext& context) const override {
    check_type(*this, context);
    const int last_start = word_bits(context.dtype) - length_;
    if (last_start < 0) {
      refuse(*this, context,
             "they have only " + std::to_string(word_bits(context.dtype)) +
                 (word_bits(context.dtype) == 1 ? " bit" : " bits"));
    }
    if (start_ && (*start_ < 0 || *start_ > last_start)) {
      refuse(*this, context,
             "a burst of " + std::to_string(length_) + " can start at bits 0 (lowest) to " +
                 std::to_string(last_start) + ", further up it would leave the word");
    }
  }

  ErrorModelPtr resolve(const VictimContext& context, Draw& draw) const override {
    if (start_) return nullptr;
    check(context);
    return burst_flip(length_, draw_start(context, draw));
  }

  std::vector<ErrorModelPtr> choices(const VictimContext& context) const override {
    std::vector<ErrorModelPtr> starts;
    for (int start = 0; !start_ && start <= word_bits(context.dtype) - length_; ++start)
      starts.push_back(burst_flip(length_, start));
    return starts;
  }

  std::optional<BitChange> bit_change() const override {
    if (length_ > 1) return std::nullopt;
    return BitChange{BitChange::Kind::flip, start_, ""};
  }

  void apply(at::Tensor& values, const VictimContext& context, Draw& draw) const override {
    const int start = start_ ? *start_ : draw_start(context, draw);
    const uint64_t mask = (~uint64_t{0} >> (64 - length_)) << start;
    transform_bits(values, [mask](uint64_t bits) { return bits ^ mask; });
  }

 private:
  /// Only among the starts that keep the whole burst within the word.
  int draw_start(const VictimContext& context, Draw& draw) const {
    return static_cast<int>(draw.below(word_bits(context.dtype) - length_ + 1));
  }

  int length_;
  std::optional<int> start_;
};

}  // namespace

ErrorModelPtr burst_flip(int length, std::optional<int> start) {
  if (length < 1 || length > 64) {
    throw UserError(ErrorCode::usage, "a burst needs a length from 1 to 64, not " + std::to_string(length));
  }
  return std::make_shared<BurstFlip>(length, start);
}

ModelSyntax burst_flip_syntax() {
  return {"burst",
          {{"burst(length)", "that many adjacent bits flip, their position drawn"},
           {"burst(length,start=bit)", "likewise from a given lowest bit"}},
          {},
          {},
          [](const ArgumentTexts& arguments) {
            arguments.expect(1, 1, {"start"}, "burst(length) or burst(length,start=bit)");
            return burst_flip(arguments.integer(0), arguments.integer("start"));
          }};
}

}  // namespace faultwave
