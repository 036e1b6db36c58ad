// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "src/model/program.h"

namespace faultwave::detail {

/// The fixed tensors of a program (parameters, buffers, constants) that a run may write to, by whatever view.
/// A program has no branches, so it is known without a run.
std::vector<at::Tensor> written_tensors(const Program& program);

}  // namespace faultwave::detail
