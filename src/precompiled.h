// SPDX-License-Identifier: Apache-2.0
// What nearly every source needs. Kept small on purpose: with torch/torch.h in it the file is 750 MB, and
// loading it takes five seconds a source; the few sources that need more of torch include it themselves.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
