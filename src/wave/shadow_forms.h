// SPDX-License-Identifier: Apache-2.0
// Shadows in another form: values or changes, rows or points.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "src/wave/shadow.h"

namespace faultwave::wave {

/// Changes that wait for no factor any more.
Shadow settled(Shadow shadow);
/// The faulty values, golden bit for bit where the change is 0.
Shadow as_values(Shadow shadow, const at::Tensor& golden);
/// Faulty minus golden values; 0 where the bits are the same. Rows keep a factor that they wait for.
Shadow as_changes(Shadow shadow, const at::Tensor& golden);
/// Other values, of the same trials and places.
Shadow with_values(const Shadow& places, at::Tensor values, Form form);

/// Whole rows in place of points; values without an entry are golden. A shadow of rows along another axis
/// goes by way of points. Changes stay changes.
Shadow to_rows(const Shadow& shadow, const at::Tensor& golden, int64_t axis);
/// One entry for each value that differs: in at least one bit, or by a change that is not 0.
Shadow to_points(const Shadow& shadow, const at::Tensor& golden);

/// Points under construction: trials come in ascending order.
template <typename Value>
class PointListOf {
 public:
  explicit PointListOf(Form form) : shadow_(std::move(form)) {}

  void add(int32_t trial, int32_t offset, Value value) {
    shadow_.trials.push_back(trial);
    shadow_.places.push_back(offset);
    values_.push_back(value);
  }
  /// Those values of `faulty` that differ in at least one bit.
  void add_differences(int32_t trial, const at::Tensor& golden, const at::Tensor& faulty);
  /// Leaves the list empty.
  Shadow take();

 private:
  Shadow shadow_;
  std::vector<Value> values_;
};

/// Faulty values of an FP32 tensor.
class PointList : public PointListOf<float> {
 public:
  PointList() : PointListOf(Form{}) {}
};

}  // namespace faultwave::wave
