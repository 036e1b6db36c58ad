// SPDX-License-Identifier: Apache-2.0
#include "src/common/cache_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <unistd.h>

namespace faultwave {
namespace {

namespace fs = std::filesystem;

fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache != '\0') return fs::path(cache) / "faultwave";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return fs::path(home) / ".cache" / "faultwave";
  return {};
}

constexpr std::streamsize kMostBytes = 4096;

/// Of regular files alone: a pipe would wait for whoever writes to it.
std::optional<std::string> read(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kMostBytes, '\0');
  file.read(text.data(), kMostBytes);
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

}  // namespace

std::optional<std::string> cached_text(const std::string& name, const std::function<std::string()>& make) {
  const fs::path folder = cache_folder();
  if (folder.empty()) return std::nullopt;
  const fs::path path = folder / name;
  if (const std::optional<std::string> known = read(path)) return known;

  std::error_code error;
  fs::create_directories(folder, error);
  const fs::path own = folder / (name + "." + std::to_string(::getpid()));
  if (!fs::is_directory(folder, error) || is_there(path) || is_there(own)) return std::nullopt;
  const std::string text = make();
  std::ofstream(own) << text;
  // A hard link appears whole, and not at all where another process was faster.
  fs::create_hard_link(own, path, error);
  fs::remove(own, error);
  return read(path);
}

}  // namespace faultwave
