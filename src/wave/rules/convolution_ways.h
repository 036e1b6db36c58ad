// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "src/wave/rule.h"
#include "src/wave/rules/window.h"

namespace faultwave::wave {

/// A call of conv2d(input, weight, bias, stride, padding, dilation, groups) on maps
/// [N, channels, height, width], and the ways to find what changes in its result: the weight times what has
/// changed before it.
///
/// - Points: a column of the weight, scaled, is added to the pixels that read the value.
/// - Pointwise (1 x 1): one product of the rows that differ.
/// - Scattered rows: one product [rows, in] x [in, taps * out], whose taps are added where they belong. Best
///   where rows are few and scattered: golden pixels cost nothing.
/// - Gathered rows: for each pixel that reads a changed one what all its taps read, [pixels, taps * in] x
///   [taps * in, out]. Best with strides, where scattering computes taps that nobody reads.
/// - Dense: the library's convolution of whole maps of changes. Best where rows fill the map.
/// - In groups, depthwise among them: tile by tile (convolution_groups.h).
class ConvolutionWays {
 public:
  /// The ways that there is a choice between for rows of several taps.
  enum class Way : uint8_t { scattered, gathered, dense };

  explicit ConvolutionWays(const Call& call);

  /// Points of values or changes.
  Shadow of_points(const Shadow& points) const;
  /// Rows of changes along axis 1. Trials go the way that is expected to be the fastest on this machine.
  Shadow of_rows(const Shadow& rows) const;
  /// The same, all trials one way, which tests compare. `scattered` and `gathered` need groups = 1.
  Shadow of_rows_by(Way way, const Shadow& rows) const;

 private:
  using PixelsOfParts = std::vector<Indices>;

  bool is_pointwise() const;
  /// Seconds that a trial is expected to take.
  struct Costs {
    double scattered = 0;
    double gathered = 0;
    double dense = 0;
    Way best() const {
      if (dense <= scattered && dense <= gathered) return Way::dense;
      return scattered < gathered ? Way::scattered : Way::gathered;
    }
  };
  Costs costs_of(int64_t rows, int64_t targets) const;
  /// For each part; `dirty` are the pixels that it dirties.
  std::vector<Way> best_ways(const std::vector<Segment>& parts, const PixelsOfParts& dirty) const;
  Shadow by_ways(const Shadow& rows, const std::vector<Segment>& parts, PixelsOfParts dirty,
                 const std::vector<Way>& ways) const;

  Shadow pointwise(const Shadow& rows) const;
  /// Of a pointwise convolution with strides: the rows that it reads, at the pixels that they become.
  Shadow rows_on_grid(const Shadow& rows) const;
  Shadow in_groups(const Shadow& rows) const;
  /// Rows that lie together: consecutive parts of one way, so many that a product is worth its overhead.
  struct Run {
    size_t first = 0;
    size_t last = 0;  // one behind
    Way way = Way::scattered;
  };
  std::vector<Run> runs(const std::vector<Segment>& parts, const std::vector<Way>& ways,
                        const TargetRows& targets) const;
  void scatter(const Shadow& rows, const std::vector<Segment>& parts, const Run& run, TargetRows& to) const;
  void gather(const Shadow& rows, const std::vector<Segment>& parts, const Run& run, TargetRows& to) const;
  void convolve(const Shadow& rows, const std::vector<Segment>& parts, const Run& run, TargetRows& to) const;

  const Call& call_;
  at::Tensor input_;
  at::Tensor weight_;  // with the factor that the rows wait for
  std::vector<int64_t> stride_;
  std::vector<int64_t> padding_;
  std::vector<int64_t> dilation_;
  int64_t groups_;
  Windows windows_;
  int64_t in_channels_;
  int64_t out_channels_;
};

}  // namespace faultwave::wave
