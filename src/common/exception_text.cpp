// SPDX-License-Identifier: Apache-2.0
#include "src/common/exception_text.h"

#include <c10/util/Exception.h>

#include <string_view>

namespace faultwave {

std::string reason_of(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string message = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  constexpr std::string_view script_reason = "\nRuntimeError: ";
  const size_t stack_end = message.rfind(script_reason);
  const size_t begin = stack_end == std::string::npos ? 0 : stack_end + 1;
  return message.substr(begin, message.find('\n', begin) - begin);
}

}  // namespace faultwave
