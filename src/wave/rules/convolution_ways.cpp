// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/convolution_ways.h"

#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "src/wave/for_parts.h"
#include "src/wave/kernels/kernels.h"
#include "src/wave/rules/convolution_costs.h"
#include "src/wave/rules/product.h"

namespace faultwave::wave {
namespace {

// What a product reads or writes at a time, so that it stays near the processor and is worth a call.
constexpr int64_t kBytesAtOnce = int64_t{32} << 20;
// Trials that lie side by side go one way, until they have so many rows: small products cost more than they
// compute.
constexpr int64_t kRowsTogether = 1024;

/// add(values of `to`, entry, meetings) for each entry of some parts, after their rows of `to` have become 0:
/// an entry meets the targets that read it, each by one tap.
template <typename Add>
void add_to_targets(const Windows& windows, const Shadow& rows, const std::vector<Segment>& parts,
                    size_t first_part, size_t last_part, TargetRows& to, Add&& add) {
  const int64_t width = to.shadow.width();
  float* out = to.shadow.values.mutable_data_ptr<float>();
  for_parts(parts, first_part, last_part, [&](size_t first, size_t last) {
    EntryOfPixel row_of(windows.targets());
    std::vector<Meeting> meetings;
    for (size_t part = first; part < last; ++part) {
      row_of.number(to.shadow, to.begin(part), to.end(part));
      std::fill_n(out + to.begin(part) * width, to.size(part) * width, 0.0f);
      for (int64_t entry = parts[part].begin; entry < parts[part].end; ++entry) {
        meetings.clear();
        windows.for_each_target(rows.places[static_cast<size_t>(entry)] % windows.sources(),
                                [&](int64_t target, int64_t tap) {
                                  meetings.push_back({row_of[target], static_cast<int32_t>(tap)});
                                });
        add(out, entry, meetings);
      }
    }
  });
}

}  // namespace

ConvolutionWays::ConvolutionWays(const Call& call)
    : call_(call),
      input_(call.tensor(0)),
      weight_(call.tensor(1)),
      stride_(call.argument("stride").toIntVector()),
      padding_(call.argument("padding").toIntVector()),
      dilation_(call.argument("dilation").toIntVector()),
      groups_(call.argument("groups").toInt()),
      windows_(Windows::over(input_, call.result(), weight_.sizes().slice(2), stride_, padding_, dilation_)),
      in_channels_(input_.size(1)),
      out_channels_(call.result().size(1)) {
  const at::Tensor scale = call.shadow_of(0)->form.scale;
  if (!scale.defined()) return;
  // Input channels of a filter are those of its group.
  const at::Tensor by_group =
      scale.view({groups_, 1, in_channels_ / groups_}).expand({groups_, out_channels_ / groups_, -1});
  weight_ = weight_ * by_group.reshape({out_channels_, in_channels_ / groups_, 1, 1});
}

bool ConvolutionWays::is_pointwise() const {
  return windows_.taps() == 1 && groups_ == 1 && windows_.y.padding == 0 && windows_.x.padding == 0;
}

Shadow ConvolutionWays::of_points(const Shadow& points) const {
  const RowSpace space(input_.sizes(), 1);
  Shadow pixels(points.form);  // an entry for each point, at its pixel
  pixels.trials = points.trials;
  for (const int32_t place : points.places)
    pixels.places.push_back(static_cast<int32_t>(space.row_of(place)));
  const Shadow changes = as_changes(points, input_);
  const float* change = changes.values.const_data_ptr<float>();
  const at::Tensor packed = weight_.permute({1, 2, 3, 0}).contiguous();  // in of a group, taps, out
  const float* weight = packed.const_data_ptr<float>();
  const int64_t group_in = in_channels_ / groups_;
  const int64_t group_out = out_channels_ / groups_;
  const int64_t taps = windows_.taps();
  const std::vector<Segment> parts = segments_by_map(pixels, windows_.sources());
  TargetRows targets(pixels, parts, windows_, windows_.dirty_targets(pixels, parts),
                     Form::changes_of(input_, 1), out_channels_);
  add_to_targets(windows_, pixels, parts, 0, parts.size(), targets,
                 [&](float* out, int64_t entry, const std::vector<Meeting>& meetings) {
                   const int64_t channel = space.channel_of(points.places[static_cast<size_t>(entry)]);
                   const int64_t first_out = channel / group_in * group_out;
                   kernels().add_columns(out + first_out, out_channels_,
                                         weight + channel % group_in * taps * out_channels_ + first_out,
                                         out_channels_, change[entry], group_out, meetings.data(),
                                         static_cast<int64_t>(meetings.size()));
                 });
  return std::move(targets.shadow);
}

Shadow ConvolutionWays::of_rows(const Shadow& rows) const {
  if (is_pointwise()) {
    call_.note_way("pointwise");
    return pointwise(rows);
  }
  if (is_depthwise()) {
    call_.note_way("depthwise");
    return depthwise(rows);
  }
  const std::vector<Segment> parts = segments_by_map(rows, windows_.sources());
  PixelsOfParts dirty = windows_.dirty_targets(rows, parts);
  const std::vector<Way> ways = best_ways(parts, dirty);
  return by_ways(rows, parts, std::move(dirty), ways);
}

Shadow ConvolutionWays::of_rows_by(Way way, const Shadow& rows) const {
  const std::vector<Segment> parts = segments_by_map(rows, windows_.sources());
  return by_ways(rows, parts, windows_.dirty_targets(rows, parts), std::vector<Way>(parts.size(), way));
}

Shadow ConvolutionWays::by_ways(const Shadow& rows, const std::vector<Segment>& parts, PixelsOfParts dirty,
                                const std::vector<Way>& ways) const {
  for (size_t part = 0; part < parts.size(); ++part) {
    if (ways[part] == Way::dense) dirty[part] = windows_.all_targets();
  }
  TargetRows targets(rows, parts, windows_, dirty, Form::changes_of(input_, 1), out_channels_);
  for (const Run& run : runs(parts, ways, targets)) {
    switch (run.way) {
      case Way::scattered:
        call_.note_way("scattered rows");
        scatter(rows, parts, run, targets);
        break;
      case Way::gathered:
        call_.note_way("gathered rows");
        gather(rows, parts, run, targets);
        break;
      case Way::dense:
        call_.note_way("whole maps");
        convolve(rows, parts, run, targets);
        break;
    }
  }
  return std::move(targets.shadow);
}

ConvolutionWays::Costs ConvolutionWays::costs_of(int64_t rows, int64_t targets) const {
  const ConvolutionCosts& costs = convolution_costs();
  const auto taps = static_cast<double>(windows_.taps());
  const auto in = static_cast<double>(in_channels_);
  const auto out = static_cast<double>(out_channels_);
  const double filling =
      rows == windows_.sources() ? 0 : static_cast<double>(windows_.sources()) * in * costs.moved;
  return {.scattered = static_cast<double>(rows) * taps * out * (in * costs.product + 2 * costs.moved),
          .gathered = static_cast<double>(targets) *
                      (taps * in * (out * costs.product + costs.moved) + out * costs.moved),
          .dense = static_cast<double>(windows_.targets()) * out * (taps * in * costs.dense + costs.moved) +
                   filling};
}

std::vector<ConvolutionWays::Way> ConvolutionWays::best_ways(const std::vector<Segment>& parts,
                                                             const PixelsOfParts& dirty) const {
  if (groups_ != 1) return std::vector<Way>(parts.size(), Way::dense);
  std::vector<Way> ways;
  Costs sum;
  int64_t rows = 0;
  for (size_t part = 0; part < parts.size(); ++part) {
    const Costs own = costs_of(parts[part].size(), static_cast<int64_t>(dirty[part].size()));
    sum.scattered += own.scattered;
    sum.gathered += own.gathered;
    sum.dense += own.dense;
    rows += parts[part].size();
    if (rows < kRowsTogether && part + 1 < parts.size()) continue;
    ways.resize(part + 1, sum.best());
    sum = {};
    rows = 0;
  }
  return ways;
}

std::vector<ConvolutionWays::Run> ConvolutionWays::runs(const std::vector<Segment>& parts,
                                                        const std::vector<Way>& ways,
                                                        const TargetRows& targets) const {
  const int64_t taps = windows_.taps();
  const auto bytes_of = [&](size_t part) {
    switch (ways[part]) {
      case Way::scattered:
        return parts[part].size() * taps * out_channels_ * 4;
      case Way::gathered:
        return targets.size(part) * taps * in_channels_ * 4;
      case Way::dense:
        return std::max(windows_.sources() * in_channels_, windows_.targets() * out_channels_) * 4;
    }
    return int64_t{0};
  };
  std::vector<Run> runs;
  int64_t bytes = 0;
  for (size_t part = 0; part < parts.size(); ++part) {
    const bool goes_on =
        !runs.empty() && runs.back().way == ways[part] && bytes + bytes_of(part) <= kBytesAtOnce;
    if (!goes_on) {
      runs.push_back({part, part, ways[part]});
      bytes = 0;
    }
    runs.back().last = part + 1;
    bytes += bytes_of(part);
  }
  return runs;
}

Shadow ConvolutionWays::rows_on_grid(const Shadow& rows) const {
  Shadow read(rows.form.without_scale());
  Entries entries;
  for (int64_t entry = 0; entry < rows.size(); ++entry) {
    const int64_t place = rows.places[static_cast<size_t>(entry)];
    const int64_t map = place / windows_.sources();
    windows_.for_each_target(place % windows_.sources(), [&](int64_t target, int64_t) {
      entries.push_back(entry);
      read.trials.push_back(rows.trials[static_cast<size_t>(entry)]);
      read.places.push_back(static_cast<int32_t>(map * windows_.targets() + target));
    });
  }
  read.values = rows.values.index_select(0, at::tensor(entries, at::kLong));
  return read;
}

Shadow ConvolutionWays::pointwise(const Shadow& rows) const {
  const at::Tensor weight = weight_.view({out_channels_, in_channels_});
  const bool keeps_pixels = windows_.y.stride == 1 && windows_.x.stride == 1;
  const Shadow read = keeps_pixels ? rows : rows_on_grid(rows);
  if (read.empty()) return Shadow(Form::changes_of(input_, 1));
  call_.count(static_cast<double>(read.size()) * static_cast<double>(weight.numel()));
  return with_values(read, product(read.values, weight), Form::changes_of(input_, 1));
}

Shadow ConvolutionWays::depthwise(const Shadow& rows) const {
  const std::vector<Segment> parts = segments_by_map(rows, windows_.sources());
  TargetRows targets(rows, parts, windows_, windows_.dirty_targets(rows, parts), Form::changes_of(input_, 1),
                     out_channels_);
  const float* changes = rows.values.const_data_ptr<float>();
  const at::Tensor packed = weight_.permute({1, 2, 3, 0}).contiguous();  // 1, taps, out
  const float* weight = packed.const_data_ptr<float>();
  add_to_targets(windows_, rows, parts, 0, parts.size(), targets,
                 [&](float* out, int64_t entry, const std::vector<Meeting>& meetings) {
                   kernels().add_products(out, changes + entry * in_channels_, weight, out_channels_,
                                          meetings.data(), static_cast<int64_t>(meetings.size()));
                 });
  call_.count(static_cast<double>(rows.size() * windows_.taps() * out_channels_));
  return std::move(targets.shadow);
}

void ConvolutionWays::scatter(const Shadow& rows, const std::vector<Segment>& parts, const Run& run,
                              TargetRows& to) const {
  const int64_t begin = parts[run.first].begin;
  const int64_t count = parts[run.last - 1].end - begin;
  const int64_t width = windows_.taps() * out_channels_;
  const at::Tensor weight = weight_.permute({2, 3, 0, 1}).reshape({width, in_channels_});  // taps, out
  const at::Tensor taps = product(rows.values.narrow(0, begin, count), weight);
  call_.count(static_cast<double>(count) * static_cast<double>(weight.numel()));
  const float* from = taps.const_data_ptr<float>();
  add_to_targets(windows_, rows, parts, run.first, run.last, to,
                 [&](float* out, int64_t entry, const std::vector<Meeting>& meetings) {
                   kernels().add_taps(out, from + (entry - begin) * width, out_channels_, meetings.data(),
                                      static_cast<int64_t>(meetings.size()));
                 });
}

void ConvolutionWays::gather(const Shadow& rows, const std::vector<Segment>& parts, const Run& run,
                             TargetRows& to) const {
  const int64_t begin = to.begin(run.first);
  const int64_t count = to.end(run.last - 1) - begin;
  const int64_t width = windows_.taps() * in_channels_;
  const at::Tensor read = at::empty({count, width}, at::kFloat);
  float* out = read.mutable_data_ptr<float>();
  const float* from = rows.values.const_data_ptr<float>();
  for_parts(parts, run.first, run.last, [&](size_t first, size_t last) {
    EntryOfPixel entry_of(windows_.sources());
    for (size_t part = first; part < last; ++part) {
      entry_of.number(rows, parts[part].begin, parts[part].end);
      for (int64_t row = to.begin(part); row < to.end(part); ++row) {
        float* taps = out + (row - begin) * width;
        std::fill_n(taps, width, 0.0f);
        windows_.for_each_source(
            to.shadow.places[static_cast<size_t>(row)] % windows_.targets(), [&](int64_t pixel, int64_t tap) {
              const int64_t entry = entry_of[pixel];
              if (entry < 0) return;
              std::copy_n(from + entry * in_channels_, in_channels_, taps + tap * in_channels_);
            });
      }
    }
  });
  const at::Tensor weight = weight_.permute({0, 2, 3, 1}).reshape({out_channels_, width});
  call_.count(static_cast<double>(count) * static_cast<double>(weight.numel()));
  to.shadow.values.narrow(0, begin, count).copy_(product(read, weight));
}

void ConvolutionWays::convolve(const Shadow& rows, const std::vector<Segment>& parts, const Run& run,
                               TargetRows& to) const {
  const auto maps = static_cast<int64_t>(run.last - run.first);
  const int64_t pixels = windows_.sources();
  const int64_t begin = parts[run.first].begin;
  const int64_t count = parts[run.last - 1].end - begin;
  at::Tensor changes = rows.values.narrow(0, begin, count);
  if (count != maps * pixels) {  // else the rows are whole maps already
    const at::Tensor whole = at::zeros({maps * pixels, in_channels_}, at::kFloat);
    float* out = whole.mutable_data_ptr<float>();
    const float* from = rows.values.const_data_ptr<float>();
    for_parts(parts, run.first, run.last, [&](size_t first, size_t last) {
      for (size_t part = first; part < last; ++part) {
        for (int64_t entry = parts[part].begin; entry < parts[part].end; ++entry) {
          const auto map = static_cast<int64_t>(part - run.first);
          const int64_t pixel = rows.places[static_cast<size_t>(entry)] % pixels;
          std::copy_n(from + entry * in_channels_, in_channels_, out + (map * pixels + pixel) * in_channels_);
        }
      }
    });
    changes = whole;
  }
  const at::Tensor stacked =
      changes.view({maps, windows_.y.in, windows_.x.in, in_channels_}).permute({0, 3, 1, 2});
  const at::Tensor weight = weight_.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor result = at::conv2d(stacked, weight, {}, stride_, padding_, dilation_, groups_);
  call_.count(static_cast<double>(maps * windows_.targets()) * static_cast<double>(weight.numel()));
  to.shadow.values.narrow(0, to.begin(run.first), maps * windows_.targets())
      .copy_(result.permute({0, 2, 3, 1}).reshape({maps * windows_.targets(), out_channels_}));
}

}  // namespace faultwave::wave
