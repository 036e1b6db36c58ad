// SPDX-License-Identifier: Apache-2.0
// What comes out of drawn networks.
#include "tests/property/blocks.h"

namespace faultwave::test {
namespace {

using Tensor = at::Tensor;

int classes_of(NetworkBuilder& b, int x) {
  int scores = linear(b, x, b.between(2, 9));
  if (b.chance(25)) scores = b.add("softmax", scores, [](const Tensor& in) { return at::softmax(in, -1); });
  return scores;
}

int scores_of_map(NetworkBuilder& b, int x) {
  const int axes = spatial_axes(b, x);
  std::vector<int64_t> list;
  for (int axis = 0; axis < axes; ++axis)
    list.push_back(axis + 2);
  int flat = x;
  switch (b.between(0, 3)) {
    case 0:
      flat = b.add("mean over all places", x, [=](const Tensor& in) { return in.mean(list); });
      break;
    case 1:
      flat = b.add("amax over all places", x, [=](const Tensor& in) { return in.amax(list); });
      break;
    case 2:
      flat = b.add("adaptive_avg_pool to one place, flatten", x, [=](const Tensor& in) {
        const std::vector<int64_t> one(static_cast<size_t>(axes), 1);
        if (axes == 1) return at::adaptive_avg_pool1d(in, one).flatten(1);
        if (axes == 2) return at::adaptive_avg_pool2d(in, one).flatten(1);
        return at::adaptive_avg_pool3d(in, one).flatten(1);
      });
      break;
    default:
      flat = b.add("flatten", x, [](const Tensor& in) { return in.flatten(1); });
      if (b.chance(50)) flat = activation_in_place(b, linear(b, flat, b.between(4, 12)));
  }
  return classes_of(b, flat);
}

/// Boxes [anchors, 4] as two corners, and scores [anchors, classes], for each element of the batch.
std::vector<int> detections_of_map(NetworkBuilder& b, int x) {
  const int64_t anchors = b.between(1, 2);
  const int64_t classes = b.between(2, 4);
  const auto to_list = [&](int map, int64_t width) {
    if (channels_of(b, map) != anchors * width) throw NotPossible();
    return b.add(c10::str("places and anchors as rows of ", width), map, [=](const Tensor& in) {
      const Tensor flat = in.flatten(2);
      return flat.view({flat.size(0), anchors, width, -1})
          .permute({0, 3, 1, 2})
          .reshape({flat.size(0), -1, width});
    });
  };
  const int offsets = to_list(convolution(b, x, anchors * 4, true), 4);
  const int boxes = b.add("corners from middles and sizes", offsets, [](const Tensor& in) {
    const std::vector<Tensor> parts = in.split(2, -1);
    const Tensor half = at::exp(parts[1].clamp(-3.0, 3.0)) * 0.5;
    return at::cat({parts[0] - half, parts[0] + half}, -1);
  });
  int scores = to_list(convolution(b, x, anchors * classes, true), classes);
  scores = b.add("sigmoid", scores, [](const Tensor& in) { return at::sigmoid(in); });
  if (b.chance(70)) return {boxes, scores};
  // The best class of each anchor: results that are not FP32.
  const std::vector<int> best = b.add("max over classes", {scores}, [](const std::vector<Tensor>& read) {
    const auto [values, indices] = read[0].max(-1);
    return std::vector<Tensor>{values, indices};
  });
  return {boxes, best[0], best[1]};
}

}  // namespace

std::vector<int> heads_of_map(NetworkBuilder& b, int x) {
  switch (b.between(0, 9)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return {scores_of_map(b, x)};
    case 4:
    case 5:
      return detections_of_map(b, x);
    case 6:
      return {scores_of_map(b, x), x};
    case 7: {
      const int scores = scores_of_map(b, x);
      return {scores, b.add("argmax", scores, [](const Tensor& in) { return in.argmax(1); })};
    }
    case 8:
      return {convolution(b, x, b.between(1, 3), true)};
    default:
      return {x};
  }
}

std::vector<int> heads_of_tokens(NetworkBuilder& b, int x) {
  switch (b.between(0, 3)) {
    case 0: {
      const int first = b.add("the first token", x, [](const Tensor& in) { return in.select(1, 0); });
      return {classes_of(b, first)};
    }
    case 1: {
      const int mean = b.add("mean over tokens", x, [](const Tensor& in) { return in.mean(1); });
      return {classes_of(b, b.chance(50) ? normalised_last_axis(b, mean) : mean)};
    }
    case 2:
      return {linear(b, x, b.between(2, 7))};
    default: {
      const int mean = b.add("mean over tokens", x, [](const Tensor& in) { return in.mean(1); });
      return {classes_of(b, mean), x};
    }
  }
}

}  // namespace faultwave::test
