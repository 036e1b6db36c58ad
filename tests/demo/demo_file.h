// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

namespace faultwave::test {

/// A file that tools/make_demo.py wrote.
inline std::string demo_file(const std::string& name) {
  const char* folder = std::getenv("FAULTWAVE_DEMO_DATA");
  REQUIRE_MESSAGE(folder != nullptr, "FAULTWAVE_DEMO_DATA names no folder");
  return std::string(folder) + "/" + name;
}

}  // namespace faultwave::test
