// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "faultwave/inputs.h"

#include "src/data/sha256.h"

namespace faultwave {

/// An input set of image files, decoded when they are asked for. Reads their headers at once, to see that all
/// have one size after preprocessing. Throws UserError(bad_input).
std::shared_ptr<InputSet> inputs_from_images(std::vector<std::string> paths, const Preprocess& preprocess);

/// An input set of the first axis of a tensor; `origin` is who gave it, for messages.
std::shared_ptr<InputSet> inputs_from_tensor(at::Tensor inputs, const std::string& origin);

/// The fingerprint of `inputs`, read by several threads.
std::string compute_fingerprint(const InputSet& inputs);

/// SHA-256 over values, shapes and types of one input; over those of all, with the axes of their batches.
Sha256::Digest digest_of(const Input& input);
std::string fingerprint_of(const std::vector<Sha256::Digest>& digests,
                           const std::vector<int64_t>& batch_axes);

/// A copy on the CPU, since the caller may go on writing to its own. Throws UserError(bad_input), naming
/// `origin`, for what is no dense tensor of plain numbers.
at::Tensor own_tensor(const at::Tensor& tensor, const std::string& origin);

/// Throws UserError(bad_input) unless input `number` has as many tensors as the first, of the same shapes and
/// types.
void check_like_first(const Input& input, const Input& first, size_t number);

/// Throws UserError(bad_input) unless batches of inputs like this one can be put together along these new
/// axes.
void check_new_axes(const Input& input, const std::vector<int64_t>& axes);

/// Throws UserError(bad_input) unless 0 <= index < size.
void check_index(int64_t index, int64_t size);

}  // namespace faultwave
