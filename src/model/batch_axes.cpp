// SPDX-License-Identifier: Apache-2.0
#include "src/model/batch_axes.h"

#include <torch/types.h>

#include <algorithm>
#include <string>

#include "faultwave/error.h"

#include "src/common/shape.h"

namespace faultwave::detail {
namespace {

bool has_axes(const c10::IValue& input) {
  return input.isTensor() && input.toTensor().dim() > 0;
}

std::vector<int64_t> usual_axes(const std::vector<c10::IValue>& example) {
  const auto first = std::find_if(example.begin(), example.end(), has_axes);
  std::vector<int64_t> axes(example.size(), BatchAxes::none);
  if (first == example.end()) return axes;
  const int64_t batch = first->toTensor().size(0);
  for (size_t i = 0; i < example.size(); ++i) {
    if (has_axes(example[i]) && example[i].toTensor().size(0) == batch) axes[i] = 0;
  }
  return axes;
}

void check_axis(const c10::IValue& input, size_t number, int64_t axis) {
  if (axis == BatchAxes::none) return;
  if (input.isTensor() && axis >= 0 && axis < input.toTensor().dim()) return;
  throw UserError(
      ErrorCode::usage,
      "input " + std::to_string(number) + " has no axis " + std::to_string(axis) +
          " to count a batch along: " +
          (input.isTensor() ? "its shape is " + shape_text(input.toTensor().sizes()) : "it is no tensor"));
}

}  // namespace

BatchAxes::BatchAxes(const std::vector<c10::IValue>& example, const std::vector<int64_t>& axes)
    : axes_(axes.empty() ? usual_axes(example) : axes) {
  if (axes_.size() != example.size()) {
    throw UserError(ErrorCode::usage, std::to_string(axes_.size()) + " batch axes are given for " +
                                          std::to_string(example.size()) + " inputs: expected one each");
  }
  const int64_t unknown = -1;
  int64_t batch = unknown;
  for (size_t i = 0; i < example.size(); ++i) {
    check_axis(example[i], i, axes_[i]);
    if (axes_[i] == none) continue;
    const int64_t size = example[i].toTensor().size(axes_[i]);
    if (batch != unknown && size != batch) {
      throw UserError(ErrorCode::usage, "the batch has " + std::to_string(size) + " elements in input " +
                                            std::to_string(i) + " and " + std::to_string(batch) +
                                            " in one before it");
    }
    batch = size;
  }
}

bool BatchAxes::grow() const {
  return std::any_of(axes_.begin(), axes_.end(), [](int64_t axis) { return axis != none; });
}

int64_t BatchAxes::batch_of(const std::vector<c10::IValue>& inputs) const {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (axes_.at(i) != none) return inputs[i].toTensor().size(axes_[i]);
  }
  return 1;
}

std::vector<c10::IValue> BatchAxes::repeated(const std::vector<c10::IValue>& inputs, int64_t times) const {
  if (times == 1) return inputs;
  std::vector<c10::IValue> result = inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (axes_.at(i) != none) result[i] = inputs[i].toTensor().repeat_interleave(times, axes_[i]);
  }
  return result;
}

std::vector<c10::IValue> BatchAxes::doubled(const std::vector<c10::IValue>& inputs) const {
  std::vector<c10::IValue> result = inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (axes_.at(i) != none) result[i] = at::cat({inputs[i].toTensor(), inputs[i].toTensor()}, axes_[i]);
  }
  return result;
}

std::vector<std::vector<int64_t>> BatchAxes::shapes(const std::vector<c10::IValue>& inputs,
                                                    int64_t batch) const {
  std::vector<std::vector<int64_t>> shapes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    shapes.push_back(inputs[i].isTensor() ? inputs[i].toTensor().sizes().vec() : std::vector<int64_t>{});
    if (axes_.at(i) != none) shapes.back()[static_cast<size_t>(axes_[i])] = batch;
  }
  return shapes;
}

}  // namespace faultwave::detail
