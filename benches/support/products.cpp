// SPDX-License-Identifier: Apache-2.0
#include "benches/support/products.h"

#include <torch/torch.h>

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <string_view>

#include "benches/support/measure.h"

namespace faultwave::bench {
namespace {

constexpr double kSecondsAShape = 0.25;

struct ProductShape {
  int64_t rows, in, out;
};
constexpr ProductShape kProducts[] = {
    {16384, 64, 576}, {8192, 128, 1152}, {4096, 256, 2304}, {2048, 512, 512}, {1024, 4096, 4096}};

struct MapShape {
  int64_t images, channels, side;
};
constexpr MapShape kMaps[] = {{32, 64, 56}, {64, 128, 28}, {128, 256, 14}};

/// Seconds of the fastest run, after one that does not count.
double fastest(const std::function<void()>& work) {
  work();
  double best = std::numeric_limits<double>::infinity();
  for (double spent = 0; spent < kSecondsAShape;) {
    const double seconds = seconds_of(work);
    best = std::min(best, seconds);
    spent += seconds;
  }
  return best;
}

void keep_faster(ProductSpeed& best, double multiply_adds, const std::function<void()>& work,
                 const std::string& shape) {
  const double flops = 2 * multiply_adds / fastest(work);
  if (flops > best.flops) best = {flops, shape};
}

void measure_matrices(ProductSpeed& best, const ProductShape& shape) {
  const at::Tensor rows = torch::randn({shape.rows, shape.in});
  const at::Tensor weight = torch::randn({shape.out, shape.in});
  const at::Tensor transposed = weight.t();
  const at::Tensor map = rows.view({1, shape.rows, 1, shape.in}).permute({0, 3, 1, 2});
  const at::Tensor kernel = weight.view({shape.out, shape.in, 1, 1});
  const double multiply_adds = static_cast<double>(shape.rows * shape.in * shape.out);
  const std::string text =
      std::to_string(shape.rows) + " x " + std::to_string(shape.in) + " x " + std::to_string(shape.out);
  keep_faster(best, multiply_adds, [&] { at::mm(rows, transposed); }, "product " + text + ", BLAS");
  keep_faster(best, multiply_adds, [&] { at::conv2d(map, kernel); }, "product " + text + ", oneDNN");
}

void measure_maps(ProductSpeed& best, const MapShape& shape) {
  const auto last = at::MemoryFormat::ChannelsLast;
  const at::Tensor maps =
      torch::randn({shape.images, shape.channels, shape.side, shape.side}).contiguous(last);
  const at::Tensor kernel = torch::randn({shape.channels, shape.channels, 3, 3}).contiguous(last);
  // Products with padding are left out of the count: a kernel may skip them.
  const int64_t taps = 9 * (shape.side - 2) * (shape.side - 2) + 4 * 6 * (shape.side - 2) + 4 * 4;
  const double multiply_adds = static_cast<double>(shape.images * shape.channels * shape.channels * taps);
  const std::string text = std::to_string(shape.images) + " maps of " + std::to_string(shape.channels) +
                           " x " + std::to_string(shape.side) + " x " + std::to_string(shape.side);
  keep_faster(best, multiply_adds, [&] { at::conv2d(maps, kernel, {}, 1, 1); }, "3x3 convolution of " + text);
}

// A callback is a plain function, so what it counts in is of the thread.
thread_local double product_seconds = 0;
thread_local int product_depth = 0;

bool is_product(std::string_view name) {
  for (const std::string_view product :
       {"aten::conv1d", "aten::conv2d", "aten::conv3d", "aten::convolution", "aten::linear", "aten::matmul",
        "aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::scaled_dot_product_attention"}) {
    if (name == product) return true;
  }
  return false;
}

/// One outermost product; those inside it are part of it.
struct Running : at::ObserverContext {
  Running() { ++product_depth; }
  ~Running() override {
    if (--product_depth > 0) return;
    product_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

std::unique_ptr<at::ObserverContext> begin_operator(const at::RecordFunction& function) {
  if (!is_product(function.name())) return nullptr;
  return std::make_unique<Running>();
}

}  // namespace

ProductSpeed measure_product_speed() {
  const torch::NoGradGuard no_grad;
  ProductSpeed best;
  for (const ProductShape& shape : kProducts)
    measure_matrices(best, shape);
  for (const MapShape& shape : kMaps)
    measure_maps(best, shape);
  return best;
}

ProductClock::ProductClock() {
  product_seconds = 0;
  handle_ = at::addThreadLocalCallback(
      at::RecordFunctionCallback(begin_operator).scopes({at::RecordScope::FUNCTION}));
}

ProductClock::~ProductClock() {
  at::removeCallback(handle_);
}

double ProductClock::seconds() const {
  return product_seconds;
}

}  // namespace faultwave::bench
