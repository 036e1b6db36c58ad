// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/function_schema.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace faultwave::detail {

/// Whether a call of an operator may write to the tensors of one of its arguments. Beside what schemas say:
/// norms write to running statistics while they train, and say nothing of it. `flag` gives the value of a
/// boolean argument by its position, where it is known.
bool may_write(const c10::FunctionSchema& schema, size_t argument,
               const std::function<std::optional<bool>(size_t)>& flag);

/// Whether a result may share memory with an argument. Beside what schemas say: some operators hand their
/// argument on, as dropout does in eval mode.
bool may_share_memory(const c10::FunctionSchema& schema, size_t result);

}  // namespace faultwave::detail
