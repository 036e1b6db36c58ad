// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/inputs.h"

namespace faultwave {

/// What a user should know of how files become inputs, one sentence each: preprocessing that does nothing,
/// since it is for images and no file is one; images that go in without mean and std.
std::vector<std::string> doubts_about_files(const std::vector<std::string>& paths,
                                            const Preprocess& preprocess);

/// NaN or infinity in inputs; "" if there is none. Reads all of them.
std::string doubt_about_values(const InputSet& inputs);

}  // namespace faultwave
