// SPDX-License-Identifier: Apache-2.0
// Entries that are dropped or cut out.
#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/shadow_entries.h"
#include "src/wave/shadow_values.h"

namespace faultwave::wave {
namespace {

/// Which entries differ. `Stored` is the type of the shadow's values.
template <typename Stored>
std::vector<char> differing(const Shadow& shadow, const at::Tensor& golden) {
  const int64_t width = shadow.width();
  const at::Tensor rows = shadow.form.is_change ? at::Tensor() : rows_of(golden, shadow.form.axis);
  const Stored* from = shadow.form.is_change ? nullptr : rows.const_data_ptr<Stored>();
  const Stored* values = shadow.values.const_data_ptr<Stored>();
  std::vector<char> differs(shadow.trials.size());
  parallel_for(0, shadow.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const auto at = static_cast<size_t>(entry);
      const Stored* own = values + entry * width;
      differs[at] = shadow.form.is_change
                        ? std::any_of(own, own + width, [](Stored change) { return change != 0; })
                        : !is_same_value(own, from + shadow.places[at] * width, width);
    }
  });
  return differs;
}

}  // namespace

void drop_golden(Shadow& shadow, const at::Tensor& golden) {
  if (shadow.empty()) return;
  keep_entries(shadow, with_type(shadow.form.stored_type(),
                                 [&](auto type) { return differing<decltype(type)>(shadow, golden); }));
}

void keep_entries(Shadow& shadow, const std::vector<char>& keep) {
  constexpr int64_t kStretch = 4096;
  const int64_t stretches = (shadow.size() + kStretch - 1) / kStretch;
  std::vector<int64_t> first(static_cast<size_t>(stretches) + 1, 0);  // kept before each stretch
  for (int64_t stretch = 0; stretch < stretches; ++stretch) {
    const auto begin = keep.begin() + stretch * kStretch;
    const auto end = keep.begin() + std::min((stretch + 1) * kStretch, shadow.size());
    first[static_cast<size_t>(stretch) + 1] =
        first[static_cast<size_t>(stretch)] + std::count_if(begin, end, [](char k) { return k != 0; });
  }
  const int64_t kept = first.back();
  if (kept == shadow.size()) return;
  const int64_t width = shadow.width();
  const auto bytes = width * static_cast<int64_t>(shadow.values.element_size());
  const char* from = static_cast<const char*>(shadow.values.const_data_ptr());
  const at::Tensor values = room_for(shadow.form, kept, width);
  char* to = static_cast<char*>(values.mutable_data_ptr());
  Indices trials(static_cast<size_t>(kept));
  Indices places(static_cast<size_t>(kept));
  parallel_for(0, stretches, 1, [&](int64_t begin, int64_t end) {
    auto next = static_cast<size_t>(first[static_cast<size_t>(begin)]);
    for (int64_t entry = begin * kStretch; entry < std::min(end * kStretch, shadow.size()); ++entry) {
      const auto at = static_cast<size_t>(entry);
      if (!keep[at]) continue;
      trials[next] = shadow.trials[at];
      places[next] = shadow.places[at];
      std::memcpy(to + static_cast<int64_t>(next) * bytes, from + entry * bytes, static_cast<size_t>(bytes));
      ++next;
    }
  });
  shadow.trials = std::move(trials);
  shadow.places = std::move(places);
  shadow.values = values;
}

Shadow select_trials(const Shadow& shadow, const std::vector<char>& keep) {
  std::vector<char> keep_entry(shadow.trials.size());
  std::transform(shadow.trials.begin(), shadow.trials.end(), keep_entry.begin(),
                 [&](int32_t trial) { return keep[static_cast<size_t>(trial)]; });
  Shadow selected = shadow;
  keep_entries(selected, keep_entry);
  return selected;
}

Shadow slice_of(const Shadow& shadow, int32_t begin, int32_t end) {
  const auto first = std::lower_bound(shadow.trials.begin(), shadow.trials.end(), begin);
  const auto last = std::lower_bound(first, shadow.trials.end(), end);
  const auto from = first - shadow.trials.begin();
  const auto to = last - shadow.trials.begin();
  if (from == 0 && to == shadow.size()) return shadow;
  Shadow slice(shadow.form);
  slice.trials.assign(first, last);
  slice.places.assign(shadow.places.begin() + from, shadow.places.begin() + to);
  slice.values = shadow.values.narrow(0, from, to - from);
  return slice;
}

}  // namespace faultwave::wave
