// SPDX-License-Identifier: Apache-2.0
#include "faultwave/site.h"

#include <c10/core/ScalarType.h>

#include <array>
#include <utility>

#include "faultwave/error.h"

#include "src/common/near_names.h"

namespace faultwave {
namespace {

constexpr std::array<std::pair<SiteKind, std::string_view>, 9> kKinds{{
    {SiteKind::output, "output"},
    {SiteKind::input, "input"},
    {SiteKind::weight, "weight"},
    {SiteKind::bias, "bias"},
    {SiteKind::buffer, "buffer"},
    {SiteKind::network_input, "network-input"},
    {SiteKind::output_gradient, "output-gradient"},
    {SiteKind::weight_gradient, "weight-gradient"},
    {SiteKind::bias_gradient, "bias-gradient"},
}};

}  // namespace

std::string_view to_string(SiteKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  throw InternalError("a SiteKind without a name");
}

SiteKind parse_site_kind(std::string_view text) {
  std::vector<std::string> names;
  for (const auto& [value, name] : kKinds) {
    if (name == text) return value;
    names.emplace_back(name);
  }
  throw UserError(ErrorCode::usage,
                  "unknown kind of site '" + std::string(text) +
                      "': expected output, input, weight, bias, buffer, network-input, output-gradient, "
                      "weight-gradient or bias-gradient" +
                      did_you_mean(text, names));
}

bool is_gradient(SiteKind kind) {
  return kind == SiteKind::output_gradient || kind == SiteKind::weight_gradient ||
         kind == SiteKind::bias_gradient;
}

std::vector<int64_t> Site::element_shape() const {
  std::vector<int64_t> result = shape;
  if (batch.dim < 0) return result;
  if (batch.rows > 1) {
    result[batch.dim] = batch.rows;
  } else {
    result.erase(result.begin() + batch.dim);
  }
  return result;
}

int64_t Site::numel() const {
  int64_t count = 1;
  for (int64_t size : element_shape())
    count *= size;
  return count;
}

int64_t Site::bits() const {
  if (dtype == at::kBool) return 1;
  return static_cast<int64_t>(c10::elementSize(dtype)) * 8;
}

}  // namespace faultwave
