// SPDX-License-Identifier: Apache-2.0
// Headers that nearly every source needs and that take long to parse.
#pragma once

#include <torch/script.h>
#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
