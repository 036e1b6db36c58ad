// SPDX-License-Identifier: Apache-2.0
#include "src/direct/golden_runs.h"

#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "faultwave/error.h"

#include "src/direct/golden_failure.h"
#include "src/model/repeat_check.h"

namespace faultwave::detail {
namespace {

constexpr size_t kGoldenKept = 16;

/// An input set's tensors as a batch of one, where they have a batch.
std::vector<c10::IValue> batch_of_one(const InputSet& inputs, int64_t number) {
  const std::vector<int64_t> axes = inputs.batch_axes();
  const Input input = inputs.get(number);
  std::vector<c10::IValue> batch;
  for (size_t i = 0; i < input.size(); ++i)
    batch.emplace_back(axes.at(i) == BatchAxes::none ? input[i] : input[i].unsqueeze(axes[i]));
  return batch;
}

}  // namespace

GoldenRuns::GoldenRuns(std::shared_ptr<Network> network, std::shared_ptr<const InputSet> inputs,
                       const WorkloadOptions& options)
    : inputs_(std::move(inputs)),
      options_(options),
      steady_(std::move(network), options.random_key),
      single_(batch_of_one(*inputs_, 0)),
      axes_(single_, inputs_->batch_axes()),
      sizes_(steady_.network(), single_, axes_),
      smallest_batch_(axes_.grow() ? sizes_.at_least(1).value_or(1) : 1) {}

void GoldenRuns::look(bool batch_is_free) {
  const std::vector<c10::IValue> first = batch({0});
  const auto begin = std::chrono::steady_clock::now();
  RepeatCheck check;
  try {
    check = check_repeats(steady_, first, other_than_first());
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    refuse_input(*inputs_, 0, error);
  }
  const std::chrono::duration<double> at_most = std::chrono::steady_clock::now() - begin;
  golden_.push_front({{0}, check.outputs, at_most.count()});
  is_unsteady_ = check.habits.needs_key();
  shares_ = batch_is_free && axes_.grow() && !is_unsteady_ && !check.habits.asks;
  find_output_axes(check.outputs);
}

void GoldenRuns::find_output_axes(const std::vector<at::Tensor>& single) {
  const int64_t large = sizes_.at_least(smallest_batch_ + 1).value_or(smallest_batch_);
  if (!shares_ || large == smallest_batch_) return run_alone(single);
  const std::vector<int64_t> again(static_cast<size_t>(large), 0);
  const std::vector<c10::IValue> several = batch(again);
  const std::vector<at::Tensor> alike = run(again, several);
  // An output for the whole batch (a mean, say) cannot be split between trials.
  if (!find_axes(single, alike) ||
      elements_meet(steady_, axes_, alike, several, other_than_first(), output_axes_)) {
    run_alone(single);
  }
}

bool GoldenRuns::find_axes(const std::vector<at::Tensor>& small, const std::vector<at::Tensor>& large) {
  for (size_t i = 0; i < small.size(); ++i) {
    int64_t axis = -1;
    for (int64_t d = 0; d < small[i].dim(); ++d) {
      if (small[i].size(d) == smallest_batch_ && large.at(i).size(d) > smallest_batch_) axis = d;
    }
    if (axis < 0) return false;
    output_axes_.push_back(axis);
  }
  return true;
}

void GoldenRuns::run_alone(const std::vector<at::Tensor>& single) {
  shares_ = false;
  output_axes_.clear();
  // Axis 0 is taken for the batch where its size is that of the batch; a detector's boxes [N, 4], say, have
  // none.
  for (const at::Tensor& output : single) {
    const bool has_batch = axes_.grow() && output.dim() > 0 && output.size(0) == smallest_batch_;
    output_axes_.push_back(has_batch ? 0 : -1);
  }
}

/// The second input, or the first one backwards, in a batch as batch() makes them.
std::vector<c10::IValue> GoldenRuns::other_than_first() const {
  if (inputs_->size() > 1) return batch({1});
  std::vector<c10::IValue> other = batch({0});
  for (size_t i = 0; i < other.size(); ++i) {
    const at::Tensor tensor = other[i].toTensor();
    if (axes_.of(i) != BatchAxes::none && tensor.dim() > 1 && axes_.of(i) != tensor.dim() - 1)
      other[i] = tensor.flip(-1);
  }
  return other;
}

std::vector<c10::IValue> GoldenRuns::batch(const std::vector<int64_t>& inputs) const {
  std::vector<Input> elements;
  for (const int64_t input : inputs)
    elements.push_back(inputs_->get(input));
  const auto count = static_cast<int64_t>(elements.size());
  const int64_t size = !axes_.grow() || sizes_.fits(count) ? count : sizes_.at_least(count).value_or(count);
  elements.resize(static_cast<size_t>(size), elements.back());
  std::vector<c10::IValue> batch;
  for (size_t i = 0; i < elements.front().size(); ++i) {
    std::vector<at::Tensor> tensors;
    for (const Input& element : elements)
      tensors.push_back(element[i]);
    at::Tensor tensor = axes_.of(i) == BatchAxes::none ? tensors.front() : at::stack(tensors, axes_.of(i));
    if (options_.dtype && tensor.is_floating_point()) tensor = tensor.to(*options_.dtype);
    batch.emplace_back(tensor.to(options_.device));
  }
  return batch;
}

int64_t GoldenRuns::most_at_once(int64_t wanted) const {
  if (!shares_) return 1;
  return sizes_.at_most(std::max(wanted, smallest_batch_)).value_or(1);
}

at::Tensor GoldenRuns::element(const at::Tensor& output, size_t position, int64_t number) const {
  // A faulty run may give more outputs than the golden one; those have no known axis.
  const int64_t axis = position < output_axes_.size() ? output_axes_[position] : -1;
  const bool splits = axis >= 0 && axis < output.dim() && output.size(axis) > number;
  return splits ? output.select(axis, number).contiguous() : output;
}

bool GoldenRuns::splits(const std::vector<at::Tensor>& outputs, int64_t size) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const int64_t axis = i < output_axes_.size() ? output_axes_[i] : -1;
    if (axis < 0 || axis >= outputs[i].dim() || outputs[i].size(axis) != size) return false;
  }
  return true;
}

std::vector<at::Tensor> GoldenRuns::element(const std::vector<at::Tensor>& outputs, int64_t number) const {
  std::vector<at::Tensor> elements;
  for (size_t i = 0; i < outputs.size(); ++i)
    elements.push_back(element(outputs[i], i, number));
  return elements;
}

std::vector<at::Tensor> GoldenRuns::run(const std::vector<int64_t>& inputs,
                                        const std::vector<c10::IValue>& batch) {
  try {
    return steady_.run(batch);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    refuse_failing(inputs, error);
  }
}

void GoldenRuns::refuse_failing(const std::vector<int64_t>& inputs, const std::exception& error) {
  refuse_failing_input(*inputs_, inputs, error, [&](int64_t input) { steady_.run(batch({input})); });
}

const GoldenRuns::Golden& GoldenRuns::golden(const std::vector<int64_t>& inputs,
                                             const std::vector<c10::IValue>& batch) {
  const auto known = std::find_if(golden_.begin(), golden_.end(),
                                  [&](const Golden& golden) { return golden.inputs == inputs; });
  if (known != golden_.end()) {
    golden_.splice(golden_.begin(), golden_, known);
    return golden_.front();
  }
  const auto begin = std::chrono::steady_clock::now();
  std::vector<at::Tensor> outputs = run(inputs, batch);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  golden_.push_front({inputs, std::move(outputs), elapsed.count()});
  if (golden_.size() > kGoldenKept) golden_.pop_back();
  return golden_.front();
}

}  // namespace faultwave::detail
