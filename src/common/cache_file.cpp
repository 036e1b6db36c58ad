// SPDX-License-Identifier: Apache-2.0
#include "src/common/cache_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
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

std::optional<std::string> read(const fs::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::optional<std::string> cached_text(const std::string& name, const std::function<std::string()>& make) {
  const fs::path folder = cache_folder();
  if (folder.empty()) return std::nullopt;
  const fs::path path = folder / name;
  if (const std::optional<std::string> known = read(path)) return known;

  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder, error)) return std::nullopt;
  const std::string text = make();
  const fs::path own = folder / (name + "." + std::to_string(::getpid()));
  std::ofstream(own) << text;
  // A hard link appears whole, and not at all where another process was faster.
  fs::create_hard_link(own, path, error);
  fs::remove(own, error);
  return read(path);
}

}  // namespace faultwave
