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
  /// How many classes have a number that comes before that of class `index`, which is not NaN.
  int64_t ahead_of(int64_t index) const;
  /// Softmax in FP64 at one class. NaN if any score is NaN. Scores at +inf share the probability evenly, as
  /// the limit of ever larger equal scores does.
  double probability(int64_t index) const;
  /// The first `most` classes of the order.
  std::vector<RankedClass> ranked(int64_t most) const;

 private:
  at::Tensor values_;
};

/// The scores of a classifier: its first output. `reader` as above.
Scores first_output(const std::vector<at::Tensor>& outputs, std::string_view reader);

}  // namespace faultwave
