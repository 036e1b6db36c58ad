// SPDX-License-Identifier: Apache-2.0
#include "faultwave/random.h"

#include <ATen/core/PhiloxRNGEngine.h>

#include <cmath>
#include <numbers>

#include "faultwave/error.h"

namespace faultwave {

Draw::Draw(uint64_t key, uint64_t stream) : key_(key), stream_(stream) {}

void Draw::refill() {
  // One engine a block of four words keeps the state two integers and a Draw cheap to copy.
  at::philox_engine engine(key_, stream_, block_++);
  for (uint32_t& word : words_)
    word = engine();
  used_ = 0;
}

uint32_t Draw::bits32() {
  if (used_ == 4) refill();
  return words_[used_++];
}

uint64_t Draw::bits64() {
  const uint64_t low = bits32();
  return low | (static_cast<uint64_t>(bits32()) << 32);
}

double Draw::uniform() {
  return static_cast<double>(bits64() >> 11) * 0x1.0p-53;
}

uint64_t Draw::below(uint64_t bound) {
  if (bound == 0) throw InternalError("Draw::below needs a bound of at least 1");
  // Values under `skip` would make the first residues more likely than the others.
  const uint64_t skip = (0 - bound) % bound;
  uint64_t value = bits64();
  while (value < skip)
    value = bits64();
  return value % bound;
}

double Draw::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace faultwave
