// SPDX-License-Identifier: Apache-2.0
#include "faultwave/site.h"

#include <doctest/doctest.h>

#include "faultwave/error.h"

namespace faultwave {
namespace {

using Shape = std::vector<int64_t>;

Site site_of(Shape shape, BatchAxis batch, at::ScalarType dtype = at::kFloat) {
  Site site;
  site.shape = std::move(shape);
  site.batch = batch;
  site.dtype = dtype;
  return site;
}

}  // namespace

TEST_CASE("site kinds print and parse to the identity") {
  const std::vector<std::pair<SiteKind, std::string>> kinds = {{SiteKind::output, "output"},
                                                               {SiteKind::input, "input"},
                                                               {SiteKind::weight, "weight"},
                                                               {SiteKind::bias, "bias"},
                                                               {SiteKind::buffer, "buffer"},
                                                               {SiteKind::network_input, "network-input"},
                                                               {SiteKind::output_gradient, "output-gradient"},
                                                               {SiteKind::weight_gradient, "weight-gradient"},
                                                               {SiteKind::bias_gradient, "bias-gradient"}};
  for (const auto& [kind, text] : kinds) {
    CHECK(to_string(kind) == text);
    CHECK(parse_site_kind(text) == kind);
    CHECK(is_gradient(kind) == text.ends_with("-gradient"));
  }
}

TEST_CASE("an unknown kind of site is refused with the choices and the nearest") {
  try {
    parse_site_kind("wieght");
    FAIL("no error");
  } catch (const UserError& error) {
    CHECK(error.code() == ErrorCode::usage);
    CHECK(std::string(error.what()) ==
          "unknown kind of site 'wieght': expected output, input, weight, bias, buffer, network-input, "
          "output-gradient, weight-gradient or bias-gradient; did you mean weight?");
  }
}

TEST_CASE("the element shape leaves out the batch axis") {
  CHECK(site_of({8, 64, 55, 55}, {0, 1}).element_shape() == Shape{64, 55, 55});
  CHECK(site_of({8, 64, 55, 55}, {0, 1}).numel() == 64 * 55 * 55);
  // Time first, batch second, as recurrent layers have it.
  CHECK(site_of({20, 8, 32}, {1, 1}).element_shape() == Shape{20, 32});
  CHECK(site_of({8}, {0, 1}).element_shape().empty());
  CHECK(site_of({8}, {0, 1}).numel() == 1);
}

TEST_CASE("several rows a batch element stay in the element shape") {
  CHECK(site_of({128, 49, 96}, {0, 64}).element_shape() == Shape{64, 49, 96});
  CHECK(site_of({128, 49, 96}, {0, 64}).numel() == 64 * 49 * 96);
}

TEST_CASE("a tensor that does not grow with the batch keeps its shape") {
  CHECK(site_of({64, 3, 11, 11}, {}).element_shape() == Shape{64, 3, 11, 11});
  CHECK(site_of({}, {}).element_shape().empty());
  CHECK(site_of({}, {}).numel() == 1);
}

TEST_CASE("bits of one value") {
  CHECK(site_of({1}, {}, at::kDouble).bits() == 64);
  CHECK(site_of({1}, {}, at::kFloat).bits() == 32);
  CHECK(site_of({1}, {}, at::kBFloat16).bits() == 16);
  CHECK(site_of({1}, {}, at::kFloat8_e4m3fn).bits() == 8);
  CHECK(site_of({1}, {}, at::kChar).bits() == 8);
  CHECK(site_of({1}, {}, at::kLong).bits() == 64);
  CHECK(site_of({1}, {}, at::kBool).bits() == 1);
}

}  // namespace faultwave
