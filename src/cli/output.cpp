// SPDX-License-Identifier: Apache-2.0
#include "src/cli/output.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <system_error>

#include <sys/ioctl.h>
#include <unistd.h>

#include "faultwave/error.h"

#include "src/common/output_file.h"

namespace faultwave::cli {

void flush_standard_output() {
  errno = 0;
  std::cout.flush();
  if (!std::cout) {
    throw UserError(ErrorCode::store, std::string("cannot write to standard output: ") +
                                          std::strerror(errno != 0 ? errno : EIO));
  }
}

size_t output_width() {
  constexpr size_t kLeast = 80;
  constexpr size_t kUsual = 120;
  winsize size{};
  const bool is_known = ::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  return is_known && size.ws_col > 0 ? std::max<size_t>(size.ws_col, kLeast) : kUsual;
}

void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings)
    std::cerr << "faultwave: warning: " << warning << std::endl;
}

void check_may_write(const std::string& path, bool force) {
  std::error_code ignored;
  if (force || !std::filesystem::is_regular_file(path, ignored)) return;
  throw UserError(ErrorCode::store,
                  "'" + path + "' exists; choose another name, or overwrite it with --force");
}

void write_output(const std::string& path, const std::function<void(std::ostream&)>& write) {
  if (!path.empty() && path != "-") return write_file(path, write);
  write(std::cout);
  flush_standard_output();
}

}  // namespace faultwave::cli
