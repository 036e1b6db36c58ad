// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "tests/property/blocks.h"

namespace faultwave::test {
namespace {

constexpr int kTries = 40;  // blocks drawn at most; those that are not possible count

/// Of feature maps with one, two or three spatial axes; rarely even in size.
int stem_of_map(NetworkBuilder& b, int axes) {
  std::vector<int64_t> shape{1, b.between(1, 4)};
  const int64_t largest = axes == 1 ? 24 : axes == 2 ? 13 : 6;
  for (int axis = 0; axis < axes; ++axis)
    shape.push_back(b.between(largest / 2, largest));
  const int x = b.input(shape);
  int y = x;
  while (!b.try_block([&] { y = convolution(b, x, b.between(2, 10), b.chance(50)); })) {
  }
  return y;
}

int stem_of_tokens(NetworkBuilder& b) {
  const int x = b.input({1, b.between(3, 16), b.between(2, 7)});
  return linear(b, x, 2 * b.between(2, 6));
}

template <typename Block>
int with_blocks(NetworkBuilder& b, int x, int64_t count, Block block) {
  for (int tries = 0; count > 0 && tries < kTries; ++tries) {
    if (b.try_block([&] { x = block(b, x); })) --count;
  }
  return x;
}

template <typename Heads>
std::vector<int> with_heads(NetworkBuilder& b, int x, Heads heads) {
  std::vector<int> outputs;
  for (int tries = 0; tries < kTries; ++tries) {
    if (b.try_block([&] { outputs = heads(b, x); })) return outputs;
  }
  throw std::logic_error("no output could be drawn");
}

}  // namespace

std::shared_ptr<DrawnNetwork> draw_network(uint64_t key) {
  NetworkBuilder b(key);
  const int64_t kind = b.between(1, 10);  // what the network reads: pictures, lines, volumes or tokens
  int x = 0;
  if (kind <= 8) {
    const int axes = kind <= 6 ? 2 : kind == 7 ? 1 : 3;
    x = with_blocks(b, stem_of_map(b, axes), b.between(2, 7), map_block);
    const bool has_tokens = b.chance(25) && b.try_block([&] { x = tokens_of_map(b, x); });
    if (!has_tokens) return b.finish(with_heads(b, x, heads_of_map));
  } else {
    x = stem_of_tokens(b);
  }
  x = with_blocks(b, x, b.between(1, 4), token_block);
  return b.finish(with_heads(b, x, heads_of_tokens));
}

}  // namespace faultwave::test
