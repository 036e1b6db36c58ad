// SPDX-License-Identifier: Apache-2.0
// Convolutions, norms, pools and upsampling of drawn sizes, with one to three spatial axes.
#include <cmath>

#include "tests/property/blocks.h"

namespace faultwave::test {
namespace {

using Sizes = std::vector<int64_t>;

/// A layer's numbers, one for each spatial axis.
struct Window {
  Sizes kernel;
  Sizes stride;
  Sizes padding;
  Sizes dilation;

  std::string text() const {
    return c10::str("kernel ", c10::IntArrayRef(kernel), ", stride ", c10::IntArrayRef(stride), ", padding ",
                    c10::IntArrayRef(padding), ", dilation ", c10::IntArrayRef(dilation));
  }
};

Window draw_window(NetworkBuilder& b, int x, bool keeps_size) {
  Window window;
  const bool is_square = b.chance(60);
  for (int axis = 0; axis < spatial_axes(b, x); ++axis) {
    const auto same = [&](Sizes& list) { list.push_back(list.front()); };
    if (axis > 0 && is_square) {
      for (Sizes* list : {&window.kernel, &window.stride, &window.padding, &window.dilation})
        same(*list);
      continue;
    }
    const int64_t kernel = keeps_size ? 1 + 2 * b.between(0, 1) : b.between(1, 4);
    const int64_t dilation = kernel > 1 && b.chance(25) ? 2 : 1;
    window.kernel.push_back(kernel);
    window.dilation.push_back(dilation);
    window.stride.push_back(keeps_size ? 1 : b.between(1, 2));
    window.padding.push_back(keeps_size ? dilation * (kernel - 1) / 2 : b.between(0, kernel / 2));
  }
  return window;
}

int64_t draw_groups(NetworkBuilder& b, int64_t channels, int64_t& filters) {
  const int64_t kind = b.between(1, 10);
  if (kind <= 6) return 1;
  if (kind <= 8) {
    filters = std::max<int64_t>(filters / channels, 1) * channels;
    return channels;
  }
  const int64_t groups = b.divisor(channels);
  filters = (filters + groups - 1) / groups * groups;
  return groups;
}

at::Tensor draw_filters(NetworkBuilder& b, const std::string& name, int64_t filters, int64_t inputs,
                        const Sizes& kernel) {
  Sizes shape{filters, inputs};
  shape.insert(shape.end(), kernel.begin(), kernel.end());
  int64_t fan_in = inputs;
  for (const int64_t size : kernel)
    fan_in *= size;
  return b.weight(name + ".weight", shape, std::sqrt(2.0 / static_cast<double>(fan_in)));
}

at::Tensor draw_bias(NetworkBuilder& b, const std::string& name, int64_t channels) {
  return b.chance(75) ? b.uniform(name + ".bias", {channels}, -0.3, 0.3) : at::Tensor();
}

/// The axes of [channels, spatial axes...] as a list of sizes.
Sizes element_shape(const NetworkBuilder& b, int x) {
  return Sizes(b[x].sizes().begin() + 1, b[x].sizes().end());
}

int convolution_over(NetworkBuilder& b, int x, const Window& w, int64_t groups, int64_t filters,
                     bool keeps_size) {
  const std::string name = b.layer("conv");
  const at::Tensor weight = draw_filters(b, name, filters, channels_of(b, x) / groups, w.kernel);
  const at::Tensor bias = draw_bias(b, name, filters);
  const int axes = spatial_axes(b, x);
  const bool by_name = keeps_size && b.chance(20);  // padding given as a word
  const std::string text =
      c10::str("conv", axes, "d ", name, " ", weight.sizes(), by_name ? " padding=same" : "", " ", w.text(),
               ", groups ", groups, bias.defined() ? ", bias" : "");
  return b.add(text, x, [=](const at::Tensor& in) {
    const std::optional<at::Tensor> shift = bias.defined() ? std::optional(bias) : std::nullopt;
    if (by_name) {
      if (axes == 1) return at::conv1d(in, weight, shift, w.stride, "same", w.dilation, groups);
      if (axes == 2) return at::conv2d(in, weight, shift, w.stride, "same", w.dilation, groups);
      return at::conv3d(in, weight, shift, w.stride, "same", w.dilation, groups);
    }
    if (axes == 1) return at::conv1d(in, weight, shift, w.stride, w.padding, w.dilation, groups);
    if (axes == 2) return at::conv2d(in, weight, shift, w.stride, w.padding, w.dilation, groups);
    return at::conv3d(in, weight, shift, w.stride, w.padding, w.dilation, groups);
  });
}

}  // namespace

int convolution(NetworkBuilder& b, int x, int64_t filters, bool keeps_size) {
  const Window window = draw_window(b, x, keeps_size);
  const int64_t groups = draw_groups(b, channels_of(b, x), filters);
  return convolution_over(b, x, window, groups, filters, keeps_size);
}

int convolution_in_groups(NetworkBuilder& b, int x) {
  const int64_t groups = b.between(2, 4);
  const int64_t inputs = b.pick(std::vector<int64_t>{1, 2, 3, 8, 17});
  const int64_t outputs = b.chance(60) ? inputs : b.pick(std::vector<int64_t>{1, 2, 5, 8, 16, 18});
  x = convolution_over(b, x, draw_window(b, x, true), 1, groups * inputs, true);
  const bool keeps_size = b.chance(60);
  return convolution_over(b, x, draw_window(b, x, keeps_size), groups, groups * outputs, keeps_size);
}

int transposed_convolution(NetworkBuilder& b, int x) {
  const Window w = draw_window(b, x, false);
  const int axes = spatial_axes(b, x);
  const int64_t channels = channels_of(b, x);
  const int64_t groups = b.chance(75) ? 1 : b.divisor(channels);
  const int64_t filters_a_group = b.between(1, 4);
  const std::string name = b.layer("up");
  const at::Tensor weight = draw_filters(b, name, channels, filters_a_group, w.kernel);
  const at::Tensor bias = draw_bias(b, name, filters_a_group * groups);
  const Sizes more(static_cast<size_t>(axes), 0);
  const std::string text =
      c10::str("conv_transpose", axes, "d ", name, " ", weight.sizes(), " ", w.text(), ", groups ", groups);
  return b.add(text, x, [=](const at::Tensor& in) {
    const std::optional<at::Tensor> shift = bias.defined() ? std::optional(bias) : std::nullopt;
    if (axes == 1)
      return at::conv_transpose1d(in, weight, shift, w.stride, w.padding, more, groups, w.dilation);
    if (axes == 2)
      return at::conv_transpose2d(in, weight, shift, w.stride, w.padding, more, groups, w.dilation);
    return at::conv_transpose3d(in, weight, shift, w.stride, w.padding, more, groups, w.dilation);
  });
}

int norm_of_map(NetworkBuilder& b, int x) {
  const int64_t channels = channels_of(b, x);
  const int64_t kind = b.between(0, 6);
  const std::string name = b.layer("norm");
  if (kind == 6) {
    const Sizes shape = element_shape(b, x);
    const at::Tensor scale = b.uniform(name + ".weight", shape, 0.5, 1.5);
    const at::Tensor shift = b.uniform(name + ".bias", shape, -0.3, 0.3);
    return b.add("layer_norm of all axes " + name, x,
                 [=](const at::Tensor& in) { return at::layer_norm(in, shape, scale, shift, 1e-3); });
  }
  const at::Tensor scale = b.uniform(name + ".weight", {channels}, 0.5, 1.5);
  const at::Tensor shift = b.uniform(name + ".bias", {channels}, -0.3, 0.3);
  if (kind == 4) {
    const int64_t groups = b.divisor(channels);
    return b.add(c10::str("group_norm ", name, " groups ", groups), x,
                 [=](const at::Tensor& in) { return at::group_norm(in, groups, scale, shift, 1e-3); });
  }
  if (kind == 5) {
    if (b[x].numel() / channels < 2) throw NotPossible();
    return b.add("instance_norm " + name, x, [=](const at::Tensor& in) {
      return at::instance_norm(in, scale, shift, {}, {}, true, 0.1, 1e-3, false);
    });
  }
  const at::Tensor mean = b.buffer(name + ".running_mean", {channels}, -0.3, 0.3);
  const at::Tensor variance = b.buffer(name + ".running_var", {channels}, 0.5, 1.5);
  return b.add("batch_norm " + name, x, [=](const at::Tensor& in) {
    return at::batch_norm(in, scale, shift, mean, variance, false, 0.1, 1e-5, false);
  });
}

int pool(NetworkBuilder& b, int x) {
  const int axes = spatial_axes(b, x);
  const Window w = draw_window(b, x, false);
  const bool ceil = b.chance(30);
  const int64_t kind = b.between(0, 5);
  Sizes target;
  for (int axis = 0; axis < axes; ++axis)
    target.push_back(b.between(1, 3));
  if (kind <= 1) {
    return b.add(c10::str("max_pool", axes, "d ", w.text(), ceil ? ", ceil" : ""), x,
                 [=](const at::Tensor& in) {
                   if (axes == 1) return at::max_pool1d(in, w.kernel, w.stride, w.padding, w.dilation, ceil);
                   if (axes == 2) return at::max_pool2d(in, w.kernel, w.stride, w.padding, w.dilation, ceil);
                   return at::max_pool3d(in, w.kernel, w.stride, w.padding, w.dilation, ceil);
                 });
  }
  if (kind <= 3) {
    const bool with_padding = b.chance(50);
    const std::string text = c10::str("avg_pool", axes, "d ", w.text(), ceil ? ", ceil" : "",
                                      with_padding ? ", counts padding" : "");
    return b.add(text, x, [=](const at::Tensor& in) {
      if (axes == 1) return at::avg_pool1d(in, w.kernel, w.stride, w.padding, ceil, with_padding);
      if (axes == 2) return at::avg_pool2d(in, w.kernel, w.stride, w.padding, ceil, with_padding);
      return at::avg_pool3d(in, w.kernel, w.stride, w.padding, ceil, with_padding);
    });
  }
  if (kind == 4) {
    return b.add(c10::str("adaptive_avg_pool", axes, "d ", c10::IntArrayRef(target)), x,
                 [=](const at::Tensor& in) {
                   if (axes == 1) return at::adaptive_avg_pool1d(in, target);
                   if (axes == 2) return at::adaptive_avg_pool2d(in, target);
                   return at::adaptive_avg_pool3d(in, target);
                 });
  }
  // Two results, one of them of integers.
  return b.add(c10::str("adaptive_max_pool", axes, "d ", c10::IntArrayRef(target)), x,
               [=](const at::Tensor& in) {
                 if (axes == 1) return std::get<0>(at::adaptive_max_pool1d(in, target));
                 if (axes == 2) return std::get<0>(at::adaptive_max_pool2d(in, target));
                 return std::get<0>(at::adaptive_max_pool3d(in, target));
               });
}

int upsample(NetworkBuilder& b, int x) {
  const int axes = spatial_axes(b, x);
  Sizes target;
  for (int axis = 0; axis < axes; ++axis)
    target.push_back(b[x].size(axis + 2) + b.between(0, b[x].size(axis + 2)));
  const bool corners = b.chance(50);
  const int64_t kind = b.between(0, 3);
  if (kind <= 1) {
    return b.add(c10::str("upsample_nearest", axes, "d to ", c10::IntArrayRef(target)), x,
                 [=](const at::Tensor& in) {
                   if (axes == 1) return at::upsample_nearest1d(in, target);
                   if (axes == 2) return at::upsample_nearest2d(in, target);
                   return at::upsample_nearest3d(in, target);
                 });
  }
  if (kind == 2 && axes == 2) {
    return b.add(c10::str("upsample_bicubic2d to ", c10::IntArrayRef(target)), x,
                 [=](const at::Tensor& in) { return at::upsample_bicubic2d(in, target, corners); });
  }
  return b.add(c10::str("upsample by interpolation to ", c10::IntArrayRef(target)), x,
               [=](const at::Tensor& in) {
                 if (axes == 1) return at::upsample_linear1d(in, target, corners);
                 if (axes == 2) return at::upsample_bilinear2d(in, target, corners);
                 return at::upsample_trilinear3d(in, target, corners);
               });
}

}  // namespace faultwave::test
