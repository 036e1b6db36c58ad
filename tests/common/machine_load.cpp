// SPDX-License-Identifier: Apache-2.0
#include "src/common/machine_load.h"

#include <doctest/doctest.h>

namespace faultwave {
namespace {

TEST_CASE("who starts more threads than there is room for is told") {
  CHECK(busy_note(0.3, 2, 2).empty());
  CHECK(busy_note(1.0, 1, 2).empty());
  CHECK(busy_note(3.2, 4, 8).empty());
  CHECK(busy_note(1.0, 2, 2) ==
        "note: other processes kept 1.0 of 2 cores busy in the last minute; this campaign has 2 threads, "
        "goes as "
        "fast as they leave it room, and may do better with --threads 1");
  CHECK(busy_note(5.5, 8, 8).find("--threads 3") != std::string::npos);
}

TEST_CASE("the machine says how many cores there are") {
  CHECK(usable_cores() >= 1);
  CHECK(load_average() >= 0);
}

}  // namespace
}  // namespace faultwave
