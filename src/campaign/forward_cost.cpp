// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/forward_cost.h"

#include <cstdint>
#include <map>
#include <string>

namespace faultwave {
namespace {

constexpr double kMultiplyAdds = 40e9;  // a second
constexpr double kValues = 1e9;         // a second, that operators write
constexpr double kCall = 5e-6;          // seconds

using Outputs = std::map<std::string, const Site*>;

/// Outputs by name.
Outputs outputs_of(const std::vector<Site>& sites) {
  Outputs outputs;
  for (const Site& site : sites) {
    if (site.kind == SiteKind::output) outputs.emplace(site.name, &site);
  }
  return outputs;
}

/// The output that a weight is for: of its own name, or of the module that it is in ("lstm" for
/// "lstm.weight_ih_l0"); null where there is none.
const Site* output_of(const Site& weight, const Outputs& outputs) {
  for (std::string name = weight.name; !name.empty();) {
    const auto output = outputs.find(name);
    if (output != outputs.end()) return output->second;
    const size_t dot = name.rfind('.');
    name.resize(dot == std::string::npos ? 0 : dot);
  }
  return nullptr;
}

/// Each value of a weight meets each position of the output once: pixels of a convolution, rows of a product.
double multiply_adds(const Site& weight, const Site& output) {
  const std::vector<int64_t> shape = output.element_shape();
  const auto axis = static_cast<size_t>(output.channel_axis);
  const int64_t channels = output.channel_axis >= 0 && axis < shape.size() ? shape[axis] : 1;
  return static_cast<double>(weight.numel()) * static_cast<double>(output.numel()) /
         static_cast<double>(channels > 0 ? channels : 1);
}

/// Of a product of what the network computes, from its first factor: each value meets a row of the other.
/// Attention is two such products, as large as its queries are many.
double multiply_adds_of_factors(const Site& factor, const Site& output) {
  const std::vector<int64_t> shape = output.element_shape();
  if (shape.size() < 2) return 0;
  const auto values = static_cast<double>(factor.numel());
  if (factor.op == "aten::scaled_dot_product_attention")
    return 2 * values * static_cast<double>(shape[shape.size() - 2]);
  const bool is_product = factor.op == "aten::mm" || factor.op == "aten::bmm" || factor.op == "aten::matmul";
  return is_product ? values * static_cast<double>(shape.back()) : 0;
}

double seconds_of(const Site& site, const Outputs& outputs) {
  if (site.kind == SiteKind::output) return kCall + static_cast<double>(site.numel()) / kValues;
  const Site* const output = output_of(site, outputs);
  if (output == nullptr) return 0;
  if (site.kind == SiteKind::input) return multiply_adds_of_factors(site, *output) / kMultiplyAdds;
  // An embedding reads a row of its weight, not all of it.
  const bool is_used_whole = output->op.find("embedding") == std::string::npos;
  return site.kind == SiteKind::weight && is_used_whole ? multiply_adds(site, *output) / kMultiplyAdds : 0;
}

}  // namespace

double expected_forward_seconds(const std::vector<Site>& sites) {
  const Outputs outputs = outputs_of(sites);
  double seconds = 0;
  for (const Site& site : sites)
    seconds += seconds_of(site, outputs);
  return seconds;
}

}  // namespace faultwave
