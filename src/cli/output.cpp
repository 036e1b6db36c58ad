// SPDX-License-Identifier: Apache-2.0
#include "src/cli/output.h"

#include <torch/csrc/jit/runtime/print_handler.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <streambuf>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "faultwave/error.h"

#include "src/common/output_file.h"

namespace faultwave::cli {
namespace {

// Where std::cout goes.
int standard_output = STDOUT_FILENO;

/// Writes to a descriptor.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor) {
    setp(buffer_, buffer_ + sizeof buffer_);
  }

 private:
  int_type overflow(int_type letter) override {
    if (!write_out()) return traits_type::eof();
    return traits_type::eq_int_type(letter, traits_type::eof()) ? traits_type::not_eof(letter)
                                                                : sputc(traits_type::to_char_type(letter));
  }
  int sync() override { return write_out() ? 0 : -1; }

  bool write_out() {
    for (const char* from = pbase(); from < pptr();) {
      const ssize_t written = ::write(descriptor_, from, static_cast<size_t>(pptr() - from));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      from += written;
    }
    setp(buffer_, buffer_ + sizeof buffer_);
    return true;
  }

  int descriptor_;
  char buffer_[1 << 14];
};

}  // namespace

void separate_standard_output() {
  torch::jit::setPrintHandler([](const std::string& text) { std::cerr << text; });
  const int ours = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (ours < 0) return;  // it was closed from the beginning
  if (::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return;
  static auto* const buffer = new DescriptorBuffer(ours);  // std::cout is flushed after all destructors
  std::cout.rdbuf(buffer);
  standard_output = ours;
}

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
  const bool is_known = ::isatty(standard_output) == 1 && ::ioctl(standard_output, TIOCGWINSZ, &size) == 0;
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
