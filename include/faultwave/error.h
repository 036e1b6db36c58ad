// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

#pragma GCC visibility push(default)
namespace faultwave {

/// What kind of mistake a UserError reports. The command line turns each into the published exit code
/// of the same number (docs/guide.md lists them).
enum class ErrorCode : int {
  usage = 2,          ///< a flag, a specification key or a fault line that cannot be understood
  bad_input = 3,      ///< a file that is missing, damaged, or of the wrong shape or type
  bad_network = 4,    ///< a network that cannot be opened or run
  illegal_fault = 5,  ///< a fault that names no site, lies outside the legal range, or hit nothing
  store = 6,          ///< a database that exists, is damaged, is in use, or cannot be written
  mismatch = 7,       ///< a resumed or replayed campaign that differs from what was recorded
};

/// A mistake of the user, said in one sentence: what, where, what was expected, what to do.
/// The library throws it and neither prints nor exits. Whatever was being done is undone.
class UserError : public std::runtime_error {
 public:
  UserError(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

/// A mistake of Faultwave itself. Never thrown for anything that a user can do wrong.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace faultwave
#pragma GCC visibility pop
