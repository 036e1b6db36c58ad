// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace faultwave::detail {

/// The dotted path of the innermost module, "layer1.0.conv1", in the nn_module_stack of an exported program's
/// node: entries "key,path,type" separated by ';', outermost first. "" for the network itself.
std::string module_path(const std::string& nn_module_stack);

}  // namespace faultwave::detail
