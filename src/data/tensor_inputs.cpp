// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"

#include "src/common/shape.h"
#include "src/data/input_sets.h"

namespace faultwave {
namespace {

constexpr int64_t kNoBatch = -1;

/// What the input sets of this file have in common: inputs are numbered, and never change.
class MemoryInputs : public InputSet {
 public:
  explicit MemoryInputs(std::vector<int64_t> batch_axes) : batch_axes_(std::move(batch_axes)) {}

  std::vector<int64_t> batch_axes() const override { return batch_axes_; }

  std::string name(int64_t index) const override {
    check_index(index, size());
    return std::string("#").append(std::to_string(index));
  }

  std::string fingerprint() const override {
    const std::lock_guard lock(mutex_);
    if (!fingerprint_) fingerprint_ = compute_fingerprint(*this);
    return *fingerprint_;
  }

 protected:
  std::vector<int64_t> batch_axes_;

 private:
  mutable std::mutex mutex_;
  mutable std::optional<std::string> fingerprint_;
};

/// The inputs along an axis of each of some tensors.
class TensorInputs final : public MemoryInputs {
 public:
  /// `tensors`: contiguous, on the CPU, not written to by anybody else.
  TensorInputs(std::vector<at::Tensor> tensors, std::vector<int64_t> batch_axes, int64_t size)
      : MemoryInputs(std::move(batch_axes)), tensors_(std::move(tensors)), size_(size) {}

  int64_t size() const override { return size_; }

  Input get(int64_t index) const override {
    check_index(index, size());
    Input input;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      const int64_t axis = batch_axes_[i];
      const at::Tensor tensor = axis == kNoBatch ? tensors_[i] : tensors_[i].select(axis, index);
      input.push_back(tensor.clone(at::MemoryFormat::Contiguous));
    }
    return input;
  }

 private:
  std::vector<at::Tensor> tensors_;
  int64_t size_;
};

/// Inputs that were given one by one.
class ListedInputs final : public MemoryInputs {
 public:
  ListedInputs(std::vector<Input> inputs, std::vector<int64_t> batch_axes)
      : MemoryInputs(std::move(batch_axes)), inputs_(std::move(inputs)) {}

  int64_t size() const override { return static_cast<int64_t>(inputs_.size()); }

  Input get(int64_t index) const override {
    check_index(index, size());
    Input input = inputs_[static_cast<size_t>(index)];
    for (at::Tensor& tensor : input)
      tensor = tensor.clone();
    return input;
  }

 private:
  std::vector<Input> inputs_;
};

[[noreturn]] void refuse(const std::string& origin, const std::string& why) {
  throw UserError(ErrorCode::bad_input, origin + " cannot be used as inputs: " + why);
}

void check_plain(const at::Tensor& tensor, const std::string& origin) {
  if (!tensor.defined() || tensor.layout() != at::kStrided || tensor.is_quantized()) {
    refuse(origin, "expected a dense tensor of plain numbers");
  }
}

at::Tensor plain(const at::Tensor& tensor) {
  return tensor.detach().cpu().resolve_conj().resolve_neg().contiguous();
}

void check_axes(const std::vector<int64_t>& axes, size_t tensors) {
  if (axes.size() == tensors) return;
  refuse("inputs of " + std::to_string(tensors) + " tensors",
         std::to_string(axes.size()) + " batch axes are given; expected one for each tensor");
}

std::string of_input(size_t tensor, size_t input) {
  return "tensor " + std::to_string(tensor) + " of input " + std::to_string(input);
}

}  // namespace

at::Tensor own_tensor(const at::Tensor& tensor, const std::string& origin) {
  check_plain(tensor, origin);
  return plain(tensor).clone();
}

void check_like_first(const Input& input, const Input& first, size_t number) {
  if (input.size() != first.size()) {
    refuse("input " + std::to_string(number), "it has " + std::to_string(input.size()) +
                                                  " tensors, and input 0 has " +
                                                  std::to_string(first.size()));
  }
  for (size_t t = 0; t < first.size(); ++t) {
    const at::Tensor& tensor = input[t];
    if (tensor.sizes() == first[t].sizes() && tensor.scalar_type() == first[t].scalar_type()) continue;
    refuse(of_input(t, number), "it is " + std::string(c10::toString(tensor.scalar_type())) + " " +
                                    shape_text(tensor.sizes()) + ", and that of input 0 is " +
                                    c10::toString(first[t].scalar_type()) + " " +
                                    shape_text(first[t].sizes()) + "; pad them to one shape");
  }
}

void check_new_axes(const Input& input, const std::vector<int64_t>& axes) {
  check_axes(axes, input.size());
  for (size_t t = 0; t < axes.size(); ++t) {
    if (axes[t] >= kNoBatch && axes[t] <= input[t].dim()) continue;
    refuse(of_input(t, 0), "a batch cannot be put together along axis " + std::to_string(axes[t]) +
                               " of tensors of shape " + shape_text(input[t].sizes()));
  }
}

std::shared_ptr<InputSet> inputs_from_tensor(at::Tensor inputs, const std::string& origin) {
  check_plain(inputs, origin);
  if (inputs.dim() == 0) {
    refuse(origin, "it is a single number without axes; expected a tensor whose first axis counts inputs");
  }
  if (inputs.numel() == 0) {
    refuse(origin, "its shape " + shape_text(inputs.sizes()) +
                       " holds no values; expected at least one input, counted by the first axis");
  }
  const int64_t size = inputs.size(0);
  return std::make_shared<TensorInputs>(std::vector<at::Tensor>{plain(inputs)}, std::vector<int64_t>{0},
                                        size);
}

std::shared_ptr<InputSet> inputs_from_tensor(at::Tensor inputs) {
  // A copy, since the caller may go on writing to its own.
  if (inputs.defined()) inputs = inputs.clone();
  return inputs_from_tensor(std::move(inputs), "the tensor");
}

std::shared_ptr<InputSet> inputs_from_tensors(std::vector<at::Tensor> tensors,
                                              std::vector<int64_t> batch_axes) {
  if (tensors.empty()) refuse("an empty list of tensors", "expected at least one");
  if (batch_axes.empty()) batch_axes.assign(tensors.size(), 0);
  check_axes(batch_axes, tensors.size());
  int64_t size = 0;
  size_t first = 0;
  for (size_t t = 0; t < tensors.size(); ++t) {
    const std::string name = "tensor " + std::to_string(t);
    tensors[t] = own_tensor(tensors[t], name);
    const int64_t axis = batch_axes[t];
    if (axis == kNoBatch) continue;
    if (axis < 0 || axis >= tensors[t].dim()) {
      refuse(name, "its shape " + shape_text(tensors[t].sizes()) + " has no axis " + std::to_string(axis) +
                       " that could count inputs");
    }
    const int64_t count = tensors[t].size(axis);
    if (count == 0) refuse(name, "its shape " + shape_text(tensors[t].sizes()) + " holds no inputs");
    if (size != 0 && count != size) {
      refuse(name, "it holds " + std::to_string(count) + " inputs, and tensor " + std::to_string(first) +
                       " holds " + std::to_string(size));
    }
    if (size == 0) first = t;
    size = count;
  }
  // Where no tensor counts inputs, there is one.
  return std::make_shared<TensorInputs>(std::move(tensors), std::move(batch_axes),
                                        std::max<int64_t>(size, 1));
}

std::shared_ptr<InputSet> inputs_from_list(std::vector<Input> inputs, std::vector<int64_t> batch_axes) {
  if (inputs.empty()) refuse("an empty list", "expected at least one input");
  if (inputs.front().empty()) refuse("input 0", "it has no tensors");
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (size_t t = 0; t < inputs[i].size(); ++t)
      inputs[i][t] = own_tensor(inputs[i][t], of_input(t, i));
  }
  for (size_t i = 1; i < inputs.size(); ++i)
    check_like_first(inputs[i], inputs.front(), i);
  if (batch_axes.empty()) batch_axes.assign(inputs.front().size(), kNoBatch);
  check_new_axes(inputs.front(), batch_axes);
  return std::make_shared<ListedInputs>(std::move(inputs), std::move(batch_axes));
}

}  // namespace faultwave
