// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/sparse_product.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>
#include <vector>

#include "src/wave/kernels/kernels.h"
#include "src/wave/rules/product.h"

namespace faultwave::wave {
namespace {

// Smaller products are not worth the look at their zeros.
constexpr int64_t kLeastRows = 64;
constexpr int64_t kLeastWeight = int64_t{1} << 20;
// Rows of a group, below which picking columns of the weight costs more than it saves.
constexpr size_t kRowsOfAGroup = 256;
// A group grows while its pixels grow by less than that.
constexpr double kMostGrowth = 1.25;
// Columns that fewer rows have are added one by one.
constexpr double kRare = 0.02;
// A row with more values than that outside of common columns is kept apart.
constexpr double kWild = 0.05;
// With more columns than that, the plain product is as fast.
constexpr double kNearlyAll = 0.85;

using Numbers = std::vector<int64_t>;

at::Tensor tensor_of(const Numbers& numbers) {
  return at::tensor(numbers, at::kLong);
}

/// For each row the pixels in which a value is not 0, as bits.
std::vector<uint64_t> pixels_of(const at::Tensor& rows, int64_t interleave) {
  std::vector<uint64_t> pixels(static_cast<size_t>(rows.size(0)), 0);
  const float* values = rows.const_data_ptr<float>();
  const int64_t width = rows.size(1);
  at::parallel_for(0, rows.size(0), 4, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      uint64_t bits = 0;
      for (int64_t first = 0; first < width; first += interleave) {
        const float* channel = values + row * width + first;
        for (int64_t pixel = 0; pixel < interleave; ++pixel)
          bits |= static_cast<uint64_t>(channel[pixel] != 0) << pixel;
      }
      pixels[static_cast<size_t>(row)] = bits;
    }
  });
  return pixels;
}

/// How many rows have each column.
std::vector<int32_t> counts_of(const at::Tensor& rows) {
  const int64_t width = rows.size(1);
  std::vector<int32_t> counts(static_cast<size_t>(width), 0);
  const float* values = rows.const_data_ptr<float>();
  at::parallel_for(0, width, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t row = 0; row < rows.size(0); ++row) {
      for (int64_t column = begin; column < end; ++column)
        counts[static_cast<size_t>(column)] += values[row * width + column] != 0;
    }
  });
  return counts;
}

/// Rows with few values but in columns that most rows have, and the others: those of large faults, which
/// bring many a unit across zero.
std::vector<Numbers> tame_and_wild(const at::Tensor& rows) {
  const std::vector<int32_t> counts = counts_of(rows);
  const int64_t width = rows.size(1);
  const float* values = rows.const_data_ptr<float>();
  std::vector<Numbers> groups(2);
  for (int64_t row = 0; row < rows.size(0); ++row) {
    int64_t unusual = 0;
    for (int64_t column = 0; column < width; ++column)
      unusual += values[row * width + column] != 0 && 2 * counts[static_cast<size_t>(column)] < rows.size(0);
    groups[static_cast<double>(unusual) > kWild * static_cast<double>(width)].push_back(row);
  }
  groups.erase(std::remove_if(groups.begin(), groups.end(), [](const Numbers& g) { return g.empty(); }),
               groups.end());
  return groups;
}

/// Rows that reach much the same pixels.
std::vector<Numbers> groups_of(const at::Tensor& rows, int64_t interleave) {
  Numbers order(static_cast<size_t>(rows.size(0)));
  std::iota(order.begin(), order.end(), int64_t{0});
  if (interleave < 2 || interleave > 64 || rows.size(1) % interleave != 0) return tame_and_wild(rows);
  const std::vector<uint64_t> pixels = pixels_of(rows, interleave);
  const auto bits_of = [&](int64_t row) { return pixels[static_cast<size_t>(row)]; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return bits_of(a) < bits_of(b); });
  std::vector<Numbers> groups(1);
  uint64_t reached = 0;
  for (const int64_t row : order) {
    const uint64_t both = reached | bits_of(row);
    const bool grows = std::popcount(both) > kMostGrowth * std::popcount(reached);
    if (grows && groups.back().size() >= kRowsOfAGroup) {
      groups.emplace_back();
      reached = 0;
    }
    groups.back().push_back(row);
    reached |= bits_of(row);
  }
  return groups;
}

/// products += what the rare columns contribute.
void add_rare(const at::Tensor& rows, const at::Tensor& weight, const Numbers& rare, at::Tensor& products) {
  if (rare.empty()) return;
  const at::Tensor columns = weight.index_select(1, tensor_of(rare)).t().contiguous();
  const float* from = columns.const_data_ptr<float>();
  const float* values = rows.const_data_ptr<float>();
  float* to = products.mutable_data_ptr<float>();
  const int64_t width = rows.size(1);
  const int64_t out = weight.size(0);
  at::parallel_for(0, rows.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (size_t i = 0; i < rare.size(); ++i) {
        const float value = values[row * width + rare[i]];
        const Meeting meeting{0, static_cast<int32_t>(i)};
        if (value != 0) kernels().add_columns(to + row * out, out, from, out, value, out, &meeting, 1);
      }
    }
  });
}

SparseProduct product_of_group(const at::Tensor& rows, const at::Tensor& weight) {
  const std::vector<int32_t> counts = counts_of(rows);
  Numbers frequent;
  Numbers rare;
  for (size_t column = 0; column < counts.size(); ++column) {
    if (counts[column] == 0) continue;
    const bool is_rare = counts[column] <= kRare * static_cast<double>(rows.size(0));
    (is_rare ? rare : frequent).push_back(static_cast<int64_t>(column));
  }
  const auto height = static_cast<double>(rows.size(0) * weight.size(0));
  if (static_cast<double>(frequent.size()) > kNearlyAll * static_cast<double>(counts.size()))
    return {product(rows, weight), height * static_cast<double>(weight.size(1))};
  const at::Tensor columns = tensor_of(frequent);
  at::Tensor products = frequent.empty()
                            ? at::zeros({rows.size(0), weight.size(0)}, at::kFloat)
                            : product(rows.index_select(1, columns), weight.index_select(1, columns));
  add_rare(rows, weight, rare, products);
  return {std::move(products), height * static_cast<double>(frequent.size())};
}

}  // namespace

SparseProduct sparse_product(const at::Tensor& rows, const at::Tensor& weight, int64_t interleave) {
  if (rows.size(0) < kLeastRows || weight.numel() < kLeastWeight)
    return {product(rows, weight), static_cast<double>(rows.size(0)) * static_cast<double>(weight.numel())};
  const std::vector<Numbers> groups = groups_of(rows, interleave);
  if (groups.size() == 1) return product_of_group(rows, weight);
  SparseProduct all{at::empty({rows.size(0), weight.size(0)}, at::kFloat), 0};
  for (const Numbers& group : groups) {
    const at::Tensor numbers = tensor_of(group);
    const SparseProduct some = product_of_group(rows.index_select(0, numbers), weight);
    all.values.index_copy_(0, numbers, some.values);
    all.multiply_adds += some.multiply_adds;
  }
  return all;
}

}  // namespace faultwave::wave
