// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "faultwave/inputs.h"

namespace faultwave {

/// An input set of image files, decoded when they are asked for. Reads their headers at once, to see that all
/// have one size after preprocessing. Throws UserError(bad_input).
std::shared_ptr<InputSet> inputs_from_images(std::vector<std::string> paths, const Preprocess& preprocess);

/// An input set of the first axis of a tensor; `origin` is who gave it, for messages.
std::shared_ptr<InputSet> inputs_from_tensor(at::Tensor inputs, const std::string& origin);

/// The fingerprint of `inputs`, read by several threads.
std::string compute_fingerprint(const InputSet& inputs);

/// Throws UserError(bad_input) unless 0 <= index < size.
void check_index(int64_t index, int64_t size);

}  // namespace faultwave
