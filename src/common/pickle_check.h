// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace faultwave {

/// Goes through a pickle of PyTorch as libtorch's unpickler will, but builds no values, and tells what is
/// wrong with it; "" if nothing is. libtorch believes a pickle: it takes as much memory as a length says, and
/// makes tensors that reach beyond their storages. A pickle that passes has lengths that it holds, a memo no
/// larger than itself, no nesting that would exhaust the stack, and tensors within storages within records.
/// `storage_bytes` gives the size of the record of a storage's key; empty if there is none.
std::string pickle_fault(std::string_view pickle,
                         const std::function<std::optional<uint64_t>(const std::string& key)>& storage_bytes);

}  // namespace faultwave
