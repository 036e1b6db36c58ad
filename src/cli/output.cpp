// SPDX-License-Identifier: Apache-2.0
#include "src/cli/output.h"

#include <cerrno>
#include <cstring>
#include <iostream>

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

void write_output(const std::string& path, const std::function<void(std::ostream&)>& write) {
  if (!path.empty() && path != "-") return write_file(path, write);
  write(std::cout);
  flush_standard_output();
}

}  // namespace faultwave::cli
