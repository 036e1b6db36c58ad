// SPDX-License-Identifier: Apache-2.0
// Convolution works on what differs: out = golden out + W * (value - golden value). Three ways to multiply:
// - points (the first convolution behind a fault): a column of the weight, scaled, is added to the pixels
// that read it;
// - rows that are few: one product [rows, in channels] x [in channels, taps * out channels], whose taps are
// then added where they belong, so that pixels that are golden cost nothing;
// - rows that fill the map: the library's own convolution of the stacked differences.
// Depthwise, each row is multiplied channel by channel instead.
#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "src/wave/rule.h"
#include "src/wave/rules/product.h"
#include "src/wave/rules/window.h"

namespace faultwave::wave {
namespace {

// From this share of the map on, the dense convolution is faster, though it multiplies golden pixels too: it
// reaches more than twice the arithmetic rate of the product and adds no taps.
constexpr double kDenseShare = 0.4;
// From so many points a pixel on, a product of whole rows is faster than adding a column for each point.
constexpr int64_t kPointsOfARow = 4;
// Differences of so many bytes are multiplied at a time.
constexpr int64_t kProductBytes = int64_t{64} << 20;

void add_scaled(float* to, const float* from, float factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] += factor * from[i];
}

void add(float* to, const float* from, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] += from[i];
}

void add_product(float* to, const float* a, const float* b, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] += a[i] * b[i];
}

class Convolution {
 public:
  explicit Convolution(const Call& call)
      : input_(call.tensor(0)),
        weight_(call.tensor(1)),
        result_(call.result()),
        stride_(call.arguments[3].toIntVector()),
        padding_(call.arguments[4].toIntVector()),
        dilation_(call.arguments[5].toIntVector()),
        groups_(call.arguments[6].toInt()),
        windows_(Windows::over(input_, result_, weight_.sizes().slice(2), stride_, padding_, dilation_)),
        in_channels_(input_.size(1)),
        out_channels_(result_.size(1)) {}

  bool is_depthwise() const { return groups_ == in_channels_ && groups_ == out_channels_; }

  Shadow of_points(const Shadow& points) const {
    // Points of a pixel are handled as an entry at that pixel.
    const RowSpace space(input_.sizes(), 1);
    Shadow pixels = points;
    for (int32_t& place : pixels.places)
      place = static_cast<int32_t>(space.row_of(place));
    const at::Tensor golden = input_.contiguous();
    const float* before = golden.const_data_ptr<float>();
    const float* values = points.values.const_data_ptr<float>();
    const at::Tensor packed = weight_.permute({1, 2, 3, 0}).contiguous();  // in of a group, taps, out
    const float* weight = packed.const_data_ptr<float>();
    const int64_t group_in = in_channels_ / groups_;
    const int64_t group_out = out_channels_ / groups_;
    const int64_t taps = windows_.taps();
    return accumulate(pixels, [&](const Segment& part, const std::vector<int64_t>& row_of, float* out) {
      for (int64_t entry = part.begin; entry < part.end; ++entry) {
        const int64_t place = points.places[static_cast<size_t>(entry)];
        const float change = values[entry] - before[place];
        const int64_t channel = space.channel_of(place);
        const int64_t first_out = channel / group_in * group_out;
        const float* columns = weight + channel % group_in * taps * out_channels_ + first_out;
        windows_.for_each_target(space.row_of(place), [&](int64_t target, int64_t tap) {
          add_scaled(out + row_of[static_cast<size_t>(target)] * out_channels_ + first_out,
                     columns + tap * out_channels_, change, group_out);
        });
      }
    });
  }

  Shadow of_rows_depthwise(const Shadow& rows) const {
    const at::Tensor changes = differences(rows);
    const float* change = changes.const_data_ptr<float>();
    const at::Tensor packed = weight_.permute({1, 2, 3, 0}).contiguous();  // 1, taps, out
    const float* weight = packed.const_data_ptr<float>();
    return accumulate(rows, [&](const Segment& part, const std::vector<int64_t>& row_of, float* out) {
      for (int64_t entry = part.begin; entry < part.end; ++entry) {
        windows_.for_each_target(rows.places[static_cast<size_t>(entry)], [&](int64_t target, int64_t tap) {
          add_product(out + row_of[static_cast<size_t>(target)] * out_channels_,
                      change + entry * in_channels_, weight + tap * out_channels_, out_channels_);
        });
      }
    });
  }

  Shadow of_few_rows(const Shadow& rows) const {
    const at::Tensor changes = differences(rows);
    const int64_t width = windows_.taps() * out_channels_;
    const at::Tensor weight = weight_.permute({2, 3, 0, 1}).reshape({width, in_channels_});  // taps, out
    const std::vector<Segment> parts = segments(rows);
    TargetRows targets = zeroed(rows, parts);
    float* out = targets.shadow.values.mutable_data_ptr<float>();
    const int64_t most = std::max<int64_t>(kProductBytes / (width * 4), 1);
    for (size_t first = 0; first < parts.size();) {
      size_t last = first + 1;
      while (last < parts.size() && parts[last].end - parts[first].begin <= most)
        ++last;
      const int64_t begin = parts[first].begin;
      const at::Tensor taps = product(changes.narrow(0, begin, parts[last - 1].end - begin), weight);
      const float* from = taps.const_data_ptr<float>();
      for_parts(first, last, targets, [&](size_t part, const std::vector<int64_t>& row_of) {
        for (int64_t entry = parts[part].begin; entry < parts[part].end; ++entry) {
          windows_.for_each_target(rows.places[static_cast<size_t>(entry)], [&](int64_t target, int64_t tap) {
            add(out + row_of[static_cast<size_t>(target)] * out_channels_,
                from + (entry - begin) * width + tap * out_channels_, out_channels_);
          });
        }
      });
      first = last;
    }
    return finished(std::move(targets));
  }

  Shadow of_many_rows(const Shadow& rows) const {
    const at::Tensor changes = differences(rows);
    const std::vector<Segment> parts = segments(rows);
    const int64_t in_pixels = windows_.y.in * windows_.x.in;
    const int64_t out_pixels = windows_.targets();
    const int64_t most = std::max<int64_t>(
        kProductBytes / (4 * std::max(in_pixels * in_channels_, out_pixels * out_channels_)), 1);
    const at::Tensor weight = weight_.contiguous(at::MemoryFormat::ChannelsLast);
    Shadow out;
    out.axis = 1;
    out.values = at::empty({static_cast<int64_t>(parts.size()) * out_pixels, out_channels_}, at::kFloat);
    for (const Segment& part : parts) {
      out.trials.insert(out.trials.end(), static_cast<size_t>(out_pixels), part.trial);
      for (int64_t pixel = 0; pixel < out_pixels; ++pixel)
        out.places.push_back(static_cast<int32_t>(pixel));
    }
    const auto count = static_cast<int64_t>(parts.size());
    for (int64_t first = 0; first < count; first += most) {
      const int64_t some = std::min(most, count - first);
      at::Tensor maps = at::zeros({some * in_pixels, in_channels_}, at::kFloat);
      float* to = maps.mutable_data_ptr<float>();
      const float* from = changes.const_data_ptr<float>();
      for (int64_t i = 0; i < some; ++i) {
        const Segment& part = parts[static_cast<size_t>(first + i)];
        for (int64_t entry = part.begin; entry < part.end; ++entry) {
          const int64_t pixel = rows.places[static_cast<size_t>(entry)];
          std::copy_n(from + entry * in_channels_, in_channels_, to + (i * in_pixels + pixel) * in_channels_);
        }
      }
      const at::Tensor stacked =
          maps.view({some, windows_.y.in, windows_.x.in, in_channels_}).permute({0, 3, 1, 2});
      const at::Tensor dense = at::conv2d(stacked, weight, {}, stride_, padding_, dilation_, groups_);
      out.values.narrow(0, first * out_pixels, some * out_pixels)
          .copy_(dense.permute({0, 2, 3, 1}).reshape({some * out_pixels, out_channels_}));
    }
    add_golden(out);
    return out;
  }

  int64_t pixels() const { return windows_.y.in * windows_.x.in; }

 private:
  at::Tensor differences(const Shadow& rows) const {
    at::Tensor changes = golden_at(rows, input_);
    return at::sub_out(changes, rows.values, changes);
  }

  TargetRows zeroed(const Shadow& in, const std::vector<Segment>& parts) const {
    TargetRows targets(in, parts, windows_, out_channels_);
    targets.shadow.values.zero_();
    return targets;
  }

  /// work(part, number of a row by pixel) for each part from `first` to one before `last`, in parallel.
  template <typename Work>
  void for_parts(size_t first, size_t last, const TargetRows& targets, Work&& work) const {
    at::parallel_for(static_cast<int64_t>(first), static_cast<int64_t>(last), 1,
                     [&](int64_t begin, int64_t end) {
                       std::vector<int64_t> row_of;
                       for (int64_t part = begin; part < end; ++part) {
                         targets.number_pixels(static_cast<size_t>(part), windows_.targets(), row_of);
                         work(static_cast<size_t>(part), row_of);
                       }
                     });
  }

  template <typename Work>
  Shadow accumulate(const Shadow& in, Work&& work) const {
    const std::vector<Segment> parts = segments(in);
    TargetRows targets = zeroed(in, parts);
    float* out = targets.shadow.values.mutable_data_ptr<float>();
    for_parts(0, parts.size(), targets,
              [&](size_t part, const std::vector<int64_t>& row_of) { work(parts[part], row_of, out); });
    return finished(std::move(targets));
  }

  void add_golden(Shadow& out) const {
    const at::Tensor golden = rows_of(result_, 1);
    const float* from = golden.const_data_ptr<float>();
    float* to = out.values.mutable_data_ptr<float>();
    at::parallel_for(0, out.size(), 256, [&](int64_t begin, int64_t end) {
      for (int64_t entry = begin; entry < end; ++entry)
        add(to + entry * out_channels_, from + out.places[static_cast<size_t>(entry)] * out_channels_,
            out_channels_);
    });
    drop_golden(out, result_);
  }

  Shadow finished(TargetRows targets) const {
    add_golden(targets.shadow);
    return std::move(targets.shadow);
  }

  at::Tensor input_;
  at::Tensor weight_;
  at::Tensor result_;
  std::vector<int64_t> stride_;
  std::vector<int64_t> padding_;
  std::vector<int64_t> dilation_;
  int64_t groups_;
  Windows windows_;
  int64_t in_channels_;
  int64_t out_channels_;
};

/// Trials whose rows are many, by trial number.
std::vector<char> trials_that_fill(const Shadow& rows, int64_t pixels) {
  std::vector<char> fill(rows.empty() ? 0 : static_cast<size_t>(rows.trials.back()) + 1, 0);
  for (const Segment& part : segments(rows)) {
    fill[static_cast<size_t>(part.trial)] =
        static_cast<double>(part.size()) >= kDenseShare * static_cast<double>(pixels);
  }
  return fill;
}

}  // namespace

// conv2d(input, weight, bias, stride, padding, dilation, groups) of a map [1, channels, height, width].
std::optional<std::vector<Shadow>> convolution_rule(const Call& call) {
  const bool fits = call.is_only_shadowed(0) && call.arguments[4].isIntList() && call.tensor(0).dim() == 4 &&
                    call.tensor(0).size(0) == 1;
  if (!fits) return std::nullopt;
  const Convolution convolution(call);
  const Shadow& in = *call.shadow_of(0);
  const Shadow rows = to_rows(in, call.tensor(0), 1);
  if (in.is_points() && in.size() < kPointsOfARow * rows.size()) {
    call.note_way("points");
    return std::vector<Shadow>{convolution.of_points(in)};
  }
  if (convolution.is_depthwise()) {
    call.note_way("depthwise");
    return std::vector<Shadow>{convolution.of_rows_depthwise(rows)};
  }

  std::vector<char> keep = trials_that_fill(rows, convolution.pixels());
  const bool is_grouped = call.arguments[6].toInt() != 1;
  if (is_grouped) std::fill(keep.begin(), keep.end(), 1);
  const Shadow many = select_trials(rows, keep);
  for (char& trial : keep)
    trial = !trial;
  const Shadow few = select_trials(rows, keep);
  if (!few.empty()) call.note_way("rows");
  if (!many.empty()) call.note_way("whole maps");
  const Shadow out_many = many.empty() ? Shadow{} : convolution.of_many_rows(many);
  const Shadow out_few = few.empty() ? Shadow{} : convolution.of_few_rows(few);
  return std::vector<Shadow>{merge(out_few, out_many, call.result())};
}

}  // namespace faultwave::wave
