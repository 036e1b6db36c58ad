// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Allocator.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>

namespace faultwave::detail {

/// More memory was asked for than the limit leaves (StrictLimit).
struct OverLimit : std::exception {
  const char* what() const noexcept override { return "more memory was asked for than the budget leaves"; }
};

/// Memory of the engines: while a MemoryPool::Use lives, that of libtorch on the CPU and of vectors with a
/// PoolAllocator. Large pieces are mapped one by one and kept for reuse when they are freed, so that neither
/// page faults nor a fragmented heap cost anything, and what is taken from the system is known. Small pieces
/// come from where they always do. Threads may share it; there is one a process, which outlives all tensors.
class MemoryPool : public c10::Allocator {
 public:
  /// Pieces of at least so many bytes are the pool's own.
  static constexpr size_t kSmallestPiece = 64 << 10;

  static MemoryPool& instance();

  c10::DataPtr allocate(size_t bytes) override;
  c10::DeleterFnPtr raw_deleter() const override;
  void copy_data(void* to, const void* from, size_t bytes) const override;

  /// A piece of the pool inside a Use, if it is large enough, else new memory.
  void* take(size_t bytes);
  void free(void* memory, size_t bytes);

  /// Bytes of pieces that tensors have, and of all vectors with a PoolAllocator.
  int64_t in_use() const;
  /// Bytes of pieces that wait for reuse.
  int64_t kept() const;
  /// What waits for reuse stays as long as somebody holds this, and then goes back to the system.
  std::shared_ptr<void> keep();
  /// Gives back to the system what waits for reuse.
  void release_kept();

  /// Makes libtorch allocate from the pool, by all threads, until it is destroyed; pieces in use and kept
  /// together stay within `limit` bytes as long as those in use do. Where several live, one in another or on
  /// other threads, the tightest of their limits holds for all.
  /// Behind the last Use, what is freed goes back to the system at once.
  class Use {
   public:
    explicit Use(int64_t limit) : Use(limit, limit) {}
    /// What is refused under a StrictLimit is what would pass `strict_limit` bytes in use.
    Use(int64_t limit, int64_t strict_limit);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    std::multiset<int64_t>::iterator limit_;
    std::multiset<int64_t>::iterator strict_limit_;
  };

  /// While it lives, what this thread asks for beyond the strict limit throws OverLimit.
  class StrictLimit {
   public:
    StrictLimit();
    ~StrictLimit();
    StrictLimit(const StrictLimit&) = delete;
    StrictLimit& operator=(const StrictLimit&) = delete;
  };

 private:
  struct Piece {
    void* memory;
    size_t bytes;
  };
  using Kept = std::list<Piece>;  // the longest unused first
  using BySize = std::multimap<size_t, Kept::iterator>;

  static void free_any(void* memory);
  /// Null where the system has none.
  void* take_piece(size_t bytes);
  /// False if it is not one of the pool's.
  bool free_piece(void* memory);
  // These want the lock held.
  void give_back(int64_t bytes);
  void forget_kept(BySize::iterator entry);
  void set_limits();

  mutable std::mutex mutex_;
  std::unordered_map<void*, size_t> used_;  // bytes by memory
  Kept kept_;
  BySize by_size_;  // of kept_
  int64_t used_bytes_ = 0;
  int64_t kept_bytes_ = 0;
  std::atomic<int64_t> other_bytes_ = 0;  // of vectors that are not the pool's
  std::multiset<int64_t> limits_;         // of the uses
  std::multiset<int64_t> strict_limits_;
  int64_t limit_ = INT64_MAX;  // the tightest
  int64_t strict_limit_ = INT64_MAX;
  std::weak_ptr<void> keep_;
  std::atomic<int> uses_ = 0;
  c10::Allocator* before_ = nullptr;  // the uses
};

/// For vectors whose memory counts.
template <typename T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <typename U>
  PoolAllocator(const PoolAllocator<U>&) {}

  T* allocate(size_t count) { return static_cast<T*>(MemoryPool::instance().take(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) { MemoryPool::instance().free(memory, count * sizeof(T)); }
  friend bool operator==(PoolAllocator, PoolAllocator) { return true; }
};

}  // namespace faultwave::detail
