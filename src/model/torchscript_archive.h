// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>
#include <torch/csrc/jit/api/module.h>

#include <string>

namespace faultwave::detail {

/// torch::jit::load for a file that may be damaged. Before libtorch reads it, the archive is checked against
/// the file, each record against its check sum, its pickles and so all tensors (parameters, buffers,
/// attributes, and constants of the code) against their storages, and how deep code is nested. What code does
/// when it is run is not checked and cannot be: a TorchScript file is a program. Throws UserError(bad_input)
/// for damage; exceptions of libtorch pass.
torch::jit::Module load_torchscript(const std::string& path, c10::Device device);

}  // namespace faultwave::detail
