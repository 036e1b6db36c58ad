// SPDX-License-Identifier: Apache-2.0
#include "tests/mutation/sandbox.h"

#include <algorithm>
#include <exception>
#include <fstream>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultwave/error.h"

#include "src/common/memory_shortage.h"

namespace faultwave::mutation {
namespace {

/// Address space of this process, in bytes.
uint64_t address_space() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// What comes through the pipe: the kind, the code, the message.
std::string report(Verdict::Kind kind, int code, const std::string& message) {
  return std::string{static_cast<char>(kind), static_cast<char>(code)} + message;
}

std::string report_of(const std::function<void()>& attempt) {
  try {
    attempt();
    return report(Verdict::Kind::read, 0, "");
  } catch (const UserError& error) {
    return report(Verdict::Kind::refused, static_cast<int>(error.code()), error.what());
  } catch (const std::exception& error) {
    const auto kind = shortage_of_memory(error) ? Verdict::Kind::shortage : Verdict::Kind::failed;
    return report(kind, 1, error.what());
  } catch (...) {
    return report(Verdict::Kind::failed, 1, "something other than an exception");
  }
}

[[noreturn]] void run_in_child(const std::function<void()>& attempt, uint64_t megabytes, unsigned seconds,
                               int pipe) {
  const rlimit memory{address_space() + (megabytes << 20), address_space() + (megabytes << 20)};
  ::setrlimit(RLIMIT_AS, &memory);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::alarm(seconds);
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  const std::string text = report_of(attempt);
  const ssize_t written = ::write(pipe, text.data(), std::min<size_t>(text.size(), 60'000));
  ::_exit(written > 0 ? 0 : 1);
}

}  // namespace

Verdict in_sandbox(const std::function<void()>& attempt, uint64_t megabytes, unsigned seconds) {
  int ends[2];
  if (::pipe(ends) != 0) return {Verdict::Kind::failed, 1, "no pipe"};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    run_in_child(attempt, megabytes, seconds, ends[1]);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t bytes = 0; (bytes = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(bytes));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return {Verdict::Kind::killed, WTERMSIG(status), ""};
  if (text.size() < 2) return {Verdict::Kind::failed, 1, "the process ended without a word"};
  return {static_cast<Verdict::Kind>(text[0]), text[1], text.substr(2)};
}

}  // namespace faultwave::mutation
