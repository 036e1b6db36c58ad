// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <optional>
#include <string>
#include <utility>

namespace faultwave::detail {

/// Where an attribute of a TorchScript module is held.
struct AttributeSlot {
  c10::intrusive_ptr<c10::ivalue::Object> object;
  size_t slot = 0;
};

/// The holder of "encoder.state"; empty if there is none of that name.
std::optional<AttributeSlot> find_slot(const torch::jit::Module& module, const std::string& path);

/// The attribute itself.
std::optional<c10::IValue> find_attribute(const torch::jit::Module& module, const std::string& path);

}  // namespace faultwave::detail
