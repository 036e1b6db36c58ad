// SPDX-License-Identifier: Apache-2.0
// How threads wait for each other.
//
// OpenMP's threads spin for some 100 ms before they sleep. Beside another busy process each loop then waits
// for a thread that has no core, while the others burn theirs, and a network of hundreds of loops takes
// twenty times as long. So they shall sleep at once, or nearly: the run-time reads that from the environment
// as soon as it is loaded, which is before main() and before any constructor of ours.
#include <cstring>

#include <unistd.h>

namespace {

constexpr const char* kSpinCount = "GOMP_SPINCOUNT=2000";
constexpr size_t kMostVariables = 65536;
constexpr size_t kLongestPath = 4096;

bool is_set(char** environment, const char* name) {
  for (char** variable = environment; *variable != nullptr; ++variable) {
    if (std::strncmp(*variable, name, std::strlen(name)) == 0) return true;
  }
  return false;
}

/// Runs before the constructors of all libraries, and begins the program anew with the variable set: the
/// second time it is there. Nothing but system calls may be used here. Where something fails, threads spin.
void wait_passively(int, char** arguments, char** environment) {
  if (is_set(environment, "GOMP_SPINCOUNT=") || is_set(environment, "OMP_WAIT_POLICY=")) return;
  static char path[kLongestPath];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return;
  static const char* variables[kMostVariables];
  size_t count = 0;
  for (; environment[count] != nullptr; ++count) {
    if (count + 2 == kMostVariables) return;
    variables[count] = environment[count];
  }
  variables[count] = kSpinCount;
  ::execve(path, arguments, const_cast<char**>(variables));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which are not there so early
using Constructor = void (*)(int, char**, char**);
[[gnu::section(".preinit_array"), gnu::used]] const Constructor first = wait_passively;
#endif

}  // namespace
