// SPDX-License-Identifier: Apache-2.0
#include "src/model/input_check.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"

#include "src/common/shape.h"
#include "src/model/export_types.h"
#include "src/model/input_paths.h"
#include "src/model/json_integer.h"
#include "src/model/literal.h"

namespace faultwave::detail {
namespace {

using nlohmann::json;

/// {"as_int": 3} or {"as_expr": {"expr_str": ...}}; empty if the expression is not understood.
std::optional<Expression> size_expression(const json& size) {
  if (size.contains("as_int")) return Expression::parse("Integer(" + size["as_int"].dump() + ")");
  return Expression::parse(size.at("as_expr").at("expr_str").get<std::string>());
}

/// {"as_expr": {..., "hint": {"as_int": 8}}}: what the size was at the export.
std::optional<int64_t> size_hint(const json& size) {
  if (!size.contains("as_expr") || !size["as_expr"].contains("hint")) return std::nullopt;
  const json& hint = size["as_expr"]["hint"];
  if (!hint.is_object() || !hint.contains("as_int") || !hint["as_int"].is_number_integer())
    return std::nullopt;
  return hint["as_int"].get<int64_t>();
}

std::optional<int64_t> optional_int(const json& value) {
  if (value.is_number_integer()) return value.get<int64_t>();
  return std::nullopt;
}

[[noreturn]] void wrong_input(const std::string& name, const std::string& expected,
                              const std::string& given) {
  throw UserError(ErrorCode::bad_input, "input " + name + ": expected " + expected + ", but got " + given);
}

std::optional<int64_t> evaluate(const Expression& expression, const std::map<std::string, int64_t>& sizes) {
  return expression.evaluate([&](const std::string& variable) -> std::optional<int64_t> {
    const auto found = sizes.find(variable);
    if (found == sizes.end()) return std::nullopt;
    return found->second;
  });
}

/// The whole x with expression(x) == given, where the expression is a*x + b; empty if there is none.
std::optional<int64_t> solve_linear(const Expression& expression, int64_t given) {
  const auto at = [&](int64_t x) { return expression.evaluate([x](const std::string&) { return x; }); };
  const auto at_zero = at(0), at_one = at(1);
  int64_t slope = 0;
  int64_t distance = 0;
  const bool is_line = at_zero && at_one && !__builtin_sub_overflow(*at_one, *at_zero, &slope) &&
                       slope != 0 && !__builtin_sub_overflow(given, *at_zero, &distance) &&
                       distance != INT64_MIN;
  if (!is_line) return std::nullopt;
  const int64_t x = distance / slope;
  if (at(x) != given) return std::nullopt;
  return x;
}

}  // namespace

InputCheck::InputCheck(const json& model, at::Device device) : device_(device) {
  const json& graph_module = model.at("graph_module");
  const std::vector<std::string> paths = input_paths(model);
  size_t flat = 0;
  for (const json& spec : graph_module.at("signature").at("input_specs")) {
    const bool fixed = spec.contains("constant_input");
    if (!fixed && !spec.contains("user_input")) continue;
    const std::string path = flat < paths.size() ? paths[flat] : "";
    ++flat;
    if (!fixed) add_input(spec["user_input"].at("arg"), graph_module.at("graph"), path);
  }
  for (const auto& [size, range] : model.at("range_constraints").items()) {
    ranges_[size] = {optional_int(range.at("min_val")), optional_int(range.at("max_val"))};
  }
  for (const json& guard : model.value("guards_code", json::array())) {
    auto condition = Expression::parse(guard.get<std::string>());
    if (condition) guards_.push_back({guard, std::move(*condition)});
  }
}

void InputCheck::add_input(const json& argument, const json& graph, const std::string& path) {
  const auto [kind, value] = argument_field(argument);
  Input input;
  input.path = path;
  input.is_tensor = kind == "as_tensor";
  input.name = input.is_tensor ? value.at("name") : value.at("as_name");
  if (input.is_tensor) {
    const json& metadata = graph.at("tensor_values").at(input.name);
    input.dtype = scalar_type_from_export(json_integer(metadata.at("dtype")));
    for (const json& size : metadata.at("sizes")) {
      input.shape.push_back(size_expression(size));
      input.hints.push_back(size_hint(size));
    }
  } else {
    const json& values = graph.at("sym_int_values");
    input.dtype = at::kLong;
    const bool is_described = values.contains(input.name);
    input.shape.push_back(is_described ? size_expression(values[input.name]) : std::nullopt);
    input.hints.push_back(is_described ? size_hint(values[input.name]) : std::nullopt);
  }
  inputs_.push_back(std::move(input));
}

std::vector<InputSpec> InputCheck::specs() const {
  const std::vector<std::vector<int64_t>> examples = shapes_at(example_sizes());
  std::vector<InputSpec> result;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[i];
    std::vector<int64_t> shape;
    if (input.is_tensor) {
      for (const auto& size : input.shape)
        shape.push_back(size ? evaluate(*size, {}).value_or(-1) : -1);
    }
    result.push_back({input.name, input.dtype, shape, examples[i]});
  }
  return result;
}

/// A size that nothing is known of is 1. Of a number, the number alone.
std::vector<std::vector<int64_t>> InputCheck::shapes_at(const Sizes& sizes) const {
  std::vector<std::vector<int64_t>> shapes;
  for (const Input& input : inputs_) {
    std::vector<int64_t> shape;
    for (size_t axis = 0; axis < input.shape.size(); ++axis) {
      const auto& size = input.shape[axis];
      const auto value = size ? evaluate(*size, sizes) : std::nullopt;
      shape.push_back(value.value_or(input.hints[axis].value_or(1)));
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

/// As at the export, but for those of a first axis, which counts the batch: as small as the network takes
/// them.
InputCheck::Sizes InputCheck::example_sizes() const {
  constexpr int64_t kMostTried = 64;
  Sizes sizes;
  std::set<std::string> batches;
  for (const Input& input : inputs_) {
    for (size_t axis = 0; axis < input.shape.size(); ++axis) {
      const auto& size = input.shape[axis];
      if (!size || size->variables().size() != 1) continue;
      const std::string variable = *size->variables().begin();
      if (axis == 0 && input.is_tensor) batches.insert(variable);
      const auto value = input.hints[axis] ? solve_linear(*size, *input.hints[axis]) : std::nullopt;
      if (value) sizes.emplace(variable, *value);
    }
  }
  for (int64_t batch = 1; batch <= kMostTried; ++batch) {
    Sizes smaller = sizes;
    for (const std::string& variable : batches)
      smaller[variable] = batch;
    if (takes(shapes_at(smaller))) return smaller;
  }
  return sizes;
}

bool InputCheck::takes(const std::vector<std::vector<int64_t>>& shapes) const {
  if (shapes.size() != inputs_.size()) return false;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (inputs_[i].is_tensor && shapes[i].size() != inputs_[i].shape.size()) return false;
  }
  try {
    check_shapes(shapes);
  } catch (const UserError&) {
    return false;
  }
  return true;
}

std::vector<c10::IValue> InputCheck::check(const std::vector<c10::IValue>& inputs) const {
  if (inputs.size() != inputs_.size()) {
    std::string names;
    for (const Input& input : inputs_)
      names += (names.empty() ? "" : ", ") + input.name;
    throw UserError(ErrorCode::bad_input, "the network takes " + std::to_string(inputs_.size()) +
                                              " inputs (" + names + "), but " +
                                              std::to_string(inputs.size()) + " were given");
  }
  std::vector<c10::IValue> result = inputs;
  std::vector<std::vector<int64_t>> shapes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs_[i].is_tensor) {
      check_tensor(inputs_[i], inputs[i]);
      shapes.push_back(inputs[i].toTensor().sizes().vec());
    } else {
      shapes.push_back({check_number(inputs_[i], inputs[i])});
      result[i] = shapes.back()[0];
    }
  }
  check_shapes(shapes);
  return result;
}

void InputCheck::check_shapes(const std::vector<std::vector<int64_t>>& shapes) const {
  Sizes sizes;
  for (size_t i = 0; i < shapes.size(); ++i)
    bind_plain(inputs_[i], shapes[i], sizes);
  for (size_t i = 0; i < shapes.size(); ++i)
    bind_derived(inputs_[i], shapes[i], sizes);
  check_ranges(sizes);
  if (!guards_.empty()) check_guards(shapes);
}

void InputCheck::check_tensor(const Input& input, const c10::IValue& given) const {
  if (!given.isTensor() || !given.toTensor().defined()) wrong_input(input.name, "a tensor", given.tagKind());
  const at::Tensor& tensor = given.toTensor();
  if (tensor.scalar_type() != input.dtype) {
    wrong_input(input.name, type_name(input.dtype), type_name(tensor.scalar_type()));
  }
  const bool same_device = tensor.device().type() == device_.type() &&
                           (!device_.has_index() || tensor.device().index() == device_.index());
  if (!same_device)
    wrong_input(input.name, "a tensor on " + device_.str(), "one on " + tensor.device().str());
  if (static_cast<size_t>(tensor.dim()) != input.shape.size()) wrong_shape(input, tensor.sizes().vec(), {});
}

int64_t InputCheck::check_number(const Input& input, const c10::IValue& given) const {
  if (given.isInt()) return given.toInt();
  const bool whole_number = given.isTensor() && given.toTensor().defined() && given.toTensor().dim() == 0 &&
                            at::isIntegralType(given.toTensor().scalar_type(), /*includeBool=*/false);
  if (!whole_number) wrong_input(input.name, "a whole number", given.tagKind());
  return given.toTensor().item<int64_t>();
}

void InputCheck::bind_plain(const Input& input, const std::vector<int64_t>& given, Sizes& sizes) const {
  for (size_t axis = 0; axis < given.size(); ++axis) {
    const auto& size = input.shape[axis];
    if (!size || size->variable().empty()) continue;
    const auto [bound, is_new] = sizes.emplace(size->variable(), given[axis]);
    if (!is_new && bound->second != given[axis]) wrong_shape(input, given, sizes);
  }
}

/// Sizes such as 2*s0, and fixed ones. If s0 itself is no input's size, it follows from the first that uses
/// it.
void InputCheck::bind_derived(const Input& input, const std::vector<int64_t>& given, Sizes& sizes) const {
  for (size_t axis = 0; axis < given.size(); ++axis) {
    const auto& size = input.shape[axis];
    if (!size || !size->variable().empty()) continue;
    const auto expected = evaluate(*size, sizes);
    if (expected && *expected != given[axis]) wrong_shape(input, given, sizes);
    const auto variables = size->variables();
    if (expected || variables.size() != 1) continue;
    const auto solution = solve_linear(*size, given[axis]);
    if (!solution) wrong_shape(input, given, sizes);
    sizes[*variables.begin()] = *solution;
  }
}

void InputCheck::check_ranges(const Sizes& sizes) const {
  for (const auto& [size, value] : sizes) {
    const auto range = ranges_.find(size);
    if (range == ranges_.end()) continue;
    const auto& [min, max] = range->second;
    if ((!min || value >= *min) && (!max || value <= *max)) continue;
    for (const Input& input : inputs_) {
      for (const auto& expression : input.shape) {
        if (expression && expression->variables().count(size) > 0) {
          wrong_input(input.name, expected(input), size + " = " + std::to_string(value));
        }
      }
    }
  }
}

void InputCheck::check_guards(const std::vector<std::vector<int64_t>>& shapes) const {
  Sizes sizes;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i].is_tensor && !shapes[i].empty()) sizes[inputs_[i].path] = shapes[i][0];
    for (size_t axis = 0; inputs_[i].is_tensor && axis < shapes[i].size(); ++axis) {
      sizes[inputs_[i].path + ".size()[" + std::to_string(axis) + "]"] = shapes[i][axis];
    }
  }
  for (const Guard& guard : guards_) {
    if (evaluate(guard.condition, sizes) != 0) continue;
    std::string given;
    for (const std::vector<int64_t>& shape : shapes)
      given += (given.empty() ? "" : ", ") + shape_text(shape);
    throw UserError(ErrorCode::bad_input,
                    "the inputs, of shape " + given +
                        ", do not fulfil a condition under which the network was exported: " + guard.text);
  }
}

void InputCheck::wrong_shape(const Input& input, const std::vector<int64_t>& given,
                             const Sizes& sizes) const {
  std::string bound;
  for (const auto& size : input.shape) {
    if (!size) continue;
    for (const std::string& variable : size->variables()) {
      const auto found = sizes.find(variable);
      const std::string text = found == sizes.end() ? "" : variable + " = " + std::to_string(found->second);
      if (!text.empty() && bound.find(text) == std::string::npos) bound += (bound.empty() ? "" : ", ") + text;
    }
  }
  wrong_input(input.name, expected(input), shape_text(given) + (bound.empty() ? "" : " where " + bound));
}

/// "shape [s77, 3, 224, 224] with 1 <= s77 <= 4096"
std::string InputCheck::expected(const Input& input) const {
  if (!input.is_tensor) return "a whole number in its range";
  std::string text = "shape [", ranges;
  std::set<std::string> variables;
  for (size_t axis = 0; axis < input.shape.size(); ++axis) {
    const auto& size = input.shape[axis];
    text += (axis > 0 ? ", " : "") + (size ? size->text() : std::string("any"));
    if (size) variables.merge(size->variables());
  }
  for (const std::string& variable : variables) {
    const auto range = ranges_.find(variable);
    if (range == ranges_.end()) continue;
    ranges += ranges.empty() ? " with " : ", ";
    if (range->second.min) ranges += std::to_string(*range->second.min) + " <= ";
    ranges += variable;
    if (range->second.max) ranges += " <= " + std::to_string(*range->second.max);
  }
  return text + "]" + ranges;
}

}  // namespace faultwave::detail
