// SPDX-License-Identifier: Apache-2.0
#include "src/wave/for_parts.h"

#include <torch/torch.h>

#include <mutex>

#include <doctest/doctest.h>

namespace faultwave::wave {
namespace {

/// Parts of so many entries each, one behind the other, numbered from 0.
std::vector<Segment> parts_of(const std::vector<int64_t>& sizes, int64_t begin = 0) {
  std::vector<Segment> parts;
  for (const int64_t size : sizes) {
    parts.push_back({static_cast<int32_t>(parts.size()), begin, begin + size});
    begin += size;
  }
  return parts;
}

/// How often each part was visited, and the entries of the largest stretch.
struct Visits {
  std::vector<int> of_part;
  int64_t largest = 0;
};

Visits visits_of(const std::vector<Segment>& parts, size_t first, size_t last) {
  Visits visits{std::vector<int>(parts.size(), 0), 0};
  std::mutex mutex;
  for_parts(parts, first, last, [&](size_t begin, size_t end) {
    const std::lock_guard lock(mutex);
    REQUIRE(begin < end);
    for (size_t part = begin; part < end; ++part)
      ++visits.of_part[part];
    visits.largest = std::max(visits.largest, parts[end - 1].end - parts[begin].begin);
  });
  return visits;
}

TEST_CASE("each part is visited once, whatever their sizes and the number of threads") {
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 3, 7}) {
    at::set_num_threads(threads);
    for (const std::vector<int64_t>& sizes : std::vector<std::vector<int64_t>>{
             {5}, {1, 1}, {1000, 1, 1, 1}, {1, 1, 1, 1000}, {0, 3, 0, 0, 4, 0}, {2, 2, 2, 2, 2, 2, 2, 2}}) {
      const std::vector<Segment> parts = parts_of(sizes, 17);
      CHECK(visits_of(parts, 0, parts.size()).of_part == std::vector<int>(parts.size(), 1));
    }
  }
  at::set_num_threads(before);
}

TEST_CASE("some of the parts") {
  const std::vector<Segment> parts = parts_of({4, 1, 6, 2, 9});
  CHECK(visits_of(parts, 1, 4).of_part == std::vector<int>{0, 1, 1, 1, 0});
  CHECK(visits_of(parts, 2, 2).of_part == std::vector<int>(5, 0));
}

TEST_CASE("stretches are of about as many entries") {
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  // Half of the parts have nearly all of the entries.
  std::vector<int64_t> sizes(10, 100);
  sizes.resize(20, 1);
  const std::vector<Segment> parts = parts_of(sizes);
  CHECK(visits_of(parts, 0, parts.size()).largest <= 600);
  at::set_num_threads(before);
}

}  // namespace
}  // namespace faultwave::wave
