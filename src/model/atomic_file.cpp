// SPDX-License-Identifier: Apache-2.0
#include "src/model/atomic_file.h"

#include <c10/util/Exception.h>

#include <exception>
#include <filesystem>
#include <string>
#include <system_error>

#include <unistd.h>

#include "faultwave/error.h"

namespace faultwave::detail {
namespace {

class RemovedUnlessKept {
 public:
  explicit RemovedUnlessKept(std::string path) : path_(std::move(path)) {}
  ~RemovedUnlessKept() {
    if (kept_) return;
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  RemovedUnlessKept(const RemovedUnlessKept&) = delete;
  RemovedUnlessKept& operator=(const RemovedUnlessKept&) = delete;
  void keep() { kept_ = true; }

 private:
  std::string path_;
  bool kept_ = false;
};

[[noreturn]] void cannot_write(const std::string& path, const std::string& why) {
  throw UserError(ErrorCode::store, "cannot write " + path + ": " + why);
}

}  // namespace

void write_atomically(const std::string& path,
                      const std::function<void(const std::string& temporary)>& write) {
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  if (!std::filesystem::is_directory(folder)) cannot_write(path, "there is no folder " + folder.string());
  if (std::filesystem::is_directory(path)) cannot_write(path, "it is a folder");
  const std::string temporary = path + ".part" + std::to_string(::getpid());
  RemovedUnlessKept file(temporary);
  try {
    write(temporary);
  } catch (const UserError&) {
    throw;
  } catch (const c10::Error& error) {
    cannot_write(path, error.what_without_backtrace());
  } catch (const std::exception& error) {
    cannot_write(path, error.what());
  }
  std::error_code failure;
  std::filesystem::rename(temporary, path, failure);
  if (failure) cannot_write(path, failure.message());
  file.keep();
}

}  // namespace faultwave::detail
