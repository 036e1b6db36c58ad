// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "faultwave/error.h"

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

/// The types of values that shadows can be made of: FP32, INT32, INT8. Rules are made for FP32 so far; what
/// is in shadow_forms.h and shadow_entries.h takes all. Integers are exact: INT32 changes and sums are taken
/// modulo 2^32, as INT32 operators do, and changes of INT8 are INT32.
bool is_value_type(at::ScalarType type);
/// Whether it has a type of these, and lies on the CPU.
bool can_have_shadow(const at::Tensor& tensor);

/// work(value) with a value of the type, which has to be FP32, INT32 or INT8: for code that is the same for
/// all. Throws InternalError for any other.
template <typename Work>
decltype(auto) with_type(at::ScalarType type, Work&& work) {
  switch (type) {
    case at::kFloat:
      return work(float{});
    case at::kInt:
      return work(int32_t{});
    case at::kChar:
      return work(int8_t{});
    default:
      throw InternalError("no shadow has values of this type");
  }
}

/// What the entries of a shadow are, and how their values are to be read.
///
/// Note: values and changes. A shadow tells of faulty values, or of changes: faulty minus golden values. A
/// fault sets values. Linear operators make changes of changes without a look at the golden tensor, so behind
/// the first of them that is what is kept, and a batch norm only notes its factors (`scale`) for whoever
/// reads next. A rule gets what it says that it takes (operators/).
struct Form {
  static constexpr int64_t points = -1;

  at::ScalarType type = at::kFloat;  ///< of the golden tensor
  int64_t axis = points;             ///< that rows run along; `points`: an entry is one value
  bool is_change = false;            ///< entries are faulty minus golden values
  int64_t interleave = 1;            ///< a hint: values of one place lie so far apart in a row
  /// Of rows of changes: FP32 [channels] that they have yet to be multiplied by, or undefined.
  at::Tensor scale = {};

  static Form values_of(const at::Tensor& golden, int64_t axis = points) {
    return {.type = golden.scalar_type(), .axis = axis};
  }
  static Form changes_of(const at::Tensor& golden, int64_t axis = points) {
    return {.type = golden.scalar_type(), .axis = axis, .is_change = true};
  }

  /// The same of other rows, or of points. What belongs to the rows that were is gone; a factor must not be.
  Form along(int64_t other) const;
  /// The same rows in a tensor where their axis has another number.
  Form at_axis(int64_t other) const;
  /// Of the same entries: changes that wait for no factor, or values.
  Form without_scale() const;
  Form as_values() const;
  Form as_changes() const;

  bool is_points() const { return axis == points; }
  /// Of a shadow's tensor of values.
  at::ScalarType stored_type() const { return is_change && type == at::kChar ? at::kInt : type; }
};

/// Where the trials of a wave differ from one golden tensor on the CPU. Entries are ordered by trial, then
/// place; none stands twice. An entry may equal the golden value; what has no entry does.
struct Shadow {
  static constexpr int64_t points = Form::points;

  /// Without entries.
  explicit Shadow(Form of) : form(std::move(of)) {}

  Form form;
  Indices trials;     ///< of each entry
  Indices places;     ///< row-major offset of a value, or number of a row
  at::Tensor values;  ///< [entries], or [entries, channels]; contiguous; may be undefined without entries

  int64_t size() const { return static_cast<int64_t>(trials.size()); }
  bool empty() const { return trials.empty(); }
  bool is_points() const { return form.is_points(); }
  /// Values of an entry.
  int64_t width() const { return is_points() ? 1 : values.size(1); }
  int64_t bytes() const {
    return size() * 8 + (values.defined() ? static_cast<int64_t>(values.nbytes()) : 0);
  }
};

/// For values of so many entries of this width; not initialised.
at::Tensor room_for(const Form& form, int64_t entries, int64_t width);

/// The entries of one trial: [begin, end).
struct Segment {
  int32_t trial = 0;
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};
std::vector<Segment> segments(const Shadow& shadow);
/// The same of the trials of entries, which ascend.
std::vector<Segment> segments(const Indices& trials);
/// How many trials have entries.
int64_t count_trials(const Shadow& shadow);
/// Those of this trial; of size 0 where it has none.
Segment segment_of(const Shadow& shadow, int32_t trial);

/// How many entries of this width are worth a thread of their own.
inline int64_t entries_a_thread(int64_t width) {
  return 16384 / width + 1;
}

/// The golden tensor as [rows, channels], contiguous; a view where that is how it lies. By place: an
/// axis of Shadow::points gives [values, 1].
at::Tensor rows_of(const at::Tensor& golden, int64_t axis);
/// The golden values at a shadow's entries, laid out as its values; in memory of their own.
at::Tensor golden_at(const Shadow& shadow, const at::Tensor& golden);

/// A copy of the golden tensor with a trial's entries written into it; contiguous.
at::Tensor materialise(const Shadow& shadow, const Segment& segment, const at::Tensor& golden);

}  // namespace faultwave::wave
