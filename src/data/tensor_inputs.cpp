// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <mutex>
#include <optional>

#include "faultwave/error.h"

#include "src/common/shape.h"
#include "src/data/input_sets.h"

namespace faultwave {
namespace {

/// The inputs along the first axis of a tensor.
class TensorInputs final : public InputSet {
 public:
  /// `inputs`: contiguous, on the CPU, not written to by anybody else.
  explicit TensorInputs(at::Tensor inputs) : inputs_(std::move(inputs)) {}

  int64_t size() const override { return inputs_.size(0); }

  at::Tensor get(int64_t index) const override {
    check_index(index, size());
    return inputs_.select(0, index).clone();
  }

  std::string name(int64_t index) const override {
    check_index(index, size());
    return std::string("#").append(std::to_string(index));
  }

  std::string fingerprint() const override {
    const std::lock_guard lock(mutex_);
    if (!fingerprint_) fingerprint_ = compute_fingerprint(*this);
    return *fingerprint_;
  }

 private:
  at::Tensor inputs_;
  mutable std::mutex mutex_;
  mutable std::optional<std::string> fingerprint_;
};

[[noreturn]] void refuse(const std::string& origin, const std::string& why) {
  throw UserError(ErrorCode::bad_input, origin + " cannot be used as inputs: " + why);
}

}  // namespace

std::shared_ptr<InputSet> inputs_from_tensor(at::Tensor inputs, const std::string& origin) {
  if (!inputs.defined() || inputs.layout() != at::kStrided || inputs.is_quantized()) {
    refuse(origin, "expected a dense tensor of plain numbers");
  }
  if (inputs.dim() == 0) {
    refuse(origin, "it is a single number without axes; expected a tensor whose first axis counts inputs");
  }
  if (inputs.numel() == 0) {
    refuse(origin, "its shape " + shape_text(inputs.sizes()) +
                       " holds no values; expected at least one input, counted by the first axis");
  }
  return std::make_shared<TensorInputs>(inputs.detach().cpu().resolve_conj().resolve_neg().contiguous());
}

std::shared_ptr<InputSet> inputs_from_tensor(at::Tensor inputs) {
  // A copy, since the caller may go on writing to its own.
  if (inputs.defined()) inputs = inputs.clone();
  return inputs_from_tensor(std::move(inputs), "the tensor");
}

}  // namespace faultwave
