// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "src/intercept/intercept.h"
#include "src/model/profile.h"

namespace faultwave::detail {

/// Keeps the first values of each row of chosen tensors during one forward.
class RowSampler : public intercept::Handler {
 public:
  /// A tensor to look at, by its place in the profiled forward, and the axis that its rows lie along.
  struct Target {
    int site;
    CallUse use;
    int64_t axis;
  };
  explicit RowSampler(const std::vector<Target>& targets);

  void on_call(intercept::OperatorCall& call) override;

  /// [rows, values] in FP64 for each target; undefined where the forward did not come by.
  const std::map<int, at::Tensor>& rows_by_site() const { return rows_; }

 private:
  void keep(const Target& target, const at::Tensor& tensor);

  std::map<size_t, std::vector<Target>> targets_;  // by call
  std::map<int, at::Tensor> rows_;
  size_t next_call_ = 0;
};

/// BatchAxis::run of a tensor whose batch elements own `rows` rows each, told from its values: `once` at
/// batch size `batch`, [batch * rows, k], and `twice` for the same inputs given twice. Where several would do
/// (all rows are alike), the longest.
int64_t find_run(const at::Tensor& once, const at::Tensor& twice, int64_t batch, int64_t rows);

}  // namespace faultwave::detail
