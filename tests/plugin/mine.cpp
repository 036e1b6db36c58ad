// SPDX-License-Identifier: Apache-2.0
// A plugin that brings one error model, one criterion and one number format.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include <faultwave/error.h>
#include <faultwave/extension.h>
#include <faultwave/random.h>

namespace {

using faultwave::Arguments;
using faultwave::BitChange;
using faultwave::ErrorModelPtr;
using faultwave::OutputPair;
using faultwave::Parameter;
using faultwave::VictimContext;

/// One bit of FP32 values reads as low or high. Without a bit one is drawn.
class Stuck final : public faultwave::ErrorModel {
 public:
  explicit Stuck(const Arguments& arguments)
      : arguments_(arguments), is_high_(arguments.word("level") == "high") {
    if (arguments.has("bit")) bit_ = static_cast<int>(arguments.integer("bit"));
  }

  std::string text() const override { return arguments_.text(); }
  bool is_drawn() const override { return !bit_; }

  void check(const VictimContext& context) const override {
    if (context.dtype == at::kFloat) return;
    throw faultwave::UserError(faultwave::ErrorCode::illegal_fault,
                               text() + " at site " + context.site + ": it can only hit FP32 values");
  }

  std::vector<ErrorModelPtr> choices(const VictimContext&) const override {
    std::vector<ErrorModelPtr> bits;
    for (int64_t bit = 0; !bit_ && bit < 32; ++bit)
      bits.push_back(std::make_shared<Stuck>(arguments_.with("bit", bit)));
    return bits;
  }

  ErrorModelPtr resolve(const VictimContext& context, faultwave::Draw& draw) const override {
    return bit_ ? nullptr : choices(context)[draw.below(32)];
  }

  void apply(at::Tensor& values, const VictimContext& context, faultwave::Draw& draw) const override {
    if (!bit_) return resolve(context, draw)->apply(values, context, draw);
    at::Tensor words = values.view(at::kInt);
    const auto mask = static_cast<int32_t>(uint32_t{1} << *bit_);
    is_high_ ? words.bitwise_or_(mask) : words.bitwise_and_(~mask);
  }

  std::optional<BitChange> bit_change() const override {
    return BitChange{is_high_ ? BitChange::Kind::stuck_at_1 : BitChange::Kind::stuck_at_0, bit_, ""};
  }

 private:
  Arguments arguments_;
  bool is_high_;
  std::optional<int> bit_;
};

/// The sum of the first output moves by more than so much.
class SumMoved final : public faultwave::Criterion {
 public:
  explicit SumMoved(const Arguments& arguments) : arguments_(arguments), by_(arguments.number("by")) {}

  std::string name() const override { return "mine.sum_moved"; }
  std::string text() const override { return arguments_.text(); }
  bool fires(const OutputPair& outputs) const override { return change(outputs) > by_; }

  /// A sum of n values moves by no more than n times what each of them may.
  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    const at::Tensor& golden = outputs.golden[0];
    const double largest = at::maximum(golden.abs(), outputs.faulty[0].abs()).max().item<double>();
    return std::abs(change(outputs) - by_) <= 2 * static_cast<double>(golden.numel()) * rounding * largest;
  }

 private:
  static double change(const OutputPair& outputs) {
    return std::abs((outputs.faulty[0] - outputs.golden[0]).sum(at::kDouble).item<double>());
  }

  Arguments arguments_;
  double by_;
};

/// Integers of four bits, as many steps as fit between 0 and the site's largest value.
uint64_t encode_int4(double value, double scale) {
  if (std::isnan(value)) return 0;
  const double step = scale * 127 / 7;
  return static_cast<uint64_t>(static_cast<int64_t>(std::clamp(std::nearbyint(value / step), -8.0, 7.0))) &
         15;
}

double decode_int4(uint64_t word, double scale) {
  const auto integer = static_cast<double>(word) - (word > 7 ? 16 : 0);
  return integer * scale * 127 / 7;
}

void add(faultwave::Extensions& extensions) {
  extensions.add(faultwave::ErrorModelType{
      .name = "mine.stuck",
      .parameters =
          {{.name = "bit", .type = Parameter::Type::integer, .lowest = 0, .highest = 31, .otherwise = ""},
           {.name = "level", .type = Parameter::Type::word, .words = {"low", "high"}, .otherwise = "low"}},
      .make = [](const Arguments& arguments) { return std::make_shared<Stuck>(arguments); }});
  extensions.add(faultwave::CriterionType{
      .name = "mine.sum_moved",
      .parameters = {{.name = "by", .lowest = 0, .otherwise = "1"}},
      .make = [](const Arguments& arguments) { return std::make_shared<SumMoved>(arguments); }});
  extensions.add(faultwave::NumberFormat{
      .name = "mine.int4", .bits = 4, .needs_scale = true, .encode = encode_int4, .decode = decode_int4});
}

}  // namespace

extern "C" FAULTWAVE_PLUGIN const faultwave::Plugin* faultwave_plugin() {
  static const faultwave::Plugin plugin{.name = "mine", .version = "1.0", .add = add};
  return &plugin;
}
