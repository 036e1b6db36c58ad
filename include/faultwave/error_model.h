// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

class Draw;

/// What an error model may need to know of the place that it hits.
struct VictimContext {
  std::string site;  ///< for messages
  at::ScalarType dtype =
      at::ScalarType::Float;  ///< type of the values; for quantised tensors that of their stored integers
  std::optional<double>
      int8_scale;  ///< calibrated scale of the site: largest absolute value / 127; empty if unknown
};

/// A change of one bit alone, which is the same in all values that are hit.
struct BitChange {
  enum class Kind : uint8_t { flip, stuck_at_0, stuck_at_1 };
  Kind kind = Kind::flip;
  std::optional<int> bit;  ///< 0 is the lowest; empty while it is still to be drawn
  std::string format;      ///< the number format whose word has the bit; "" for the word of the value itself
  bool operator==(const BitChange&) const = default;
};

/// What happens to a value. Immutable; one object may serve many threads.
/// docs/extending.md shows how to bring one; docs/error_models.md says how to add one to Faultwave itself.
class ErrorModel {
 public:
  virtual ~ErrorModel() = default;

  /// As in a fault line, without the key: "flip(30)", "random(-1,1)". Parsing it gives an equal model.
  virtual std::string text() const = 0;

  /// Whether the result depends on the fault's key.
  virtual bool is_drawn() const { return false; }

  /// Throws UserError(illegal_fault) where the model makes no sense for the type (bit 40 of FP32, a random
  /// value outside an integer's range, `int8` without a scale); the message names the legal range.
  virtual void check(const VictimContext& context) const = 0;

  /// The same model with its discrete choices (which bit) drawn, so that its text says what happens.
  /// Continuous draws (a random value) stay with the key. Null where there is nothing to fix.
  virtual std::shared_ptr<const ErrorModel> resolve(const VictimContext& context, Draw& draw) const;

  /// The models that resolve() draws one of, each as likely as the others, in the order of draw.below(size):
  /// for `flip` a flip of each bit. Empty where nothing is left to choose, or where there are too many ways
  /// to list. Lists for several types of values may differ in length alone.
  virtual std::vector<std::shared_ptr<const ErrorModel>> choices(const VictimContext& context) const;

  /// Changes `values` in place: 1-D, contiguous, CPU, dtype `context.dtype`, one entry a victim in the
  /// order of element_offsets. Draws from `draw` in that order.
  virtual void apply(at::Tensor& values, const VictimContext& context, Draw& draw) const = 0;

  /// Whether it works with the scale of the site, VictimContext::int8_scale. Campaigns then calibrate first.
  virtual bool needs_scale() const { return false; }

  /// Where the model changes one bit alone: which. Strata and failures in time go by it.
  virtual std::optional<BitChange> bit_change() const { return std::nullopt; }

  /// Derivative of the faulty value with respect to the value it replaces, as autograd shall see it:
  /// 0 where the value is replaced, 1 for additive noise, the factor for scale.
  virtual double gradient() const { return 0.0; }
};
using ErrorModelPtr = std::shared_ptr<const ErrorModel>;

/// Parses the text of an error model. Throws UserError(usage) that lists the known models (near names first).
/// Known are the built-in ones, those of extensions (extension.h), and names given to register_user_model.
ErrorModelPtr parse_error_model(std::string_view text);

/// Names of all built-in models, with one line of help each, in the order of docs/error_models.md.
struct ErrorModelHelp {
  std::string form;     ///< "flip(bit, ...)"
  std::string summary;  ///< one line
};
std::vector<ErrorModelHelp> error_model_help();

ErrorModelPtr random_value(
    double low, double high);  ///< `random(low,high)`: uniform on [low, high); integers: on {low, ..., high}
ErrorModelPtr bit_flip();      ///< `flip`: one bit, drawn
ErrorModelPtr bit_flip(std::vector<int> bits);  ///< `flip(3,30)`: these bits
ErrorModelPtr random_bit_flips(int count);      ///< `flip(any=2)`: that many different bits, drawn
ErrorModelPtr burst_flip(
    int length, std::optional<int> start = {});  ///< `burst(4)` or `burst(4,start=20)`: adjacent bits
ErrorModelPtr int8_flip(
    std::optional<int> bit = {},
    std::optional<double> scale = {});  ///< `flip(int8:6)`, `flip(int8:6,scale=0.05)`, `flip(int8)`
/// The same through any format: "int8", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2", fixed point "fixed8.4", or
/// one of an extension; of the built-in ones only int8 takes a scale. `flip(fp16:14)`. Throws
/// UserError(usage) for an unknown format.
ErrorModelPtr format_flip(const std::string& format, std::optional<int> bit = {},
                          std::optional<double> scale = {});
ErrorModelPtr stuck_at(int value, std::optional<int> bit = {});  ///< `stuck0(7)`, `stuck1(7)`, `stuck1`
ErrorModelPtr zero();                                            ///< `zero`
ErrorModelPtr constant(
    double value);  ///< `constant(10000)`; inf, -inf and nan are allowed for floating point
ErrorModelPtr gaussian_noise(double sigma);  ///< `noise(0.1)`: value + sigma * N(0, 1)
ErrorModelPtr scale_by(double factor);       ///< `scale(2)`: value * factor

/// The user's own: takes the victims (1-D CPU tensor) and returns new values of the same shape and type.
using UserFunction =
    std::function<at::Tensor(const at::Tensor& values, const VictimContext& context, Draw& draw)>;
/// A model that prints as `user(name)`. Parsing that text needs register_user_model under the same name.
ErrorModelPtr user_model(std::string name, UserFunction function);
/// Makes `user(name)` known to parse_error_model in this process. Replaces an older one of the name.
/// Thread-safe.
void register_user_model(const std::string& name, UserFunction function);

}  // namespace faultwave
#pragma GCC visibility pop
