// SPDX-License-Identifier: Apache-2.0
#include "src/cli/interrupt.h"

namespace faultwave::cli {
namespace {

std::atomic<bool> interrupted{false};
std::atomic<int> last_signal{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "a signal handler may touch lock-free atomics only");

void note_signal(int signal) {
  last_signal = signal;
  interrupted = true;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  interrupted = false;
  struct sigaction action{};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESETHAND;  // the next one ends the program
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
}

const std::atomic<bool>& InterruptGuard::flag() const {
  return interrupted;
}
int InterruptGuard::signal() const {
  return last_signal;
}

}  // namespace faultwave::cli
