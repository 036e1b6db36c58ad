// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace faultwave {

/// A stream of random numbers that is a pure function of (key, stream): Philox 4x32-10
/// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), the counter-based generator
/// that libtorch ships as at::philox_engine. No global state is read or moved, so trial k draws the same
/// numbers in any block, worker, order or resumed run.
///
/// A campaign uses key = its seed and stream = the trial number. A fault line's `#key` uses key = that number
/// and stream = the batch element where each element draws for itself, 0 otherwise.
///
/// Copying a Draw copies its position. Not for use by two threads at once.
class Draw {
 public:
  explicit Draw(uint64_t key, uint64_t stream = 0);

  /// The next 32 uniform bits.
  uint32_t bits32();
  /// The next 64 uniform bits.
  uint64_t bits64();
  /// Uniform on [0, 1) with 53 random bits.
  double uniform();
  /// Uniform on {0, ..., bound - 1} without bias (rejection). `bound` must be at least 1.
  uint64_t below(uint64_t bound);
  /// Standard normal by Box and Muller; consumes two uniforms each time.
  double normal();

 private:
  void refill();

  uint64_t key_;
  uint64_t stream_;
  uint64_t block_ = 0;  // number of 128-bit blocks consumed
  uint32_t words_[4] = {};
  int used_ = 4;  // words of the current block already handed out
};

}  // namespace faultwave
#pragma GCC visibility pop
