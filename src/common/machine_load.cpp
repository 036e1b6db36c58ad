// SPDX-License-Identifier: Apache-2.0
#include "src/common/machine_load.h"

#include <cstdio>
#include <cstdlib>

#include <sched.h>

namespace faultwave {

double load_average() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 ? load : 0;
}

int usable_cores() {
  cpu_set_t cores;
  return ::sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

std::string busy_note(double load, int threads, int cores) {
  constexpr double kOneProcess = 0.7;  // most of the minute
  if (load < kOneProcess || load + threads < cores + kOneProcess) return "";
  char text[256];
  std::snprintf(text, sizeof text,
                "note: other processes kept %.1f of %d cores busy in the last minute; this campaign has %d "
                "thread%s, goes as fast as they leave it room, and may do better with --threads %d",
                load, cores, threads, threads == 1 ? "" : "s",
                cores - static_cast<int>(load) > 1 ? cores - static_cast<int>(load) : 1);
  return text;
}

}  // namespace faultwave
