// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "faultwave/outcome.h"

namespace faultwave {

/// The scores that a classifier gives its classes, and the order that they put them in: the highest first,
/// equal ones by index, NaN last. A NaN is never best, so scores that are all NaN have no best class.
class Scores {
 public:
  /// `tensor`: [classes], or with further axes of size 1; real numbers of any type.
  /// `reader` is who asks, for the message of UserError(bad_input): "criterion top1".
  Scores(const at::Tensor& tensor, std::string_view reader);

  int64_t classes() const { return values_.numel(); }
  bool is_floating_point() const { return values_.is_floating_point(); }

  /// The best class, or -1 if there is none.
  int64_t best() const;
  bool is_nan(int64_t index) const;
  /// Whether class `index` has a number, and it is one of the `most` best. Not for a class that does not
  /// exist.
  bool is_among(int64_t index, int64_t most) const;
  /// Softmax in FP64 at one class. NaN if any score is NaN. Scores at +inf share the probability evenly, as
  /// the limit of ever larger equal scores does.
  double probability(int64_t index) const;
  /// An upper bound of how far the log odds of class `index` (log p / (1 - p), p its probability) lie from
  /// those that `other` gives it, without computing an exponential. Infinite if nothing is known: other type
  /// or number of classes, or a score that is not finite.
  double log_odds_bound(const Scores& other, int64_t index) const;
  /// log p / (1 - p) of a class, in FP64; infinite where it has no rival. NaN if any score is NaN.
  double log_odds(int64_t index) const;
  /// Whether, between places `first` and `last` of the order, two neighbours lie within `slack` of each
  /// other. Equal infinities do not count, nor does NaN.
  bool has_near_tie(int64_t first, int64_t last, double slack) const;
  /// The first `most` classes of the order, with their probabilities; and without.
  std::vector<RankedClass> ranked(int64_t most) const;
  std::vector<int64_t> order(int64_t most) const;

 private:
  at::Tensor values_;
};

/// Scores of the same classes before and after, and what rounding may add to the distance of two of them.
struct NearScores {
  NearScores(const OutputPair& outputs, double rounding, std::string_view reader);

  Scores golden;
  Scores faulty;
  double golden_slack = 0;
  double faulty_slack = 0;
};

/// The scores of a classifier: its first output. `reader` as above.
Scores first_output(const std::vector<at::Tensor>& outputs, std::string_view reader);

}  // namespace faultwave
