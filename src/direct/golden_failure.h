// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <vector>

#include "faultwave/inputs.h"

namespace faultwave::detail {

/// Within a handler of `error`. Throws UserError(bad_network): "the fault-free network fails on input 3
/// (cat.png): REASON"; a shortage of memory is thrown on.
[[noreturn]] void refuse_input(const InputSet& set, int64_t input, const std::exception& error);

/// Likewise for a fault-free run of several inputs that threw `error`: `run` runs one of them alone, and the
/// first that throws then is named; all of them where none does.
[[noreturn]] void refuse_failing_input(const InputSet& set, const std::vector<int64_t>& inputs,
                                       const std::exception& error, const std::function<void(int64_t)>& run);

}  // namespace faultwave::detail
