// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

namespace faultwave {

/// The one line of an exception's message that gives the reason: without the backtrace that libtorch appends,
/// and without the call stack that TorchScript puts first.
std::string reason_of(const std::exception& error);

}  // namespace faultwave
