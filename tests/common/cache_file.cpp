// SPDX-License-Identifier: Apache-2.0
#include "src/common/cache_file.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

using faultwave::cached_text;

namespace {

namespace fs = std::filesystem;

/// XDG_CACHE_HOME for one test.
class CacheHome {
 public:
  explicit CacheHome(const fs::path& folder) {
    const char* before = std::getenv("XDG_CACHE_HOME");
    if (before != nullptr) before_ = before;
    ::setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  }
  ~CacheHome() {
    if (before_) {
      ::setenv("XDG_CACHE_HOME", before_->c_str(), 1);
    } else {
      ::unsetenv("XDG_CACHE_HOME");
    }
  }

 private:
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("a cached text is made once, and left as the first one made it") {
  const fs::path home = fs::temp_directory_path() / ("faultwave-cache-" + std::to_string(::getpid()));
  const CacheHome cache(home);
  int made = 0;
  const auto make = [&] { return "made " + std::to_string(++made); };
  CHECK(cached_text("number", make) == "made 1");
  CHECK(cached_text("number", make) == "made 1");
  CHECK(cached_text("other", make) == "made 2");
  CHECK(made == 2);
  // Nothing but the two texts is left behind.
  CHECK(std::distance(fs::directory_iterator(home / "faultwave"), fs::directory_iterator()) == 2);

  // Another process is faster: its text counts.
  const auto overtaken = [&] {
    cached_text("raced", [] { return "theirs"; });
    return "ours";
  };
  CHECK(cached_text("raced", overtaken) == "theirs");
  fs::remove_all(home);
}

TEST_CASE("nothing is cached where no folder can be made") {
  const CacheHome cache("/proc/no-such-folder");
  bool made = false;
  CHECK_FALSE(cached_text("number", [&] {
                made = true;
                return "text";
              }).has_value());
  CHECK_FALSE(made);
}

TEST_CASE(
    "a pipe in place of the file is not waited for, and neither is one in place of what becomes the file") {
  const fs::path home = fs::temp_directory_path() / ("faultwave-pipes-" + std::to_string(::getpid()));
  const CacheHome cache(home);
  fs::create_directories(home / "faultwave");
  REQUIRE(::mkfifo((home / "faultwave" / "piped").c_str(), 0600) == 0);
  CHECK_FALSE(cached_text("piped", [] { return "text"; }));
  const std::string own = "other." + std::to_string(::getpid());
  REQUIRE(::mkfifo((home / "faultwave" / own).c_str(), 0600) == 0);
  CHECK_FALSE(cached_text("other", [] { return "text"; }));
  CHECK(fs::is_fifo(home / "faultwave" / "piped"));
  fs::remove_all(home);
}
