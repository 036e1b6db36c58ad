// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include <sys/wait.h>

#include "tests/support/temp_folder.h"

namespace faultwave {

struct Result {
  int code = 0;  ///< exit code; 128 + n if ended by signal n
  std::string out;
  std::string err;
};

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string("run this test with ctest, which sets ") + name);
  return value;
}

/// Runs a shell command in a folder; `$fw` in it stands for the program.
inline Result shell(const TempFolder& folder, const std::string& command) {
  const TempFolder output;
  const std::string line = "cd '" + folder.path().string() + "' && fw='" + environment("FAULTWAVE_PROGRAM") +
                           "' && { " + command + "; } >'" + output / "out" + "' 2>'" + output / "err" + "'";
  const int status = std::system(line.c_str());
  Result result;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = read_file(output / "out");
  result.err = read_file(output / "err");
  return result;
}

/// Runs the program with these arguments, as a shell splits them.
inline Result faultwave(const TempFolder& folder, const std::string& arguments) {
  return shell(folder, "\"$fw\" " + arguments);
}

}  // namespace faultwave
