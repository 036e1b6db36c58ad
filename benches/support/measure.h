// SPDX-License-Identifier: Apache-2.0
// What benches measure with: time and memory of this process.
#pragma once

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <malloc.h>

namespace faultwave::bench {

inline double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// A field of /proc/self/status, in MB; 0 where there is none.
inline double status_megabytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) return std::stod(line.substr(field.size() + 1)) / 1024;
  }
  return 0;
}

inline double resident_megabytes() {
  return status_megabytes("VmRSS");
}

/// Most memory that was resident since the last reset.
inline double peak_megabytes() {
  return status_megabytes("VmHWM");
}

/// So that what one way took does not count as another's. Where the kernel does not let us, the peak is that
/// of the whole process so far.
inline void reset_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

}  // namespace faultwave::bench
