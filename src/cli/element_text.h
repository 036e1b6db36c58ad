// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "src/outcome/output_kind.h"

namespace faultwave::cli {

/// Golden and faulty outputs of one input side by side, in lines: the best classes, the boxes, or how many
/// values differ and by how much, whichever fits. `faulty` is empty where the run crashed.
std::string element_text(const Outputs& golden, const Outputs& faulty);

/// Likewise in a few words, for a line among many.
struct ShortElement {
  std::string golden;
  std::string faulty;
};
ShortElement short_element(const Outputs& golden, const Outputs& faulty);

/// Whether golden outputs, and faulty ones beside them, are shown as scores of classes.
bool shows_classes(const Outputs& golden);

}  // namespace faultwave::cli
