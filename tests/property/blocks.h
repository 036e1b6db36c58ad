// SPDX-License-Identifier: Apache-2.0
// What drawn networks are made of. Each function adds steps behind value `x`, returns the number of the value
// that the network goes on with, and throws NotPossible where the shape of `x` does not allow what was drawn.
#pragma once

#include <vector>

#include "tests/property/network_builder.h"

namespace faultwave::test {

// Single layers over feature maps [batch, channels, one to three spatial axes].
int convolution(NetworkBuilder& b, int x, int64_t filters, bool keeps_size);
/// Channels brought to some groups of one to 17, and a convolution of these.
int convolution_in_groups(NetworkBuilder& b, int x);
int transposed_convolution(NetworkBuilder& b, int x);
int norm_of_map(NetworkBuilder& b, int x);
int pool(NetworkBuilder& b, int x);
int upsample(NetworkBuilder& b, int x);

// Of any shape.
int activation(NetworkBuilder& b, int x);
int activation_in_place(NetworkBuilder& b, int x);
int arithmetic(NetworkBuilder& b, int x);
int normalised_last_axis(NetworkBuilder& b, int x);
int linear(NetworkBuilder& b, int x, int64_t features);

/// A block of several steps over feature maps.
int map_block(NetworkBuilder& b, int x);
/// Views, copies and writes through views.
int view_block(NetworkBuilder& b, int x);
/// A block over tokens [batch, tokens, features].
int token_block(NetworkBuilder& b, int x);
/// A whole layer, or its attention, in one operator.
int fused_layer(NetworkBuilder& b, int x);
int fused_attention(NetworkBuilder& b, int x);
/// A module of TorchScript, over the last axis of any shape.
int scripted_block(NetworkBuilder& b, int x);
int tokens_of_map(NetworkBuilder& b, int x);

/// Outputs: scores, a map, boxes and their scores, tokens, best classes.
std::vector<int> heads_of_map(NetworkBuilder& b, int x);
std::vector<int> heads_of_tokens(NetworkBuilder& b, int x);

inline int64_t channels_of(const NetworkBuilder& b, int x) {
  return b[x].size(1);
}
inline int spatial_axes(const NetworkBuilder& b, int x) {
  return static_cast<int>(b[x].dim()) - 2;
}

}  // namespace faultwave::test
