// SPDX-License-Identifier: Apache-2.0
#include "src/common/exception_text.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include <algorithm>
#include <string_view>

#include "src/common/plain_text.h"

namespace faultwave {
namespace {

constexpr size_t kLongest = 1000;  // bytes of a reason

/// What TorchScript's interpreter puts first: that something failed, and where. Before the reason stands the
/// type of the exception, "RuntimeError: " for those of operators. An exception may have come through several
/// interpreters.
constexpr std::string_view kScriptStack = "The following operation failed in the TorchScript interpreter.";

std::string_view without_call_stack(std::string_view message) {
  if (!message.starts_with(kScriptStack)) return message;
  // Lines of the stack are indented or show code; the reason begins with the name of a type and a colon.
  std::string_view reason = message;
  for (size_t line = 0; line < message.size();) {
    const size_t end = std::min(message.find('\n', line), message.size());
    const std::string_view text = message.substr(line, end - line);
    const size_t name =
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    const bool names_type = name != std::string_view::npos && name > 0 && text.substr(name, 2) == ": ";
    if (names_type) reason = message.substr(line);
    line = end + 1;
  }
  return reason;
}

/// "builtins.ValueError" is "ValueError" to its reader.
std::string_view short_type(std::string_view type) {
  constexpr std::string_view module = "builtins.";
  return type.starts_with(module) ? type.substr(module.size()) : type;
}

/// A `raise` of TorchScript: its type and what it says.
std::string raised(const torch::jit::JITException& error) {
  const std::string type = error.getPythonClassName().value_or("");
  const std::string message = error.getOriginalMsg().value_or(std::string(without_call_stack(error.what())));
  if (type.empty()) return message;
  return message.empty() ? std::string(short_type(type)) : std::string(short_type(type)) + ": " + message;
}

std::string whole_reason(const std::exception& error) {
  if (const auto* script_error = dynamic_cast<const torch::jit::JITException*>(&error))
    return raised(*script_error);
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  return torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
}

}  // namespace

std::string reason_of(const std::exception& error) {
  const std::string whole = whole_reason(error);
  std::string_view reason = without_call_stack(whole);
  // Errors of TorchScript's parser begin with an empty line.
  reason.remove_prefix(std::min(reason.find_first_not_of("\n "), reason.size()));
  return shortened(reason.substr(0, reason.find('\n')), kLongest);
}

}  // namespace faultwave
