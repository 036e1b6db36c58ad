// SPDX-License-Identifier: Apache-2.0
// What programs say of operators of their own.
#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <set>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/operators.h"

#include "src/common/near_names.h"
#include "src/wave/operators/operator.h"

namespace faultwave {
namespace {

using Schemas = std::vector<c10::FunctionSchema>;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw UserError(ErrorCode::usage, "operator " + name + " cannot be described: " + why);
}

/// Of all overloads, but for those that write to tensors given as `out`.
Schemas schemas_of(const std::string& name) {
  c10::Dispatcher& dispatcher = c10::Dispatcher::singleton();
  Schemas schemas;
  std::set<std::string> others;
  for (const c10::OperatorName& known : dispatcher.getAllOpNames()) {
    others.insert(known.name);
    const auto op = known.name == name ? dispatcher.findSchema(known) : std::nullopt;
    if (!op) continue;
    const auto& arguments = op->schema().arguments();
    if (std::none_of(arguments.begin(), arguments.end(), [](const auto& a) { return a.is_out(); }))
      schemas.push_back(op->schema());
  }
  if (schemas.empty())
    refuse(name,
           "PyTorch knows no operator of this name; expected one that is registered, as "
           "\"mine::swish\" by TORCH_LIBRARY" +
               did_you_mean(name, {others.begin(), others.end()}));
  return schemas;
}

bool is_tensor(const c10::Argument& argument) {
  return argument.type()->isSubtypeOf(*c10::TensorType::get());
}

bool returns_one_tensor(const c10::FunctionSchema& schema) {
  return schema.returns().size() == 1 && is_tensor(schema.returns().front());
}

const c10::Argument* find_argument(const c10::FunctionSchema& schema, const std::string& name) {
  const auto& arguments = schema.arguments();
  const auto found =
      std::find_if(arguments.begin(), arguments.end(), [&](const auto& a) { return a.name() == name; });
  return found == arguments.end() ? nullptr : &*found;
}

/// Refuses unless an overload fits; `expected` says what that takes.
template <typename Fits>
void check_schema(const std::string& name, const std::string& expected, Fits fits) {
  const Schemas schemas = schemas_of(name);
  if (std::all_of(schemas.begin(), schemas.end(), wave::is_in_place))
    refuse(name, "it is the in-place form of " + name.substr(0, name.size() - 1) +
                     "; expected that name, whose description is for both");
  if (std::any_of(schemas.begin(), schemas.end(), fits)) return;
  std::string text = "expected " + expected + "; its schema is ";
  for (size_t i = 0; i < schemas.size(); ++i)
    text += (i == 0 ? "" : ", ") + toString(schemas[i]);
  refuse(name, text);
}

bool is_of_first_tensor(const c10::FunctionSchema& schema) {
  return returns_one_tensor(schema) && !schema.arguments().empty() && is_tensor(schema.arguments().front());
}

constexpr const char* kFirstTensor = "a tensor as its first argument and one tensor as its result";

}  // namespace

void register_elementwise_operator(const std::string& name) {
  check_schema(name, "a tensor among its arguments and one tensor as its result",
               [](const c10::FunctionSchema& schema) {
                 return returns_one_tensor(schema) &&
                        std::any_of(schema.arguments().begin(), schema.arguments().end(), is_tensor);
               });
  wave::add_operator(
      {.name = name, .rule = wave::NamedRule{"elements", wave::elements_rule, wave::Takes::scaled}});
}

void register_rowwise_operator(const std::string& name, const std::string& axis_argument) {
  const std::string axis = axis_argument.empty() ? "" : ", and an integer argument \"" + axis_argument + "\"";
  check_schema(name, kFirstTensor + axis, [&](const c10::FunctionSchema& schema) {
    if (!is_of_first_tensor(schema)) return false;
    if (axis_argument.empty()) return true;
    const c10::Argument* argument = find_argument(schema, axis_argument);
    return argument != nullptr && argument->type()->kind() == c10::TypeKind::IntType;
  });
  wave::add_operator({.name = name,
                      .rule = wave::NamedRule{"rows", wave::whole_rows_rule, wave::Takes::scaled},
                      .rows = wave::WholeRows{.axis = axis_argument}});
}

void register_batched_operator(const std::string& name, const std::vector<std::string>& activations,
                               int64_t channel_axis) {
  if (channel_axis == 0)
    refuse(name, "axis 0 is the batch; expected another axis of the result as its channel axis");
  if (std::set<std::string>(activations.begin(), activations.end()).size() != activations.size())
    refuse(name, "an activation is named twice; expected each of them once");
  std::string list;
  for (const std::string& activation : activations)
    list += (list.empty() ? "" : ", ") + activation;
  const std::string expected =
      list.empty() ? kFirstTensor : "tensors as its arguments " + list + ", and one tensor as its result";
  check_schema(name, expected, [&](const c10::FunctionSchema& schema) {
    if (activations.empty()) return is_of_first_tensor(schema);
    return returns_one_tensor(schema) &&
           std::all_of(activations.begin(), activations.end(), [&](const std::string& activation) {
             const c10::Argument* argument = find_argument(schema, activation);
             return argument != nullptr && is_tensor(*argument);
           });
  });
  wave::add_operator(
      {.name = name,
       .stacking = wave::Stacking{wave::Stacking::Gives::values, channel_axis, activations, nullptr}});
}

void register_reshaping_operator(const std::string& name) {
  check_schema(name, kFirstTensor, is_of_first_tensor);
  wave::add_operator(
      {.name = name, .rule = wave::NamedRule{"reshape", wave::reshape_rule, wave::Takes::changes}});
}

}  // namespace faultwave
