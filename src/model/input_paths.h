// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace faultwave::detail {

/// Where each flat input of an exported program lies among the arguments of its forward, as the program's
/// guards write it: "L['x']", "L['pair'][1]", "L['d']['q']". "" for an input inside a container whose
/// elements have no such way of writing. Empty if the program does not say.
std::vector<std::string> input_paths(const nlohmann::json& model);

}  // namespace faultwave::detail
