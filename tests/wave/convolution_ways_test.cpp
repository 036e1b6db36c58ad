// SPDX-License-Identifier: Apache-2.0
// Each way to convolve what differs, against conv2d on whole maps. Whole numbers make sums exact in any
// order.
#include "src/wave/rules/convolution_ways.h"

#include <torch/torch.h>

#include <cmath>
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
  int64_t height = 7;
  int64_t width = 6;
  int64_t pixels() const { return height * width; }
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
// Lanes of one group and of several, groups that end within lanes; maps of one tile and of several.
const std::vector<Geometry> kManyGroups{
    kGroups,
    kDepthwise,
    {.name = "depthwise, wide windows",
     .in = 40,
     .out = 40,
     .kernel_y = 7,
     .kernel_x = 7,
     .padding = 3,
     .groups = 40,
     .height = 30,
     .width = 33},
    {.name = "depthwise, dilation",
     .in = 17,
     .out = 17,
     .stride_x = 2,
     .padding = 2,
     .dilation = 2,
     .groups = 17,
     .height = 12,
     .width = 19},
    {.name = "three filters a channel", .in = 7, .out = 21, .groups = 7, .height = 9, .width = 20},
    {.name = "groups of 8", .in = 24, .out = 24, .groups = 3, .height = 20, .width = 21},
    {.name = "groups of 4, strides",
     .in = 32,
     .out = 32,
     .stride_y = 2,
     .stride_x = 2,
     .groups = 8,
     .height = 28,
     .width = 28},
    {.name = "groups of 3 to 5",
     .in = 12,
     .out = 20,
     .kernel_y = 1,
     .kernel_x = 5,
     .padding = 2,
     .groups = 4,
     .height = 5,
     .width = 18},
    {.name = "groups of 16", .in = 32, .out = 32, .stride_x = 3, .groups = 2, .height = 17, .width = 26},
    {.name = "groups of 40 to 19", .in = 80, .out = 38, .groups = 2, .height = 24, .width = 24},
    {.name = "pointwise groups",
     .in = 18,
     .out = 18,
     .kernel_y = 1,
     .kernel_x = 1,
     .padding = 0,
     .groups = 3},
};

/// A convolution of two maps.
struct Convolution {
  explicit Convolution(const Geometry& g)
      : input(whole_numbers({2, g.in, g.height, g.width}, 1)),
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
Shadow changed_rows(const Geometry& g) {
  const auto map = static_cast<int32_t>(g.pixels());
  Indices trials{0, 0, 1, 1, 2, 2};
  Indices places{0, 20, 20, map + 21, map + 9, map + map - 1};
  for (int32_t pixel = 0; pixel < map; ++pixel) {
    trials.push_back(3);
    places.push_back(pixel);
  }
  return made_shadow(1, trials, places, whole_numbers({map + 6, g.in}, 3), true);
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
  Shadow rows = changed_rows(geometry);
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

TEST_CASE("convolution: groups of any width") {
  for (const Geometry& geometry : kManyGroups)
    check_way(geometry, [](const ConvolutionWays& ways, const Shadow& rows) { return ways.of_rows(rows); });
}

TEST_CASE("convolution: groups without changes, and rows that are few in a large map") {
  for (const Geometry& geometry : kManyGroups) {
    CAPTURE(geometry.name);
    const Convolution convolution(geometry);
    const auto last = static_cast<int32_t>(geometry.pixels() - 1);
    const at::Tensor values = whole_numbers({4, geometry.in}, 5);
    values.slice(1, 0, geometry.in / 2).zero_();
    const Shadow rows = made_shadow(1, {0, 0, 1, 2}, {1, last, last / 2, last}, values, true);
    const Call call = convolution.call(rows);
    check(convolution, rows, ConvolutionWays(call).of_rows(rows));
  }
}

TEST_CASE("convolution: in groups, NaN and infinity stay in their group and window") {
  for (const Geometry& geometry : kManyGroups) {
    CAPTURE(geometry.name);
    const Convolution convolution(geometry);
    const at::Tensor values = whole_numbers({2, geometry.in}, 5);
    values[0][0] = NAN;
    values[1][geometry.in - 1] = INFINITY;
    const Shadow rows = made_shadow(1, {0, 1}, {9, 11}, values, true);
    const Call call = convolution.call(rows);
    const Shadow out = ConvolutionWays(call).of_rows(rows);
    for (const int32_t trial : {0, 1}) {
      CAPTURE(trial);
      const at::Tensor expected = convolution.run(tensor_of_trial(rows, trial, convolution.input));
      const at::Tensor actual = tensor_of_trial(out, trial, convolution.golden);
      CHECK(at::equal(actual.isfinite(), expected.isfinite()));
      CHECK(at::equal(actual.nan_to_num(0, 0, 0), expected.nan_to_num(0, 0, 0)));
    }
  }
}

TEST_CASE("convolution: scattered and gathered rows hold only pixels that read a changed one") {
  const Convolution convolution(kGeometries[0]);
  const Shadow rows = changed_rows(kGeometries[0]);
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
