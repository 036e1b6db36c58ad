// SPDX-License-Identifier: Apache-2.0
// The descriptions of operators against the schemas that PyTorch has.
#include <torch/types.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "faultwave/error.h"

#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

std::vector<Operator> all_operators() {
  std::vector<Operator> all;
  for (auto* list : {element_operators, moving_operators, layer_operators, reducing_operators}) {
    const std::vector<Operator> family = list();
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

/// Names of the arguments that all descriptions of an operator speak of.
std::set<std::string> arguments_in(const Operator& description) {
  std::set<std::string> names{description.window, description.active};
  if (const auto& layer = description.layer) {
    names.insert({layer->activation, layer->groups, layer->training, layer->factor, layer->shape});
    for (const Parameter& parameter : layer->parameters)
      names.insert(parameter.argument);
  }
  if (description.stacking)
    names.insert(description.stacking->activations.begin(), description.stacking->activations.end());
  if (const auto& clamp = description.clamp) {
    for (const NumberOrArgument& limit : {clamp->low, clamp->high}) {
      if (const auto* name = std::get_if<std::string>(&limit)) names.insert(*name);
    }
  }
  if (description.permutation) names.insert({description.permutation->axes, description.permutation->other});
  if (description.padding) names.insert({description.padding->value, description.padding->mode});
  if (description.rows) names.insert({description.rows->axis, description.rows->shape});
  if (const auto& product = description.product)
    names.insert({product->activation, product->matrix, product->factor});
  names.erase("");
  return names;
}

bool has_arguments(const c10::FunctionSchema& schema, const std::set<std::string>& names) {
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return schema.argumentIndexWithName(name).has_value(); });
}

c10::OperatorHandle handle_of(const char* name, const char* overload = "") {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
}

TEST_CASE("each description is of an operator with an overload that has the arguments it names") {
  std::map<std::string, std::vector<c10::OperatorName>> known;
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames())
    known[name.name].push_back(name);
  for (const Operator& description : all_operators()) {
    CAPTURE(description.name);
    const std::set<std::string> names = arguments_in(description);
    const auto& overloads = known[description.name];
    CHECK(std::any_of(overloads.begin(), overloads.end(), [&](const c10::OperatorName& name) {
      const auto op = c10::Dispatcher::singleton().findSchema(name);
      return op && has_arguments(op->schema(), names);
    }));
    const bool says_something =
        description.rule || description.layer || description.stacking || !description.window.empty();
    CHECK(says_something);
  }
}

TEST_CASE("in-place forms and overloads for out go by the description of the operator") {
  const Operator* relu = find_operator(handle_of("aten::relu"));
  REQUIRE(relu != nullptr);
  CHECK(relu->name == "aten::relu");
  CHECK(find_operator(handle_of("aten::relu_")) == relu);
  CHECK(find_operator(handle_of("aten::add", "out")) == find_operator(handle_of("aten::add", "Tensor")));
  CHECK(find_operator(handle_of("aten::glu_jvp")) == nullptr);
  // What only ends in an underscore is no in-place form.
  CHECK_FALSE(is_in_place(handle_of("aten::relu").schema()));
  CHECK(is_in_place(handle_of("aten::relu_").schema()));
}

TEST_CASE("an operator is described once") {
  CHECK_THROWS_AS(add_operator({.name = "aten::relu"}), UserError);
  CHECK(find_operator(handle_of("aten::relu"))->clamp.has_value());
}

TEST_CASE("a call finds its arguments by name") {
  const c10::OperatorHandle op = handle_of("aten::hardtanh");
  const at::Tensor input = at::ones({2, 3});
  const Call call{.op = op, .arguments = {input, -2.0, 3.0}, .results = {input}, .shadowed = {}, .leave = {}};
  CHECK(call.position_of("max_val") == 2);
  CHECK(call.argument("min_val").toDouble() == -2);
  CHECK(call.position_of("dim") == -1);
  CHECK(call.argument("dim").isNone());
  CHECK(call.tensor("self").is_same(input));
  CHECK(call.shadow_of("dim") == nullptr);
}

}  // namespace
}  // namespace faultwave::wave
