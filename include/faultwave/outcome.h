// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace faultwave {

/// What a fault did to one inference.
enum class OutcomeClass : uint8_t {
  masked,  ///< every output equals the golden one bit for bit
  benign,  ///< outputs differ, and no criterion fires
  sdc,     ///< silent data corruption: at least one criterion fires, and all outputs are finite
  due,     ///< detectable: NaN or Inf in an output where the golden one is finite, or the run crashed
};
std::string_view to_string(OutcomeClass kind);

/// Golden and faulty outputs of one batch element, batch axis removed, on the CPU; in the network's order.
/// By convention the first output holds the scores of a classifier: [classes].
struct OutputPair {
  const std::vector<at::Tensor>& golden;
  const std::vector<at::Tensor>& faulty;
};

/// Decides whether a faulty output counts as an error. Immutable and thread-safe.
/// To add one: a source in src/outcome/, a line in the list of src/outcome/all.cpp, a test, a row in docs.
class Criterion {
 public:
  virtual ~Criterion() = default;
  /// Column name and JSON key, "top1"; "confidence(0.2)" with its number, so that several may stand side by side.
  virtual std::string name() const = 0;
  /// As in a specification, "confidence(0.2)".
  virtual std::string text() const = 0;
  /// Throws UserError(bad_input) if the outputs are not of the kind that the criterion is made for.
  virtual bool fires(const OutputPair& outputs) const = 0;
};
using CriterionPtr = std::shared_ptr<const Criterion>;

/// `top1`, `top5` (top-1 no longer in the golden top five), `confidence(x)` (the probability of the golden top-1
/// falls or rises by more than x), `nonfinite` (NaN or Inf where the golden output has none).
/// Throws UserError(usage) listing the choices.
CriterionPtr parse_criterion(std::string_view text);
std::vector<std::string> criterion_names();

struct Outcome {
  OutcomeClass kind = OutcomeClass::masked;
  uint32_t fired = 0;  ///< bit i set: criterion i of the list fired
  bool crashed = false;
};

Outcome judge(const OutputPair& outputs, const std::vector<CriterionPtr>& criteria);
/// The outcome of a run that ended with an exception: due, every criterion fired.
Outcome crashed_outcome(const std::vector<CriterionPtr>& criteria);

struct RankedClass {
  int64_t index;
  double probability;  ///< softmax over the scores, in FP64
};
/// The `most` classes with the highest scores, best first; NaN ranks last; equal scores by index.
std::vector<RankedClass> top_classes(const at::Tensor& scores, int64_t most = 5);

}  // namespace faultwave
