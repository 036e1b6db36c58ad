// SPDX-License-Identifier: Apache-2.0
#include "src/common/usable_memory.h"

#include <fstream>

#include <doctest/doctest.h>

#include "tests/support/temp_folder.h"

namespace faultwave::detail {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text << "\n";
}

TEST_CASE("the least limit of the groups above counts") {
  const TempFolder root;
  write(root.path() / "jobs/memory.max", "4000");
  write(root.path() / "jobs/one/memory.max", "max");
  CHECK(group_limit("0::/jobs/one\n", root.path()) == 4000);
  write(root.path() / "jobs/one/memory.max", "3000");
  CHECK(group_limit("0::/jobs/one\n", root.path()) == 3000);
  CHECK_FALSE(group_limit("0::/others\n", root.path()).has_value());
}

TEST_CASE("in a container the top of what is mounted is its own group") {
  const TempFolder root;
  write(root.path() / "memory.max", "2000");
  CHECK(group_limit("0::/outside/one\n", root.path()) == 2000);
}

TEST_CASE("groups of version 1") {
  const TempFolder root;
  write(root.path() / "memory/docker/memory.limit_in_bytes", "5000");
  CHECK(group_limit("5:cpu,cpuacct:/docker\n4:memory:/docker\n", root.path()) == 5000);
}

TEST_CASE("nonsense is no limit") {
  const TempFolder root;
  CHECK_FALSE(group_limit("", root.path()).has_value());
  CHECK_FALSE(group_limit("no colons\n0:only one\n", root.path()).has_value());
  CHECK(usable_memory() > 0);
}

}  // namespace
}  // namespace faultwave::detail
