// SPDX-License-Identifier: Apache-2.0
// Products that leave columns out, against the plain one. Whole numbers make sums exact in any order.
#include "src/wave/rules/sparse_product.h"

#include <torch/types.h>

#include <doctest/doctest.h>

#include "tests/wave/made_shadows.h"

namespace faultwave::wave {
namespace {

// As small as a weight may be for its zeros to be looked at.
constexpr int64_t kIn = 1024;
constexpr int64_t kOut = 1024;

/// Not 0 anywhere.
at::Tensor full_rows(int64_t count) {
  const at::Tensor numbers = whole_numbers({count, kIn}, 2);
  return at::where(numbers == 0, at::ones({}), numbers);
}

/// Of what plain multiplication takes; the values are checked.
double share_of_work(const at::Tensor& rows, int64_t interleave = 1) {
  const at::Tensor weight = whole_numbers({kOut, kIn}, 1);
  const SparseProduct product = sparse_product(rows, weight, interleave);
  CHECK(at::equal(product.values, at::mm(rows, weight.t())));
  CHECK(product.values.is_contiguous());
  return product.multiply_adds / static_cast<double>(rows.size(0) * kIn * kOut);
}

TEST_CASE("rows without zeros are multiplied as they are") {
  CHECK(share_of_work(full_rows(128)) == 1);
  CHECK(share_of_work(full_rows(3)) == 1);
}

TEST_CASE("columns that are zero in all rows are left out") {
  at::Tensor rows = full_rows(128);
  rows.narrow(1, 256, 768).zero_();
  CHECK(share_of_work(rows) == 0.25);
}

/// Of a tile that has fewer rows than others: 128 rows are ten tiles of 12 and one of 8.
constexpr double kValueOfLastTile = 8.0 / (128 * kIn);

TEST_CASE("a column that few rows have costs no more than their tile") {
  at::Tensor rows = full_rows(128);
  rows.narrow(1, 256, 768).zero_();
  rows[5][700] = 3;
  rows[127][1023] = -2;
  CHECK(share_of_work(rows) == doctest::Approx(0.25 + 2 * kValueOfLastTile).epsilon(1e-9));
}

TEST_CASE("with rare columns only, and with none") {
  at::Tensor rows = at::zeros({128, kIn});
  CHECK(share_of_work(rows) == 0);
  rows[0][0] = 1;
  rows[64][9] = -4;
  CHECK(share_of_work(rows) == doctest::Approx(2 * kValueOfLastTile).epsilon(1e-9));
}

TEST_CASE("rows with values where the others have none are put together") {
  at::Tensor rows = full_rows(100);
  for (int64_t row = 0; row < 100; ++row) {
    const bool is_wild = row % 10 == 3;
    if (!is_wild) rows[row].narrow(0, 128, 896).zero_();
  }
  // Seven tiles without any of the ten; they and the six rows left have the eighth and four rows more.
  CHECK(share_of_work(rows) == doctest::Approx(0.84 * 0.125 + 0.16));
}

TEST_CASE("widths that fill no tile and no panel") {
  at::Tensor rows = whole_numbers({77, 1000}, 2);
  rows.narrow(1, 100, 700).zero_();
  const at::Tensor weight = whole_numbers({1101, 1000}, 1);
  const SparseProduct product = sparse_product(rows, weight, 1);
  CHECK(at::equal(product.values, at::mm(rows, weight.t())));
  CHECK(product.multiply_adds < 0.301 * 77 * 1000 * 1101);
}

TEST_CASE("rows are put together by the pixels that they reach") {
  constexpr int64_t pixels = 4;
  at::Tensor rows = full_rows(600);
  at::Tensor by_pixel = rows.view({600, kIn / pixels, pixels});
  for (int64_t row = 0; row < 600; ++row)
    by_pixel[row].narrow(1, row % 2 == 0 ? 0 : 2, 2).zero_();
  CHECK(share_of_work(rows, pixels) == 0.5);
}

}  // namespace
}  // namespace faultwave::wave
