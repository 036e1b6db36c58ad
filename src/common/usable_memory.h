// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace faultwave::detail {

/// Bytes of memory that this process may use at most: those of the machine, or of the control group that it
/// is in (a container, a batch job), whichever is less.
int64_t usable_memory();

/// The least limit of a control group or those above it, in bytes; none if there is no limit. `membership`
/// is what /proc/self/cgroup says, `root` where the groups are mounted. Versions 1 and 2.
std::optional<int64_t> group_limit(const std::string& membership, const std::filesystem::path& root);

}  // namespace faultwave::detail
