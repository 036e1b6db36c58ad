// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "faultwave/inputs.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// Reads one input of a data set, the same whenever it is asked for it.
using InputReader = std::function<Input(int64_t index)>;

/// Inputs that are read when they are needed, for data sets that do not fit into memory. With `batch_axes`
/// (one for each tensor of an input) a batch is put together along these new axes; without, the network takes
/// one input at a time.
///
/// `read` is called by one thread at a time, that which asks. What it throws goes on as it is. The
/// fingerprint reads each input once, in order; where an input is another one when it is read again, get()
/// throws UserError(bad_input), and so it does for an input that differs from the first in number, shapes or
/// types of its tensors. `names`: what people call the inputs, one each, or none for `#index`.
std::shared_ptr<InputSet> inputs_from_reader(int64_t size, InputReader read,
                                             std::vector<int64_t> batch_axes = {},
                                             std::vector<std::string> names = {});

}  // namespace faultwave
#pragma GCC visibility pop
