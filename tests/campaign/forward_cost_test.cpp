// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/forward_cost.h"

#include <doctest/doctest.h>

namespace faultwave {
namespace {

Site site_of(SiteKind kind, const std::string& name, const std::string& op, std::vector<int64_t> shape) {
  Site site;
  site.kind = kind;
  site.name = name;
  site.op = op;
  site.shape = std::move(shape);
  site.batch.dim = kind == SiteKind::weight ? -1 : 0;
  site.channel_axis = kind == SiteKind::output ? 0 : -1;
  return site;
}

/// Seconds beside what each output costs by itself: 5 us and a nanosecond a value.
double products(const std::vector<Site>& sites) {
  double seconds = expected_forward_seconds(sites);
  for (const Site& site : sites) {
    if (site.kind == SiteKind::output) seconds -= 5e-6 + 1e-9 * static_cast<double>(site.numel());
  }
  return seconds;
}

TEST_CASE("a convolution costs each of its weights at each pixel, at 40 thousand million a second") {
  const std::vector<Site> conv = {site_of(SiteKind::output, "conv", "aten::conv2d", {1, 64, 10, 10}),
                                  site_of(SiteKind::weight, "conv", "", {64, 32, 3, 3})};
  CHECK(products(conv) == doctest::Approx(64 * 32 * 9 * 100 / 40e9));
}

TEST_CASE("weights within a module count for its output, rows of an embedding do not") {
  const std::vector<Site> lstm = {site_of(SiteKind::output, "lstm", "aten::lstm", {1, 8, 5}),
                                  site_of(SiteKind::weight, "lstm.weight_ih_l0", "", {32, 4})};
  CHECK(products(lstm) == doctest::Approx(32 * 4 * 5 / 40e9));
  const std::vector<Site> embedding = {site_of(SiteKind::output, "words", "aten::embedding", {1, 7, 16}),
                                       site_of(SiteKind::weight, "words", "", {50000, 16})};
  CHECK(products(embedding) == doctest::Approx(0).epsilon(1e-12));
}

TEST_CASE("products of what the network computes count too") {
  const std::vector<Site> product = {site_of(SiteKind::output, "mm", "aten::bmm", {1, 4, 6, 5}),
                                     site_of(SiteKind::input, "mm", "aten::bmm", {1, 4, 6, 3}),
                                     site_of(SiteKind::input, "mm:1", "aten::bmm", {1, 4, 3, 5})};
  CHECK(products(product) == doctest::Approx(4 * 6 * 3 * 5 / 40e9));
}

}  // namespace
}  // namespace faultwave
