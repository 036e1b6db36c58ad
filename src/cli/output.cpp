// SPDX-License-Identifier: Apache-2.0
#include "src/cli/output.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include <unistd.h>

#include "faultwave/error.h"

namespace faultwave::cli {
namespace {

UserError cannot_write(const std::string& what, int code) {
  return UserError(ErrorCode::store, "cannot write " + what + ": " + std::strerror(code));
}

/// Removes a file at the end of its scope if it is still there.
struct Leftover {
  std::string path;
  ~Leftover() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

}  // namespace

void flush_standard_output() {
  errno = 0;
  std::cout.flush();
  if (!std::cout) throw cannot_write("to standard output", errno != 0 ? errno : EIO);
}

void write_output(const std::string& path, const std::function<void(std::ostream&)>& write) {
  if (path.empty() || path == "-") {
    write(std::cout);
    flush_standard_output();
    return;
  }
  const Leftover draft{path + ".new-" + std::to_string(::getpid())};
  errno = 0;
  std::ofstream file(draft.path, std::ios::binary | std::ios::trunc);
  if (file) write(file);
  file.close();
  if (!file) throw cannot_write("'" + path + "'", errno != 0 ? errno : EIO);
  std::error_code failure;
  std::filesystem::rename(draft.path, path, failure);
  if (failure) throw cannot_write("'" + path + "'", failure.value());
}

}  // namespace faultwave::cli
