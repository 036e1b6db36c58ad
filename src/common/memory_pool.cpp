// SPDX-License-Identifier: Apache-2.0
#include "src/common/memory_pool.h"

#include <c10/core/CPUAllocator.h>

#include <bit>
#include <iterator>
#include <new>

#include <pthread.h>
#include <sys/mman.h>

namespace faultwave::detail {
namespace {

constexpr size_t kLargePage = 2 << 20;
// A kept piece serves whoever asks for at least four fifths of it.
constexpr size_t kLeastParts = 4;
constexpr size_t kParts = 5;

thread_local int strict_limits = 0;

/// Steps of an eighth of a power of two, so that pieces of nearly the same size serve each other.
size_t rounded(size_t bytes) {
  const size_t step = std::bit_floor(bytes) / 8;
  return (bytes + step - 1) / step * step;
}

void* map(size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
#ifdef MADV_HUGEPAGE
  if (bytes >= kLargePage) ::madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace

MemoryPool& MemoryPool::instance() {
  static MemoryPool* const pool = [] {
    auto* const made = new MemoryPool;  // tensors may outlive all statics
    // A process that is forked while another thread has the lock could never take it.
    pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                   [] { instance().mutex_.unlock(); });
    return made;
  }();
  return *pool;
}

c10::DataPtr MemoryPool::allocate(size_t bytes) {
  void* memory = bytes < kSmallestPiece ? nullptr : take_piece(rounded(bytes));
  if (memory == nullptr) return c10::GetDefaultCPUAllocator()->allocate(bytes);
  return {memory, memory, &free_any, c10::Device(c10::DeviceType::CPU)};
}

void* MemoryPool::take(size_t bytes) {
  if (bytes >= kSmallestPiece && uses_ > 0) {
    void* piece = take_piece(rounded(bytes));
    if (piece != nullptr) return piece;
  }
  other_bytes_ += static_cast<int64_t>(bytes);
  return ::operator new(bytes);
}

void MemoryPool::free(void* memory, size_t bytes) {
  if (bytes >= kSmallestPiece && free_piece(memory)) return;
  other_bytes_ -= static_cast<int64_t>(bytes);
  ::operator delete(memory);
}

c10::DeleterFnPtr MemoryPool::raw_deleter() const {
  return &free_any;
}

void MemoryPool::copy_data(void* to, const void* from, size_t bytes) const {
  default_copy_data(to, from, bytes);
}

int64_t MemoryPool::in_use() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_ + other_bytes_;
}

int64_t MemoryPool::kept() const {
  const std::lock_guard lock(mutex_);
  return kept_bytes_;
}

std::shared_ptr<void> MemoryPool::keep() {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<void> held = keep_.lock();
  if (held) return held;
  held = std::shared_ptr<void>(this, [](void*) { instance().release_kept(); });
  keep_ = held;
  return held;
}

void MemoryPool::release_kept() {
  const std::lock_guard lock(mutex_);
  give_back(kept_bytes_);
}

void* MemoryPool::take_piece(size_t bytes) {
  const std::lock_guard lock(mutex_);
  const bool fits = used_bytes_ + other_bytes_ + static_cast<int64_t>(bytes) <= strict_limit_;
  if (!fits && strict_limits > 0) throw OverLimit();
  Piece piece{nullptr, bytes};
  const auto fitting = by_size_.lower_bound(bytes);
  if (fitting != by_size_.end() && fitting->first / kParts * kLeastParts <= bytes) {
    piece = *fitting->second;
    forget_kept(fitting);
  } else {
    give_back(used_bytes_ + other_bytes_ + kept_bytes_ + static_cast<int64_t>(bytes) - limit_);
    piece.memory = map(bytes);
    if (piece.memory == nullptr) return nullptr;
  }
  used_.emplace(piece.memory, piece.bytes);
  used_bytes_ += static_cast<int64_t>(piece.bytes);
  return piece.memory;
}

bool MemoryPool::free_piece(void* memory) {
  const std::lock_guard lock(mutex_);
  const auto used = used_.find(memory);
  if (used == used_.end()) return false;
  const Piece piece{memory, used->second};
  used_.erase(used);
  used_bytes_ -= static_cast<int64_t>(piece.bytes);
  if (uses_ == 0) {
    ::munmap(piece.memory, piece.bytes);
    return true;
  }
  kept_.push_back(piece);
  by_size_.emplace(piece.bytes, std::prev(kept_.end()));
  kept_bytes_ += static_cast<int64_t>(piece.bytes);
  give_back(used_bytes_ + other_bytes_ + kept_bytes_ - limit_);
  return true;
}

void MemoryPool::give_back(int64_t bytes) {
  const int64_t aim = kept_bytes_ - bytes;
  while (!kept_.empty() && kept_bytes_ > aim) {
    const Piece oldest = kept_.front();
    auto entry = by_size_.lower_bound(oldest.bytes);
    while (entry->second != kept_.begin())
      ++entry;
    forget_kept(entry);
    ::munmap(oldest.memory, oldest.bytes);
  }
}

void MemoryPool::forget_kept(BySize::iterator entry) {
  kept_bytes_ -= static_cast<int64_t>(entry->first);
  kept_.erase(entry->second);
  by_size_.erase(entry);
}

void MemoryPool::free_any(void* memory) {
  if (!instance().free_piece(memory)) c10::GetDefaultCPUAllocator()->raw_deallocate(memory);
}

void MemoryPool::set_limits() {
  limit_ = limits_.empty() ? INT64_MAX : *limits_.begin();
  strict_limit_ = strict_limits_.empty() ? INT64_MAX : *strict_limits_.begin();
}

MemoryPool::Use::Use(int64_t limit, int64_t strict_limit) {
  MemoryPool& pool = instance();
  const std::lock_guard lock(pool.mutex_);
  limit_ = pool.limits_.insert(limit);
  strict_limit_ = pool.strict_limits_.insert(strict_limit);
  pool.set_limits();
  if (pool.uses_++ > 0) return;
  pool.before_ = c10::GetCPUAllocator();
  c10::SetCPUAllocator(&pool);
}

MemoryPool::Use::~Use() {
  MemoryPool& pool = instance();
  const std::lock_guard lock(pool.mutex_);
  pool.limits_.erase(limit_);
  pool.strict_limits_.erase(strict_limit_);
  pool.set_limits();
  if (--pool.uses_ > 0) return;
  c10::SetCPUAllocator(pool.before_);
}

MemoryPool::StrictLimit::StrictLimit() {
  ++strict_limits;
}

MemoryPool::StrictLimit::~StrictLimit() {
  --strict_limits;
}

}  // namespace faultwave::detail
