// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace faultwave::mutation {

/// How an attempt ended.
struct Verdict {
  enum class Kind : uint8_t {
    read,      ///< the file was read, and used
    refused,   ///< with a UserError
    shortage,  ///< more memory was asked for than the sandbox lends
    failed,    ///< with any other exception
    killed,    ///< by a signal: a crash, or SIGALRM where it took too long
  };
  Kind kind = Kind::read;
  int code = 0;         ///< of the UserError, or the signal
  std::string message;  ///< of the exception
};

/// Runs `attempt` in a process of its own, which may take `megabytes` beyond what this one has and `seconds`
/// of time. This process must have started no threads of its own.
Verdict in_sandbox(const std::function<void()>& attempt, uint64_t megabytes, unsigned seconds);

}  // namespace faultwave::mutation
