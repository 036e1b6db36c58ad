// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "src/wave/kernels/kernels.h"
#include "src/wave/rules/window.h"

namespace faultwave::wave {

/// A convolution in groups of changes, tile by tile of each map. The changes that a tile reads are packed
/// with zeros between them, so that the inner loop (Kernels::convolve_tile) has no indices to follow. It
/// works on kLanes output channels at a time:
///
/// - Narrow groups, depthwise ones among them: lanes belong to several groups, and each input channel is
///   packed once for each lane that reads it.
/// - Groups of kLanes or more output channels: all lanes belong to one group and read the same.
///
/// What a tile cannot reach costs nothing: taps that read no changed pixel of it, and lanes whose input
/// channels have no change in it.
class GroupedConvolution {
 public:
  /// `weight`: FP32 [out, in / groups, height, width], on the CPU.
  GroupedConvolution(const at::Tensor& weight, int64_t groups, const Windows& windows);

  /// Fills the rows of all parts; `rows` are settled changes along axis 1, `to` was made for them. Depthwise
  /// convolutions take the changed pixels one by one where these are few or lie apart.
  void convolve(const Shadow& rows, const std::vector<Segment>& parts, TargetRows& to) const;

 private:
  /// Output channels beside each other that are computed together.
  struct Lanes {
    int64_t first = 0;            ///< output channel
    int64_t count = 0;            ///< up to kLanes
    int64_t first_in = 0;         ///< input channel of the first group
    std::vector<int32_t> starts;  ///< of each group's lanes
  };
  /// As many values as there are lanes, in one line of the cache.
  struct alignas(64) LaneRow {
    std::array<float, kLanes> values{};
  };
  using LaneRows = std::vector<LaneRow>;
  struct Work;

  bool is_depthwise() const { return depth_ == 1 && in_channels_ == out_channels_; }
  void add_narrow_groups();
  void add_wide_groups();
  void pack_weight(const at::Tensor& weight);

  bool is_better_by_pixel(const Shadow& rows, const Segment& part) const;
  void by_pixel(const Shadow& rows, const Segment& part, Work& work) const;
  void by_tile(const Shadow& rows, const Segment& part, Work& work) const;
  void collect(const Shadow& rows, const Segment& part, Work& work) const;
  void cut_strips(Work& work) const;
  bool pack(const Shadow& rows, const Lanes& lanes, Work& work) const;
  void compute(const Lanes& lanes, size_t number, bool has_changes, Work& work) const;

  Windows windows_;
  int64_t depth_;  ///< input channels of a group
  int64_t in_channels_;
  int64_t out_channels_;
  bool is_narrow_;
  int64_t cell_;  ///< packed values of a pixel
  std::vector<Lanes> lanes_;
  LaneRows lane_weights_;             ///< lanes, taps, depth
  std::vector<float> pixel_weights_;  ///< taps, out; of depthwise ones
};

}  // namespace faultwave::wave
