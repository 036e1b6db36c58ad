// SPDX-License-Identifier: Apache-2.0
// Blocks of several steps over feature maps.
#include "tests/property/blocks.h"

namespace faultwave::test {
namespace {

/// A convolution, and perhaps what usually follows one.
int conv_norm_activation(NetworkBuilder& b, int x, int64_t filters, bool keeps_size) {
  x = convolution(b, x, filters, keeps_size);
  if (b.chance(60)) x = norm_of_map(b, x);
  if (b.chance(80)) x = b.chance(50) ? activation_in_place(b, x) : activation(b, x);
  return x;
}

int plain_block(NetworkBuilder& b, int x) {
  return conv_norm_activation(b, x, b.between(2, 12), b.chance(40));
}

int add_both(NetworkBuilder& b, int x, int y) {
  switch (b.between(0, 3)) {
    case 0:
      return b.add("add", x, y, [](const at::Tensor& a, const at::Tensor& c) { return at::add(a, c); });
    case 1:
      return b.add("add with alpha 0.5", x, y,
                   [](const at::Tensor& a, const at::Tensor& c) { return at::add(a, c, 0.5); });
    case 2:
      return b.add("add_ to the second", x, y, [](const at::Tensor& a, at::Tensor c) { return c.add_(a); });
    default:
      return b.add("sub", x, y, [](const at::Tensor& a, const at::Tensor& c) { return a - c; });
  }
}

int residual_block(NetworkBuilder& b, int x) {
  int64_t channels = channels_of(b, x);
  int y = x;
  const int64_t layers = b.between(1, 2);
  for (int64_t i = 0; i < layers; ++i)
    y = conv_norm_activation(b, y, channels, true);
  if (b[y].sizes() != b[x].sizes()) throw NotPossible();
  y = add_both(b, x, y);
  return b.chance(50) ? activation_in_place(b, y) : y;
}

int joined(NetworkBuilder& b, const std::vector<int>& parts, int64_t axis) {
  return b.add(c10::str("cat along axis ", axis), parts, [=](const std::vector<at::Tensor>& read) {
    return std::vector<at::Tensor>{at::cat(read, axis)};
  })[0];
}

int branching_block(NetworkBuilder& b, int x) {
  std::vector<int> parts;
  const int64_t branches = b.between(2, 3);
  for (int64_t i = 0; i < branches; ++i)
    parts.push_back(conv_norm_activation(b, x, b.between(1, 5), true));
  if (b.chance(30)) parts.push_back(x);
  return joined(b, parts, 1);
}

int gate_block(NetworkBuilder& b, int x) {
  const int64_t channels = channels_of(b, x);
  std::vector<int64_t> axes;
  for (int axis = 0; axis < spatial_axes(b, x); ++axis)
    axes.push_back(axis + 2);
  int gate = b.add("mean over all places", x, [=](const at::Tensor& in) { return in.mean(axes, true); });
  gate = activation(b, convolution(b, gate, std::max<int64_t>(channels / 2, 1), true));
  gate = convolution(b, gate, channels, true);
  if (channels_of(b, gate) != channels) throw NotPossible();
  gate = b.add(b.chance(50) ? "sigmoid" : "sigmoid of the gate", gate,
               [](const at::Tensor& in) { return at::sigmoid(in); });
  if (b.chance(30))
    return b.add("mul_", x, gate, [](at::Tensor a, const at::Tensor& c) { return a.mul_(c); });
  return b.add("mul", x, gate, [](const at::Tensor& a, const at::Tensor& c) { return a * c; });
}

/// A gate for each place, from the mean and the largest of its channels.
int place_gate_block(NetworkBuilder& b, int x) {
  const int both = b.add("cat of mean and amax over channels", x, [](const at::Tensor& in) {
    return at::cat({in.mean(1, true), in.amax(1, true)}, 1);
  });
  const int gate = convolution(b, both, 1, true);
  return b.add("mul by sigmoid", x, gate,
               [](const at::Tensor& a, const at::Tensor& c) { return a * at::sigmoid(c); });
}

int shuffle_block(NetworkBuilder& b, int x) {
  const int64_t channels = channels_of(b, x);
  if (channels % 2 != 0) throw NotPossible();
  const std::vector<int> halves =
      b.add("chunk in two along axis 1", {x},
            [](const std::vector<at::Tensor>& read) { return read[0].chunk(2, 1); });
  const int right = conv_norm_activation(b, halves[1], channels / 2, true);
  const int both = joined(b, {halves[0], right}, 1);
  if (channels_of(b, both) % 2 != 0) throw NotPossible();
  if (b.chance(40) && spatial_axes(b, x) == 2)
    return b.add("channel_shuffle 2", both, [](const at::Tensor& in) { return at::channel_shuffle(in, 2); });
  return b.add("shuffle of two groups by views", both, [](const at::Tensor& in) {
    std::vector<int64_t> sizes = in.sizes().vec();
    std::vector<int64_t> grouped = sizes;
    grouped[1] /= 2;
    grouped.insert(grouped.begin() + 1, 2);
    return in.contiguous().view(grouped).transpose(1, 2).contiguous().view(sizes);
  });
}

/// As in ConvNeXt: norm and layers along the channels, put last for it.
int channels_last_block(NetworkBuilder& b, int x) {
  const int64_t channels = channels_of(b, x);
  int y = b.add("movedim of channels to the end", x, [](const at::Tensor& in) { return in.movedim(1, -1); });
  if (b.chance(70)) y = normalised_last_axis(b, y);
  y = activation(b, linear(b, y, b.between(2, 12)));
  y = linear(b, y, channels);
  y = b.add("movedim of channels back", y, [](const at::Tensor& in) { return in.movedim(-1, 1); });
  return b.chance(60) ? add_both(b, x, y) : y;
}

int pixel_block(NetworkBuilder& b, int x) {
  if (spatial_axes(b, x) != 2) throw NotPossible();
  if (b.chance(50))
    return b.add("pixel_shuffle 2", x, [](const at::Tensor& in) { return at::pixel_shuffle(in, 2); });
  return b.add("pixel_unshuffle 2", x, [](const at::Tensor& in) { return at::pixel_unshuffle(in, 2); });
}

/// Down, and up again to be joined with what was before, as in U-Net.
int down_and_up_block(NetworkBuilder& b, int x) {
  const std::vector<int64_t> size(b[x].sizes().begin() + 2, b[x].sizes().end());
  int y = pool(b, x);
  y = conv_norm_activation(b, y, b.between(2, 6), true);
  const int axes = spatial_axes(b, x);
  y = b.add("upsample_nearest to the size before", y, [=](const at::Tensor& in) {
    if (axes == 1) return at::upsample_nearest1d(in, size);
    if (axes == 2) return at::upsample_nearest2d(in, size);
    return at::upsample_nearest3d(in, size);
  });
  return joined(b, {x, y}, 1);
}

int channels_last_memory(NetworkBuilder& b, int x) {
  if (spatial_axes(b, x) != 2) throw NotPossible();
  return b.add("contiguous in channels_last", x,
               [](const at::Tensor& in) { return in.contiguous(at::MemoryFormat::ChannelsLast); });
}

}  // namespace

int map_block(NetworkBuilder& b, int x) {
  using Block = int (*)(NetworkBuilder&, int);
  static const std::vector<Block> blocks{plain_block,
                                         plain_block,
                                         plain_block,
                                         residual_block,
                                         residual_block,
                                         residual_block,
                                         convolution_in_groups,
                                         branching_block,
                                         branching_block,
                                         gate_block,
                                         place_gate_block,
                                         shuffle_block,
                                         channels_last_block,
                                         pixel_block,
                                         down_and_up_block,
                                         channels_last_memory,
                                         transposed_convolution,
                                         pool,
                                         pool,
                                         upsample,
                                         norm_of_map,
                                         activation,
                                         arithmetic,
                                         scripted_block,
                                         view_block,
                                         view_block,
                                         view_block};
  return b.pick(blocks)(b, x);
}

}  // namespace faultwave::test
