// SPDX-License-Identifier: Apache-2.0
// Entries at new places.
#include <torch/types.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/shadow_entries.h"

namespace faultwave::wave {
namespace {

/// Many are counted into their places, few are sorted. `at_place` and `few` are memory to work in.
void order_segment(Moves& moves, const Segment& part, int64_t count, std::vector<int64_t>& at_place,
                   std::vector<std::pair<int32_t, int64_t>>& few) {
  constexpr int64_t kShareOfMany = 16;
  const auto begin = static_cast<size_t>(part.begin);
  const auto end = static_cast<size_t>(part.end);
  if (std::is_sorted(moves.places.begin() + part.begin, moves.places.begin() + part.end)) return;
  size_t next = begin;
  const auto put = [&](int32_t place, int64_t entry) {
    moves.places[next] = place;
    moves.entries[next++] = entry;
  };
  if (part.size() * kShareOfMany > count) {
    at_place.assign(static_cast<size_t>(count), -1);
    for (size_t i = begin; i < end; ++i)
      at_place[static_cast<size_t>(moves.places[i])] = moves.entries[i];
    for (int64_t place = 0; place < count; ++place) {
      const int64_t entry = at_place[static_cast<size_t>(place)];
      if (entry >= 0) put(static_cast<int32_t>(place), entry);
    }
    return;
  }
  few.clear();
  for (size_t i = begin; i < end; ++i)
    few.emplace_back(moves.places[i], moves.entries[i]);
  std::sort(few.begin(), few.end());
  for (const auto& [place, entry] : few)
    put(place, entry);
}

}  // namespace

Shadow moved(const Shadow& shadow, const Indices& places, int64_t count) {
  Moves moves{shadow.trials, places, Entries(places.size())};
  std::iota(moves.entries.begin(), moves.entries.end(), int64_t{0});
  put_in_order(moves, count);
  Shadow out(shadow.form);
  out.trials = std::move(moves.trials);
  out.places = std::move(moves.places);
  const bool stays = std::is_sorted(moves.entries.begin(), moves.entries.end());
  out.values = stays ? shadow.values : shadow.values.index_select(0, at::tensor(moves.entries, at::kLong));
  return out;
}

void put_in_order(Moves& moves, int64_t count) {
  const std::vector<Segment> parts = segments(moves.trials);
  parallel_for(0, static_cast<int64_t>(parts.size()), 1, [&](int64_t first, int64_t last) {
    std::vector<int64_t> at_place;
    std::vector<std::pair<int32_t, int64_t>> few;
    for (int64_t part = first; part < last; ++part)
      order_segment(moves, parts[static_cast<size_t>(part)], count, at_place, few);
  });
}

}  // namespace faultwave::wave
