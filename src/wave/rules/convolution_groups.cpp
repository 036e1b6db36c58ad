// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/convolution_groups.h"

#include <torch/types.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/wave/for_parts.h"
#include "src/wave/kernels/kernels.h"

namespace faultwave::wave {
namespace {

// What a tile reads stays in a core's own cache.
constexpr int64_t kTileBytes = 64 << 10;
// A multiply-add of a changed pixel alone, whose sums go to memory and back, costs so many of a tile.
constexpr int64_t kCostByPixel = 3;
// Lanes read a line or two of each pixel's row, which the processor does not see coming.
constexpr size_t kCellsAhead = 8;

/// From `begin` to one before `end`.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
  bool empty() const { return begin >= end; }
  void include(int64_t number) {
    if (empty()) {
      begin = number;
      end = number + 1;
    } else {
      begin = std::min(begin, number);
      end = std::max(end, number + 1);
    }
  }
};

/// What windows from the first to the last of `outputs` lie over; may begin before 0 or end behind the axis.
Range sources_of(const WindowAxis& axis, Range outputs) {
  return {axis.source(outputs.begin, 0), axis.source(outputs.end - 1, axis.kernel - 1) + 1};
}

/// The taps by which any of `outputs` can read any of `inputs`.
Range taps_between(const WindowAxis& axis, Range outputs, Range inputs) {
  Range taps{0, axis.kernel};
  while (!taps.empty() && axis.source(outputs.end - 1, taps.begin) < inputs.begin)
    ++taps.begin;
  while (!taps.empty() && axis.source(outputs.begin, taps.end - 1) >= inputs.end)
    --taps.end;
  return taps;
}

/// Cuts a range into equal pieces of at most `most`.
template <typename Visit>
void for_each_piece(Range range, int64_t most, Visit&& visit) {
  const int64_t pieces = (range.size() + most - 1) / most;
  const int64_t size = (range.size() + pieces - 1) / pieces;
  for (int64_t begin = range.begin; begin < range.end; begin += size)
    visit(Range{begin, std::min(begin + size, range.end)});
}

/// The rectangle that some pixels of a map lie in.
struct Box {
  Range y;
  Range x;
};

Box box_of(const Indices& places, int64_t begin, int64_t end, int64_t pixels, int64_t width) {
  Box box;
  for (int64_t entry = begin; entry < end; ++entry) {
    const int64_t pixel = places[static_cast<size_t>(entry)] % pixels;
    box.y.include(pixel / width);
    box.x.include(pixel % width);
  }
  return box;
}

/// A changed pixel, and where it lies in what is packed.
struct Cell {
  int64_t entry = 0;
  int64_t offset = 0;
};

/// Pixels beside each other that a tile of the inner loop gives.
struct Strip {
  int64_t from = 0;  ///< offset of what the first pixel reads by the first tap
  Range taps_y;
  Range taps_x;
  int64_t pixels = 0;
  std::array<int32_t, kTilePixels> rows{};  ///< of the result; -1: no row
};

/// How large tiles of a box are, so that what they read fits.
Box tile_size(const Windows& windows, const Box& box, int64_t cell) {
  Box size{{0, box.y.size()}, {0, box.x.size()}};
  const auto bytes = [&] {
    return sources_of(windows.y, size.y).size() * sources_of(windows.x, size.x).size() * cell * 4;
  };
  while (bytes() > kTileBytes) {
    if (size.x.end > kTilePixels && size.x.end >= size.y.end) {
      size.x.end = (size.x.end + 1) / 2;
    } else if (size.y.end > 1) {
      size.y.end = (size.y.end + 1) / 2;
    } else {
      break;
    }
  }
  return size;
}

}  // namespace

/// What a thread has in hand: a part, a tile of it, and what that reads.
struct GroupedConvolution::Work {
  explicit Work(const Windows& windows, TargetRows& targets)
      : to(targets), out(targets.shadow.values.mutable_data_ptr<float>()), row_of(windows.targets()) {}

  TargetRows& to;
  float* out;
  EntryOfPixel row_of;
  std::vector<Meeting> meetings;

  Box tile;     // of the result
  Box reads;    // pixels that are packed, padding among them
  Box changed;  // those that have changed
  std::vector<Cell> cells;
  std::vector<Strip> strips;
  LaneRows packed;
};

GroupedConvolution::GroupedConvolution(const at::Tensor& weight, int64_t groups, const Windows& windows)
    : windows_(windows),
      depth_(weight.size(1)),
      in_channels_(depth_ * groups),
      out_channels_(weight.size(0)),
      is_narrow_(out_channels_ / groups < kLanes),
      cell_(depth_) {
  if (is_narrow_) {
    add_narrow_groups();
    // Kernels::spread writes beyond the last row.
    cell_ = is_depthwise() ? kLanes : (depth_ + 1) * kLanes;
  } else {
    add_wide_groups();
  }
  pack_weight(weight);
}

void GroupedConvolution::add_narrow_groups() {
  const int64_t group_out = out_channels_ / (in_channels_ / depth_);
  for (int64_t first = 0; first < out_channels_; first += kLanes) {
    Lanes lanes{.first = first,
                .count = std::min(kLanes, out_channels_ - first),
                .first_in = first / group_out * depth_,
                .starts = {0}};
    for (int64_t lane = 1; lane < lanes.count; ++lane) {
      if ((first + lane) % group_out == 0) lanes.starts.push_back(static_cast<int32_t>(lane));
    }
    lanes_.push_back(std::move(lanes));
  }
}

void GroupedConvolution::add_wide_groups() {
  const int64_t groups = in_channels_ / depth_;
  const int64_t group_out = out_channels_ / groups;
  for (int64_t group = 0; group < groups; ++group) {
    for (int64_t first = 0; first < group_out; first += kLanes) {
      lanes_.push_back({.first = group * group_out + first,
                        .count = std::min(kLanes, group_out - first),
                        .first_in = group * depth_,
                        .starts = {0}});
    }
  }
}

void GroupedConvolution::pack_weight(const at::Tensor& weight) {
  const at::Tensor last_axis_out = weight.permute({2, 3, 1, 0}).contiguous();  // taps, depth, out
  const float* from = last_axis_out.const_data_ptr<float>();
  const int64_t steps = windows_.taps() * depth_;
  lane_weights_.resize(lanes_.size() * static_cast<size_t>(steps));
  auto to = lane_weights_.begin();
  for (const Lanes& lanes : lanes_) {
    for (int64_t step = 0; step < steps; ++step, ++to)
      std::copy_n(from + step * out_channels_ + lanes.first, lanes.count, to->values.begin());
  }
  if (is_depthwise()) pixel_weights_.assign(from, from + steps * out_channels_);
}

void GroupedConvolution::convolve(const Shadow& rows, const std::vector<Segment>& parts,
                                  TargetRows& to) const {
  for_parts(parts, [&](size_t first, size_t last) {
    Work work(windows_, to);
    for (size_t part = first; part < last; ++part) {
      if (to.size(part) == 0) continue;
      work.row_of.number(to.shadow, to.begin(part), to.end(part));
      if (is_depthwise() && is_better_by_pixel(rows, parts[part])) {
        std::fill_n(work.out + to.begin(part) * out_channels_, to.size(part) * out_channels_, 0.0F);
        by_pixel(rows, parts[part], work);
        continue;
      }
      const Box box =
          box_of(to.shadow.places, to.begin(part), to.end(part), windows_.targets(), windows_.x.out);
      const Box size = tile_size(windows_, box, cell_);
      for_each_piece(box.y, size.y.size(), [&](Range y) {
        for_each_piece(box.x, size.x.size(), [&](Range x) {
          work.tile = {y, x};
          by_tile(rows, parts[part], work);
        });
      });
    }
  });
}

bool GroupedConvolution::is_better_by_pixel(const Shadow& rows, const Segment& part) const {
  const Box box = box_of(rows.places, part.begin, part.end, windows_.sources(), windows_.x.in);
  // Of each row of taps that a row of pixels meets; how many these are is the same for both.
  const int64_t reached =
      (box.x.size() - 1 + (windows_.x.kernel - 1) * windows_.x.dilation) / windows_.x.stride + 1;
  const int64_t by_tile = box.y.size() * std::min(reached, windows_.x.out) * windows_.x.stride;
  return part.size() * kCostByPixel < by_tile;
}

void GroupedConvolution::by_pixel(const Shadow& rows, const Segment& part, Work& work) const {
  const float* changes = rows.values.const_data_ptr<float>();
  for (int64_t entry = part.begin; entry < part.end; ++entry) {
    work.meetings.clear();
    windows_.for_each_target(rows.places[static_cast<size_t>(entry)] % windows_.sources(),
                             [&](int64_t target, int64_t tap) {
                               work.meetings.push_back({work.row_of[target], static_cast<int32_t>(tap)});
                             });
    kernels().add_products(work.out, changes + entry * in_channels_, pixel_weights_.data(), out_channels_,
                           work.meetings.data(), static_cast<int64_t>(work.meetings.size()));
  }
}

void GroupedConvolution::by_tile(const Shadow& rows, const Segment& part, Work& work) const {
  collect(rows, part, work);
  if (work.cells.empty()) return;  // and so no pixel of the result is in it
  cut_strips(work);
  const int64_t pixels = work.reads.y.size() * work.reads.x.size();
  const auto lane_rows = static_cast<size_t>((pixels * cell_ + kLanes - 1) / kLanes);
  if (work.packed.size() < lane_rows) work.packed.resize(lane_rows);
  const bool is_full = static_cast<int64_t>(work.cells.size()) == pixels;
  if (!is_full) std::fill_n(work.packed.begin(), lane_rows, LaneRow{});
  for (size_t number = 0; number < lanes_.size(); ++number) {
    const bool has_changes = pack(rows, lanes_[number], work);
    compute(lanes_[number], number, has_changes, work);
  }
}

/// Finds the changed pixels that the tile reads.
void GroupedConvolution::collect(const Shadow& rows, const Segment& part, Work& work) const {
  const int64_t width = windows_.x.in;
  const int64_t first =
      rows.places[static_cast<size_t>(part.begin)] / windows_.sources() * windows_.sources();
  Range over_y = sources_of(windows_.y, work.tile.y);
  over_y = {std::max<int64_t>(over_y.begin, 0), std::min(over_y.end, windows_.y.in)};
  const Range over_x = sources_of(windows_.x, work.tile.x);
  work.cells.clear();
  work.changed = {};
  work.reads = {{}, over_x};
  const auto behind = rows.places.begin() + part.end;
  auto place = rows.places.begin() + part.begin;
  for (int64_t y = over_y.begin; y < over_y.end; ++y) {
    const int64_t row = first + y * width;
    place = std::lower_bound(place, behind, row + std::max<int64_t>(over_x.begin, 0));
    const int64_t end = row + std::min(over_x.end, width);
    for (; place != behind && *place < end; ++place) {
      const int64_t x = *place - row;
      work.changed.y.include(y);
      work.changed.x.include(x);
      const int64_t pixel = (y - work.changed.y.begin) * over_x.size() + x - over_x.begin;
      work.cells.push_back({place - rows.places.begin(), pixel * cell_});
    }
  }
  work.reads.y = work.changed.y;
}

/// Cuts the tile into strips, each with the taps by which it reads changed pixels.
void GroupedConvolution::cut_strips(Work& work) const {
  work.strips.clear();
  for (int64_t y = work.tile.y.begin; y < work.tile.y.end; ++y) {
    const Range taps_y = taps_between(windows_.y, {y, y + 1}, work.changed.y);
    if (taps_y.empty()) continue;
    const int64_t row = (windows_.y.source(y, taps_y.begin) - work.reads.y.begin) * work.reads.x.size();
    for_each_piece(work.tile.x, kTilePixels, [&](Range x) {
      Strip strip{
          .taps_y = taps_y, .taps_x = taps_between(windows_.x, x, work.changed.x), .pixels = x.size()};
      if (strip.taps_x.empty()) return;
      bool has_rows = false;
      for (int64_t i = 0; i < x.size(); ++i) {
        strip.rows[static_cast<size_t>(i)] = work.row_of[y * windows_.x.out + x.begin + i];
        has_rows |= strip.rows[static_cast<size_t>(i)] >= 0;
      }
      if (!has_rows) return;
      const int64_t column = windows_.x.source(x.begin, strip.taps_x.begin) - work.reads.x.begin;
      strip.from = (row + column) * cell_;
      work.strips.push_back(strip);
    });
  }
}

/// Brings the changes that some lanes read beside each other; whether any of them is not 0.
bool GroupedConvolution::pack(const Shadow& rows, const Lanes& lanes, Work& work) const {
  const float* changes = rows.values.const_data_ptr<float>() + lanes.first_in;
  bool has_changes = false;
  for (size_t number = 0; number < work.cells.size(); ++number) {
    if (number + kCellsAhead < work.cells.size())
      __builtin_prefetch(changes + work.cells[number + kCellsAhead].entry * in_channels_);
    const Cell& cell = work.cells[number];
    const float* from = changes + cell.entry * in_channels_;
    float* to = work.packed.front().values.data() + cell.offset;
    if (!is_narrow_) {
      has_changes |= kernels().copy(to, from, depth_);
    } else if (is_depthwise()) {
      has_changes |= kernels().copy(to, from, lanes.count);
    } else {
      has_changes |=
          kernels().spread(to, from, lanes.starts.data(), static_cast<int64_t>(lanes.starts.size()), depth_);
    }
  }
  return has_changes;
}

void GroupedConvolution::compute(const Lanes& lanes, size_t number, bool has_changes, Work& work) const {
  const int64_t width = work.reads.x.size();
  const float* weight =
      lane_weights_.front().values.data() + static_cast<int64_t>(number) * windows_.taps() * depth_ * kLanes;
  ConvolutionTile tile{.is_by_lane = is_narrow_,
                       .depth = depth_,
                       .from_pixel = windows_.x.stride * cell_,
                       .from_y = windows_.y.dilation * width * cell_,
                       .from_x = windows_.x.dilation * cell_,
                       .weight_y = windows_.x.kernel * depth_ * kLanes};
  alignas(LaneRow) std::array<float, kTilePixels * kLanes> sums{};
  for (const Strip& strip : work.strips) {
    if (has_changes) {
      tile.from = work.packed.front().values.data() + strip.from;
      tile.weight = weight + (strip.taps_y.begin * windows_.x.kernel + strip.taps_x.begin) * depth_ * kLanes;
      tile.pixels = strip.pixels;
      tile.taps_y = strip.taps_y.size();
      tile.taps_x = strip.taps_x.size();
      kernels().convolve_tile(sums.data(), tile);
    }
    for (int64_t i = 0; i < strip.pixels; ++i) {
      const int64_t row = strip.rows[static_cast<size_t>(i)];
      if (row >= 0)
        std::copy_n(sums.data() + i * kLanes, lanes.count, work.out + row * out_channels_ + lanes.first);
    }
  }
}

}  // namespace faultwave::wave
