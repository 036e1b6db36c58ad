// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

/// A floating-point output is masked if none of its values moves by more than this part of its largest golden
/// magnitude. Rounding alone moves values by a thousandth of that, otherwise at another batch size and on
/// another machine; so a bound of zero would count what no two machines agree on.
inline constexpr double kMaskedChange = 0x1p-10;

/// What a fault did to one inference.
enum class OutcomeClass : uint8_t {
  masked,  ///< no output moves (kMaskedChange; integers: not at all), and no criterion fires
  benign,  ///< an output moves, and no criterion fires
  sdc,     ///< silent data corruption: at least one criterion fires, and all outputs are finite
  due,     ///< detectable: NaN or Inf in an output where the golden one is finite
  crash,   ///< the run threw, or its process died: there is no output to judge
  hang,    ///< the run did not end in its time: there is no output to judge
};
inline constexpr std::array kOutcomeClasses = {OutcomeClass::masked, OutcomeClass::benign,
                                               OutcomeClass::sdc,    OutcomeClass::due,
                                               OutcomeClass::crash,  OutcomeClass::hang};
std::string_view to_string(OutcomeClass kind);

/// Golden and faulty outputs of one batch element, batch axis removed, on the CPU; in the network's order.
/// By convention the first output holds the scores of a classifier: [classes]. For detectors see detection.h.
struct OutputPair {
  const std::vector<at::Tensor>& golden;
  const std::vector<at::Tensor>& faulty;
  std::optional<int64_t> label = std::nullopt;  ///< the right class of the input, where it is known
};

/// Decides whether a faulty output counts as an error. Immutable and thread-safe.
/// docs/extending.md shows how to bring one; docs/outcomes.md says how to add one to Faultwave itself.
class Criterion {
 public:
  virtual ~Criterion() = default;
  /// Column name and JSON key, without numbers: "top1", "confidence". Where several criteria of one name
  /// stand side by side, reports show `text` instead.
  virtual std::string name() const = 0;
  /// As in a specification, "confidence(0.2)".
  virtual std::string text() const = 0;
  /// Throws UserError(bad_input) if the outputs are not of the kind that the criterion is made for.
  virtual bool fires(const OutputPair& outputs) const = 0;
  /// Whether the answer could be another one if each finite output value, golden or faulty, moved by
  /// `rounding`, in parts of the largest magnitude of its output. Where that is not known: true, unless
  /// outputs are golden bit for bit.
  virtual bool is_near_border(const OutputPair& outputs, double rounding) const;
};
using CriterionPtr = std::shared_ptr<const Criterion>;

/// A criterion as a specification writes it: `top1`, `confidence(0.2)`, `boxes_lost(0.5)`. docs/outcomes.md
/// defines each. Throws UserError(usage) listing the choices, or saying what the arguments must be.
CriterionPtr parse_criterion(std::string_view text);
/// Names of the built-in ones, then of those that extensions bring (extension.h).
std::vector<std::string> criterion_names();

/// A criterion of one program: fires where `fires` returns true. It is called for faulty outputs that differ
/// from the golden ones in at least one bit, possibly from several threads at a time, and must change nothing
/// that it shares. `name` is a letter followed by letters, digits and underscores, at most 40 in all, and
/// none of criterion_names(); it is the criterion's text as well, which parse_criterion does not know: see
/// CriterionType for one that it does. Throws UserError(usage) for any other name, and where `fires` is
/// empty. `is_near_border` is Criterion::is_near_border; without it trials are decided by real faulty runs.
CriterionPtr make_criterion(std::string name, std::function<bool(const OutputPair&)> fires,
                            std::function<bool(const OutputPair&, double rounding)> is_near_border = {});

/// Judges golden outputs against themselves, which finds criteria that do not fit a network before any fault
/// is run. Throws UserError(bad_input) naming the criterion, if one cannot read such outputs (`label_topk`
/// without a label), if it fires although nothing differs, or if the user's own function throws.
void check_criteria(const std::vector<at::Tensor>& golden, const std::vector<CriterionPtr>& criteria,
                    std::optional<int64_t> label = std::nullopt);

/// Criteria that fit what a network puts out, for where nobody named any.
struct ChosenCriteria {
  std::vector<std::string> criteria;  ///< as a specification writes them
  std::string reason;                 ///< what they were chosen for: "scores of 1000 classes"
  bool is_judged = true;              ///< false: none fits, and only NaN and Inf are looked for
};
/// `golden`: outputs of some inputs, one batch element each, as OutputPair has them. docs/outcomes.md has the
/// rules.
ChosenCriteria choose_criteria(const std::vector<std::vector<at::Tensor>>& golden);

/// Whether any of the criteria says something of outputs that are finite: any but nonfinite. Where none does,
/// an output that moved is not benign, but not judged.
bool judges_finite(const std::vector<CriterionPtr>& criteria);
bool judges_finite(const std::vector<std::string>& names);
/// to_string, but "not judged" for what is benign only for want of a criterion.
std::string_view outcome_name(OutcomeClass kind, bool is_judged);

struct Outcome {
  OutcomeClass kind = OutcomeClass::masked;
  uint32_t fired = 0;  ///< bit i set: criterion i of the list fired
};

/// Whether the outcome could be another one if finite output values moved by `rounding`; see
/// Criterion::is_near_border. For engines whose outputs are those of a faulty run but for rounding.
bool is_near_border(const OutputPair& outputs, const std::vector<CriterionPtr>& criteria, double rounding);

/// Criteria are asked only where outputs differ in at least one bit. Throws what they throw, and
/// UserError(usage) for more than 32 of them.
Outcome judge(const OutputPair& outputs, const std::vector<CriterionPtr>& criteria);

struct RankedClass {
  int64_t index;
  double probability;  ///< softmax over the scores, in FP64
};
/// The `most` classes with the highest scores, best first; NaN ranks last; equal scores by index.
std::vector<RankedClass> top_classes(const at::Tensor& scores, int64_t most = 5);

}  // namespace faultwave
#pragma GCC visibility pop
