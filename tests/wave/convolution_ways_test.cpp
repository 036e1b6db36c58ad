// SPDX-License-Identifier: Apache-2.0
// Each way to convolve what differs, against conv2d on whole maps. Whole numbers make sums exact in any
// order.
#include "src/wave/rules/convolution_ways.h"

#include <torch/torch.h>

#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "tests/wave/made_shadows.h"

namespace faultwave::wave {
namespace {

using Way = ConvolutionWays::Way;

struct Geometry {
  std::string name;
  int64_t in = 4;
  int64_t out = 6;
  int64_t kernel_y = 3;
  int64_t kernel_x = 3;
  int64_t stride_y = 1;
  int64_t stride_x = 1;
  int64_t padding = 1;
  int64_t dilation = 1;
  int64_t groups = 1;
};

const std::vector<Geometry> kGeometries{
    {.name = "plain"},
    {.name = "strides", .stride_y = 2, .stride_x = 3},
    {.name = "dilation", .padding = 2, .dilation = 2},
    {.name = "no padding, kernel 2 x 3", .kernel_y = 2, .padding = 0},
    {.name = "much padding", .stride_y = 2, .stride_x = 2, .padding = 2},
};
const Geometry kGroups{.name = "groups", .stride_y = 2, .groups = 2};
const Geometry kPointwise{.name = "pointwise", .kernel_y = 1, .kernel_x = 1, .padding = 0};
const Geometry kStridedPointwise{.name = "pointwise with strides",
                                 .kernel_y = 1,
                                 .kernel_x = 1,
                                 .stride_y = 2,
                                 .stride_x = 2,
                                 .padding = 0};
const Geometry kDepthwise{.name = "depthwise", .in = 6, .stride_x = 2, .groups = 6};

/// A convolution of two maps of 7 x 6 pixels.
struct Convolution {
  explicit Convolution(const Geometry& g)
      : input(whole_numbers({2, g.in, 7, 6}, 1)),
        weight(whole_numbers({g.out, g.in / g.groups, g.kernel_y, g.kernel_x}, 2)),
        arguments{input,
                  weight,
                  c10::IValue(),
                  std::vector<int64_t>{g.stride_y, g.stride_x},
                  std::vector<int64_t>{g.padding, g.padding},
                  std::vector<int64_t>{g.dilation, g.dilation},
                  g.groups},
        golden(run(input)) {}

  at::Tensor run(const at::Tensor& maps) const {
    return at::conv2d(maps, weight, {}, arguments[3].toIntVector(), arguments[4].toIntVector(),
                      arguments[5].toIntVector(), arguments[6].toInt());
  }

  Call call(const Shadow& shadow) const { return call_of(op, arguments, golden, shadow); }

  c10::OperatorHandle op = operator_called("aten::conv2d");
  at::Tensor input;
  at::Tensor weight;
  std::vector<c10::IValue> arguments;
  at::Tensor golden;
};

/// Trial 0 differs at a corner and in the middle of the first map, trial 1 in both maps, trial 2 at two
/// pixels of the second, trial 3 everywhere in the first.
Shadow changed_rows(int64_t channels) {
  Indices trials{0, 0, 1, 1, 2, 2};
  Indices places{0, 20, 20, 42 + 21, 42 + 9, 42 + 41};
  for (int32_t pixel = 0; pixel < 42; ++pixel) {
    trials.push_back(3);
    places.push_back(pixel);
  }
  return made_shadow(1, trials, places, whole_numbers({48, channels}, 3), true);
}

void check(const Convolution& convolution, const Shadow& in, const Shadow& out) {
  CHECK(out.form.is_change);
  for (const int32_t trial : {0, 1, 2, 3, 4}) {
    CAPTURE(trial);
    const at::Tensor expected = convolution.run(tensor_of_trial(in, trial, convolution.input));
    CHECK(at::equal(tensor_of_trial(out, trial, convolution.golden), expected));
  }
}

void check_way(const Geometry& geometry,
               const std::function<Shadow(const ConvolutionWays&, const Shadow&)>& way) {
  CAPTURE(geometry.name);
  const Convolution convolution(geometry);
  Shadow rows = changed_rows(geometry.in);
  for (const bool waits : {false, true}) {
    CAPTURE(waits);
    if (waits) rows.form.scale = whole_numbers({geometry.in}, 4);
    const Call call = convolution.call(rows);
    check(convolution, rows, way(ConvolutionWays(call), rows));
  }
}

TEST_CASE("convolution: each way of rows of changes") {
  for (const Way way : {Way::scattered, Way::gathered, Way::dense}) {
    CAPTURE(static_cast<int>(way));
    for (const Geometry& geometry : kGeometries)
      check_way(geometry, [way](const ConvolutionWays& ways, const Shadow& rows) {
        return ways.of_rows_by(way, rows);
      });
  }
  check_way(kGroups, [](const ConvolutionWays& ways, const Shadow& rows) {
    return ways.of_rows_by(Way::dense, rows);
  });
}

TEST_CASE("convolution: whichever way is taken on this machine") {
  std::vector<Geometry> geometries = kGeometries;
  geometries.insert(geometries.end(), {kGroups, kPointwise, kStridedPointwise, kDepthwise});
  for (const Geometry& geometry : geometries)
    check_way(geometry, [](const ConvolutionWays& ways, const Shadow& rows) { return ways.of_rows(rows); });
}

TEST_CASE("convolution: scattered and gathered rows hold only pixels that read a changed one") {
  const Convolution convolution(kGeometries[0]);
  const Shadow rows = changed_rows(4);
  const Call call = convolution.call(rows);
  for (const Way way : {Way::scattered, Way::gathered}) {
    const Shadow out = ConvolutionWays(call).of_rows_by(way, rows);
    CHECK(segment_of(out, 0).size() == 4 + 9);  // around the corner, and around the pixel in the middle
  }
}

TEST_CASE("convolution: points, of values and of changes") {
  std::vector<Geometry> geometries = kGeometries;
  geometries.insert(geometries.end(), {kGroups, kPointwise, kStridedPointwise, kDepthwise});
  for (const Geometry& geometry : geometries) {
    CAPTURE(geometry.name);
    const Convolution convolution(geometry);
    const auto map = static_cast<int32_t>(geometry.in * 42);
    // Trial 0 differs in two values of one pixel and one of another, trial 1 in both maps, trial 2 in the
    // second.
    const Shadow changes =
        made_shadow(Shadow::points, {0, 0, 0, 1, 1, 2}, {14, 21, 14 + 42, 3, map + 9, map + 42 + 7},
                    torch::tensor({3.F, -2.F, 5.F, 7.F, -1.F, 4.F}), true);
    for (const Shadow& points : {changes, as_values(changes, convolution.input)}) {
      const Call call = convolution.call(points);
      check(convolution, points, ConvolutionWays(call).of_points(points));
    }
  }
}

}  // namespace
}  // namespace faultwave::wave
