// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "src/common/memory_pool.h"

namespace faultwave::wave {

/// One number for each entry of a shadow: as many bytes as the values of narrow rows.
using Indices = std::vector<int32_t, detail::PoolAllocator<int32_t>>;
using Entries = std::vector<int64_t, detail::PoolAllocator<int64_t>>;

/// How a tensor is cut into rows along one axis: a row is all values whose other coordinates agree (a pixel
/// with all its channels, a token). Rows are numbered row-major over the other axes.
struct RowSpace {
  RowSpace(c10::IntArrayRef shape, int64_t axis);

  int64_t rows = 1;
  int64_t channels = 1;
  int64_t inner = 1;  ///< product of the axes behind the one that rows run along

  /// Row-major offset of a value in the whole tensor.
  int64_t offset(int64_t row, int64_t channel) const {
    return (row / inner * channels + channel) * inner + row % inner;
  }
  int64_t row_of(int64_t offset) const { return offset / (channels * inner) * inner + offset % inner; }
  int64_t channel_of(int64_t offset) const { return offset / inner % channels; }
};

/// Shadows are FP32 on the CPU.
bool can_have_shadow(const at::Tensor& tensor);

/// Where the trials of a wave differ from one golden tensor, which is FP32 on the CPU. Entries are ordered by
/// trial, then place; none stands twice. An entry may equal the golden value; what has no entry does.
///
/// Note: values and changes. A shadow tells of faulty values, or of changes: faulty minus golden values. A
/// fault sets values. Linear operators make changes of changes without a look at the golden tensor, so behind
/// the first of them that is what is kept, and a batch norm only notes its factors (`scale`) for whoever
/// reads next. A rule gets what it says that it takes (rules/all.cpp).
struct Shadow {
  static constexpr int64_t points = -1;

  int64_t axis = points;        ///< that rows run along; `points`: an entry is one value
  Indices trials;               ///< of each entry
  Indices places;               ///< row-major offset of a value, or number of a row
  at::Tensor values;            ///< FP32 [entries], or [entries, channels]; contiguous
  bool is_change = false;       ///< `values` are faulty minus golden values
  int64_t interleave = 1;       ///< a hint: values of one place lie so far apart in a row
  /// Of rows of changes: FP32 [channels] that they have yet to be multiplied by, or undefined.
  at::Tensor scale;

  int64_t size() const { return static_cast<int64_t>(trials.size()); }
  bool empty() const { return trials.empty(); }
  bool is_points() const { return axis == points; }
  /// Values of an entry.
  int64_t width() const { return is_points() ? 1 : values.size(1); }
  int64_t bytes() const { return size() * 8 + (values.defined() ? values.numel() * 4 : 0); }
};

/// The entries of one trial: [begin, end).
struct Segment {
  int32_t trial = 0;
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};
std::vector<Segment> segments(const Shadow& shadow);
/// How many trials have entries.
int64_t count_trials(const Shadow& shadow);
/// Those of this trial; of size 0 where it has none.
Segment segment_of(const Shadow& shadow, int32_t trial);

/// How many entries of this width are worth a thread of their own.
inline int64_t entries_a_thread(int64_t width) {
  return 16384 / width + 1;
}

/// The golden tensor as FP32 [rows, channels], contiguous; a view where that is how it lies. By place: an
/// axis of Shadow::points gives [values, 1].
at::Tensor rows_of(const at::Tensor& golden, int64_t axis);
/// The golden values at a shadow's entries, laid out as its values; in memory of their own.
at::Tensor golden_at(const Shadow& shadow, const at::Tensor& golden);

/// Changes that wait for no factor any more.
Shadow settled(Shadow shadow);
/// The faulty values, golden bit for bit where the change is 0.
Shadow as_values(Shadow shadow, const at::Tensor& golden);
/// Faulty minus golden values; 0 where the bits are the same. Rows keep a factor that they wait for.
Shadow as_changes(Shadow shadow, const at::Tensor& golden);
/// `part` with other values, of the same places: same form and axis as given.
Shadow with_values(const Shadow& part, at::Tensor values, bool is_change);

/// Whole rows in place of points; values without an entry are golden. A shadow of rows along another axis
/// goes by way of points. Changes stay changes.
Shadow to_rows(const Shadow& shadow, const at::Tensor& golden, int64_t axis);
/// One entry for each value that differs: in at least one bit, or by a change that is not 0.
Shadow to_points(const Shadow& shadow, const at::Tensor& golden);

/// Drops entries that equal the golden tensor bit for bit, or whose changes are all 0.
void drop_golden(Shadow& shadow, const at::Tensor& golden);
/// Keeps the entries for which `keep[entry]`, in memory of their own.
void keep_entries(Shadow& shadow, const std::vector<char>& keep);

/// The entries of trials from `begin` to one before `end`; its values are a view.
Shadow slice_of(const Shadow& shadow, int32_t begin, int32_t end);
/// The entries at new places, `places` says which, all below `count`, none twice in a trial; in order again.
Shadow moved(const Shadow& shadow, const Indices& places, int64_t count);
/// Some entries of a shadow, by number, ascending by trial, and where they go.
struct Moves {
  Indices trials;
  Indices places;
  Entries entries;
};
/// Brings the moves of each trial into the order of places, all below `count`.
void put_in_order(Moves& moves, int64_t count);

/// Entries of trials for which `keep[trial]`.
Shadow select_trials(const Shadow& shadow, const std::vector<char>& keep);
/// Puts shadows of different trials together; both are of `golden`. The result has rows where one has, and
/// changes where one has them.
Shadow merge(const Shadow& a, const Shadow& b, const at::Tensor& golden);

/// Shadows of one form, the entries of `later` behind those of `earlier`: of later trials, or of later places
/// of the same trial.
Shadow behind(Shadow earlier, const Shadow& later);

/// Puts shadows together that may have trials and places in common. There, a value of `b` counts if it
/// differs from the golden one in any bit, else that of `a`. Both have rows along the same axis, or points,
/// and both tell of values, or both of changes.
Shadow overlay(const Shadow& a, const Shadow& b, const at::Tensor& golden);

/// A copy of the golden tensor with a trial's entries written into it; contiguous.
at::Tensor materialise(const Shadow& shadow, const Segment& segment, const at::Tensor& golden);

/// Points under construction: trials come in ascending order.
class PointList {
 public:
  void add(int32_t trial, int32_t offset, float value);
  /// Those values of `faulty` that differ in at least one bit.
  void add_differences(int32_t trial, const at::Tensor& golden, const at::Tensor& faulty);
  Shadow take();

 private:
  Shadow shadow_;
  std::vector<float> values_;
};

}  // namespace faultwave::wave
