// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "src/model/program.h"

namespace faultwave::detail {

struct BuildOptions {
  at::Device device = at::kCPU;
  /// The program runs on another device or in another type than it was exported with, so that what it asserts
  /// of its intermediate tensors may not hold, and what it left to Python's defaults is not meant.
  bool retargeted = false;
};

/// Turns the description of an exported program (models/NAME.json) into a Program that reads and writes the
/// tensors of `stored` (by the names of the program's signature). Results that are mutations of a buffer or
/// an input become copies into it at the end, as ExportedProgram.module() does in Python; the rest are the
/// outputs, in order. Throws UserError(bad_network), naming the node, for what cannot be run, and
/// nlohmann::json::exception for a description that is damaged.
Program build_program(const nlohmann::json& model, const std::map<std::string, at::Tensor>& stored,
                      const BuildOptions& options);

}  // namespace faultwave::detail
