// SPDX-License-Identifier: Apache-2.0
#include "src/model/written_arguments.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace faultwave::detail {
namespace {

bool is_running_statistic(const std::string& name) {
  return name == "running_mean" || name == "running_var";
}

bool says_training(const std::string& name) {
  return name == "training" || name == "train" || name == "use_input_stats";
}

// Operators that may return an argument, or a view of it, though their schemas call the result a new tensor.
constexpr std::array<std::string_view, 11> kHandOn{
    "aten::dropout",  "aten::feature_dropout",   "aten::alpha_dropout", "aten::feature_alpha_dropout",
    "aten::type_as",  "aten::atleast_1d",        "aten::atleast_2d",    "aten::atleast_3d",
    "aten::meshgrid", "aten::broadcast_tensors", "aten::einsum",
};

}  // namespace

bool may_write(const c10::FunctionSchema& schema, size_t argument,
               const std::function<std::optional<bool>(size_t)>& flag) {
  const std::vector<c10::Argument>& arguments = schema.arguments();
  const c10::AliasInfo* alias = arguments[argument].alias_info();
  if (alias != nullptr && alias->isWrite()) return true;
  if (!is_running_statistic(arguments[argument].name())) return false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (says_training(arguments[i].name())) return flag(i).value_or(true);
  }
  return true;
}

bool may_share_memory(const c10::FunctionSchema& schema, size_t result) {
  if (schema.returns()[result].alias_info() != nullptr) return true;
  return std::find(kHandOn.begin(), kHandOn.end(), schema.name()) != kHandOn.end();
}

}  // namespace faultwave::detail
