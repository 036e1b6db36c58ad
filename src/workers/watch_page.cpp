// SPDX-License-Identifier: Apache-2.0
#include "src/workers/watch_page.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "faultwave/error.h"

namespace faultwave {
namespace {

// Trials of one forward; a wave has up to 4,096. A page is small, since limits of a file's size hold for it.
constexpr size_t kMostTrials = 4096;

// The usual limit: a forward may take so many times as long as the golden one, and so many seconds more.
constexpr double kTimesGolden = 100;
constexpr double kSecondsMore = 10;

// What a look counts for at most.
constexpr double kLongestLook = 0.5;

UserError no_page() {
  return UserError(ErrorCode::store, std::string("cannot share memory with the processes that run trials: ") +
                                         std::strerror(errno));
}

}  // namespace

struct WatchPage::Shared {
  std::atomic<uint64_t> forwards;  // begun and ended ones: odd while one is under way
  std::atomic<double> limit;
  std::atomic<uint64_t> count;
  std::atomic<bool> cancelled;
  std::atomic<int> signal;
  std::atomic<bool> ends_in_order;
  std::atomic<bool> ended_in_order;
  uint64_t trials[kMostTrials];
};

WatchPage::WatchPage() : descriptor_(::memfd_create("faultwave", MFD_CLOEXEC)) {
  if (descriptor_ < 0 || ::ftruncate(descriptor_, sizeof(Shared)) != 0) throw no_page();
  map();
}

WatchPage::WatchPage(int descriptor) : descriptor_(descriptor) {
  map();
}

void WatchPage::map() {
  void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (memory == MAP_FAILED) throw no_page();
  shared_ = static_cast<Shared*>(memory);  // zeros are what it begins with
}

WatchPage::~WatchPage() {
  ::munmap(shared_, sizeof(Shared));
  ::close(descriptor_);
}

void WatchPage::begin(const std::vector<uint64_t>& trials, double golden_seconds) {
  const size_t count = std::min(trials.size(), kMostTrials);
  std::copy_n(trials.begin(), count, shared_->trials);
  shared_->count = count;
  double limit = std::numeric_limits<double>::infinity();
  if (golden_seconds >= 0 && timeout_ == 0) limit = kSecondsMore + kTimesGolden * golden_seconds;
  // Several together may take as long as they do without faults; each alone is then told by its own time.
  if (golden_seconds >= 0 && timeout_ > 0) limit = timeout_ + (trials.size() > 1 ? 2 * golden_seconds : 0);
  shared_->limit = limit;
  ++shared_->forwards;
}

void WatchPage::end() noexcept {
  ++shared_->forwards;
}

void WatchPage::begin_order() {
  shared_->ends_in_order = true;
}

const std::atomic<bool>& WatchPage::cancelled() const {
  return shared_->cancelled;
}

int WatchPage::signal() const {
  return shared_->signal;
}

std::optional<WatchPage::Forward> WatchPage::under_way() const {
  const uint64_t forwards = shared_->forwards;
  if (forwards % 2 == 0) return std::nullopt;
  Forward forward{.number = forwards, .trials = {}, .limit = shared_->limit};
  forward.trials.assign(shared_->trials, shared_->trials + shared_->count);
  return forward;
}

void WatchPage::cancel(int signal) {
  shared_->signal = signal;
  shared_->cancelled = true;
}

void WatchPage::note_order() {
  shared_->ended_in_order = true;
}

bool WatchPage::ends_in_order() const {
  return shared_->ends_in_order;
}

bool WatchPage::ended_in_order() const {
  return shared_->ended_in_order;
}

std::optional<WatchPage::Forward> HangClock::overdue(const WatchPage& page) {
  const Clock::time_point now = Clock::now();
  const std::chrono::duration<double> since = now - last_look_;
  last_look_ = now;
  auto forward = page.under_way();
  if (!forward || forward->number != forward_) {
    forward_ = forward ? forward->number : 0;
    seconds_ = 0;
    return std::nullopt;
  }
  seconds_ += std::min(since.count(), kLongestLook);
  return seconds_ > forward->limit ? forward : std::nullopt;
}

}  // namespace faultwave
