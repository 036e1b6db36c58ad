// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/sparse_product.h"

#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include "src/common/parallel_for.h"
#include "src/wave/kernels/kernels.h"
#include "src/wave/rules/product.h"

namespace faultwave::wave {
namespace {

// Smaller products are not worth the look at their zeros.
constexpr int64_t kLeastRows = 64;
constexpr int64_t kLeastWeight = int64_t{1} << 20;
// With more of the values than that, the plain product is as fast.
constexpr double kNearlyAll = 0.85;
// What is packed of the weight at a time stays in a core's own cache, 256 KB: so many columns of it, for so
// many tiles beside each other.
constexpr int64_t kDepth = 512;
constexpr int64_t kTilesOfAPanel = 4;
constexpr int64_t kPanelColumns = kTilesOfAPanel * kTileColumns;

using Numbers = std::vector<int64_t>;

/// The pixels of a row in which a value is not 0, as bits.
uint64_t pixels_of(const float* row, int64_t width, int64_t interleave) {
  uint64_t bits = 0;
  for (int64_t first = 0; first < width; first += interleave) {
    for (int64_t pixel = 0; pixel < interleave; ++pixel)
      bits |= static_cast<uint64_t>(row[first + pixel] != 0) << pixel;
  }
  return bits;
}

uint64_t count_of(const float* row, int64_t width) {
  uint64_t count = 0;
  for (int64_t column = 0; column < width; ++column)
    count += row[column] != 0;
  return count;
}

/// Rows that have much the same columns stand beside each other.
Numbers order_of(const at::Tensor& rows, int64_t interleave) {
  const bool has_pixels = interleave > 1 && interleave <= 64 && rows.size(1) % interleave == 0;
  const int64_t width = rows.size(1);
  const float* values = rows.const_data_ptr<float>();
  std::vector<uint64_t> keys(static_cast<size_t>(rows.size(0)));
  parallel_for(0, rows.size(0), 4, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* own = values + row * width;
      keys[static_cast<size_t>(row)] = has_pixels ? pixels_of(own, width, interleave) : count_of(own, width);
    }
  });
  Numbers order(static_cast<size_t>(rows.size(0)));
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto key = [&](int64_t row) { return keys[static_cast<size_t>(row)]; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key(a) < key(b); });
  return order;
}

/// The columns that rows of a tile have, and their values.
struct Block {
  std::vector<int32_t> columns;
  std::vector<float> values;  ///< kTileRows for each column
};

class TiledProduct {
 public:
  TiledProduct(const at::Tensor& rows, const at::Tensor& weight, int64_t interleave)
      : weight_(weight),
        height_(rows.size(0)),
        depth_(rows.size(1)),
        width_(weight.size(0)),
        order_(order_of(rows, interleave)),
        blocks_(static_cast<size_t>((height_ + kTileRows - 1) / kTileRows)) {
    const float* values = rows.const_data_ptr<float>();
    parallel_for(0, static_cast<int64_t>(blocks_.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block)
        fill(block, values);
    });
  }

  double multiply_adds() const {
    double values = 0;
    for (size_t block = 0; block < blocks_.size(); ++block)
      values += static_cast<double>(blocks_[block].columns.size()) * static_cast<double>(rows_of(block));
    return values * static_cast<double>(width_);
  }

  at::Tensor values() const {
    at::Tensor result = at::zeros({height_, width_}, at::kFloat);
    float* to = result.mutable_data_ptr<float>();
    const int64_t panels = (width_ + kPanelColumns - 1) / kPanelColumns;
    for (int64_t begin = 0; begin < depth_; begin += kDepth) {
      parallel_for(0, panels, 1, [&](int64_t first, int64_t last) {
        Panel panel;
        for (int64_t number = first; number < last; ++number) {
          pack(number * kPanelColumns, begin, panel);
          for (size_t block = 0; block < blocks_.size(); ++block)
            add_block(block, panel, to);
        }
      });
    }
    return result;
  }

 private:
  /// Weights of some outputs, for some columns: tile by tile, a row of kTileColumns for each column.
  struct Panel {
    int64_t first = 0;  ///< output
    int64_t count = 0;
    int64_t begin = 0;  ///< column
    int64_t end = 0;
    std::vector<float> values = std::vector<float>(static_cast<size_t>(kDepth * kPanelColumns));
    std::array<float, kTileRows * kTileColumns> tile{};
    std::vector<int32_t> picks;
  };

  int64_t rows_of(size_t block) const {
    return std::min(kTileRows, height_ - static_cast<int64_t>(block) * kTileRows);
  }

  void fill(int64_t number, const float* values) {
    Block& block = blocks_[static_cast<size_t>(number)];
    std::array<const float*, kTileRows> rows{};
    const int64_t count = rows_of(static_cast<size_t>(number));
    for (int64_t i = 0; i < count; ++i)
      rows[static_cast<size_t>(i)] = values + order_[static_cast<size_t>(number * kTileRows + i)] * depth_;
    std::vector<char> has(static_cast<size_t>(depth_), 0);
    for (int64_t i = 0; i < count; ++i) {
      const float* row = rows[static_cast<size_t>(i)];
      for (int64_t column = 0; column < depth_; ++column)
        has[static_cast<size_t>(column)] |= static_cast<char>(row[column] != 0);
    }
    for (int64_t column = 0; column < depth_; ++column) {
      if (has[static_cast<size_t>(column)]) block.columns.push_back(static_cast<int32_t>(column));
    }
    block.values.resize(block.columns.size() * kTileRows, 0);
    for (int64_t i = 0; i < count; ++i) {
      const float* row = rows[static_cast<size_t>(i)];
      for (size_t step = 0; step < block.columns.size(); ++step)
        block.values[step * kTileRows + static_cast<size_t>(i)] = row[block.columns[step]];
    }
  }

  void pack(int64_t first, int64_t begin, Panel& panel) const {
    const float* weight = weight_.const_data_ptr<float>();
    panel.first = first;
    panel.count = std::min(kPanelColumns, width_ - first);
    panel.begin = begin;
    panel.end = std::min(begin + kDepth, depth_);
    if (panel.count < kPanelColumns) std::fill(panel.values.begin(), panel.values.end(), 0.0F);
    for (int64_t i = 0; i < panel.count; ++i) {
      const float* from = weight + (first + i) * depth_ + begin;
      float* to = panel.values.data() + i / kTileColumns * kDepth * kTileColumns + i % kTileColumns;
      for (int64_t column = 0; column < panel.end - begin; ++column)
        to[column * kTileColumns] = from[column];
    }
  }

  void add_block(size_t number, Panel& panel, float* to) const {
    const Block& block = blocks_[number];
    const auto from = std::lower_bound(block.columns.begin(), block.columns.end(), panel.begin);
    const auto until = std::lower_bound(from, block.columns.end(), panel.end);
    if (from == until) return;
    panel.picks.clear();
    for (auto column = from; column != until; ++column)
      panel.picks.push_back(static_cast<int32_t>(*column - panel.begin));
    const float* left = block.values.data() + (from - block.columns.begin()) * kTileRows;
    for (int64_t tile = 0; tile * kTileColumns < panel.count; ++tile) {
      panel.tile.fill(0);
      kernels().multiply_tile(panel.tile.data(), kTileColumns, left,
                              panel.values.data() + tile * kDepth * kTileColumns, panel.picks.data(),
                              static_cast<int64_t>(panel.picks.size()));
      add_tile(number, panel, tile * kTileColumns, to);
    }
  }

  void add_tile(size_t number, const Panel& panel, int64_t first, float* to) const {
    const int64_t count = std::min(kTileColumns, panel.count - first);
    for (int64_t i = 0; i < rows_of(number); ++i) {
      const int64_t row = order_[number * kTileRows + static_cast<size_t>(i)];
      kernels().add(to + row * width_ + panel.first + first, panel.tile.data() + i * kTileColumns, count);
    }
  }

  at::Tensor weight_;
  int64_t height_;
  int64_t depth_;
  int64_t width_;
  Numbers order_;
  std::vector<Block> blocks_;
};

}  // namespace

SparseProduct sparse_product(const at::Tensor& rows, const at::Tensor& weight, int64_t interleave) {
  const double all = static_cast<double>(rows.size(0)) * static_cast<double>(weight.numel());
  if (rows.size(0) < kLeastRows || weight.numel() < kLeastWeight) return {product(rows, weight), all};
  const TiledProduct tiled(rows, weight, interleave);
  if (tiled.multiply_adds() > kNearlyAll * all) return {product(rows, weight), all};
  return {tiled.values(), tiled.multiply_adds()};
}

}  // namespace faultwave::wave
