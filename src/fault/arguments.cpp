// SPDX-License-Identifier: Apache-2.0
#include "faultwave/arguments.h"

#include <algorithm>
#include <utility>

#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/fault/parameters.h"

namespace faultwave {
namespace {

std::string text_of(const Arguments::Value& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&value)) return format_number(*number);
  if (const auto* word = std::get_if<std::string>(&value)) return *word;
  return "";
}

}  // namespace

Arguments::Arguments(std::string name, std::vector<Parameter> parameters, std::vector<Value> values)
    : name_(std::move(name)), parameters_(std::move(parameters)), values_(std::move(values)) {
  values_.resize(parameters_.size());
}

size_t Arguments::place_of(std::string_view parameter) const {
  const auto found =
      std::find_if(parameters_.begin(), parameters_.end(),
                   [parameter](const Parameter& candidate) { return candidate.name == parameter; });
  if (found != parameters_.end()) return static_cast<size_t>(found - parameters_.begin());
  throw UserError(ErrorCode::usage, name_ + " was asked for '" + std::string(parameter) +
                                        "', which is none of its parameters: a mistake of whoever made it");
}

template <typename Type>
const Type& Arguments::value(std::string_view parameter, const char* type) const {
  const auto* value = std::get_if<Type>(&values_[place_of(parameter)]);
  if (value != nullptr) return *value;
  throw UserError(ErrorCode::usage, name_ + " was asked for " + std::string(parameter) + " as " + type +
                                        ", which it is not: a mistake of whoever made it");
}

bool Arguments::has(std::string_view parameter) const {
  return !std::holds_alternative<std::monostate>(values_[place_of(parameter)]);
}

int64_t Arguments::integer(std::string_view parameter) const {
  return value<int64_t>(parameter, "a whole number");
}

double Arguments::number(std::string_view parameter) const {
  return value<double>(parameter, "a number");
}

const std::string& Arguments::word(std::string_view parameter) const {
  return value<std::string>(parameter, "a word");
}

Arguments Arguments::with(std::string_view parameter, Value value) const {
  Arguments other = *this;
  other.values_[place_of(parameter)] = std::move(value);
  return other;
}

std::string Arguments::text() const {
  std::string text;
  bool has_gap = false;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].otherwise && values_[i] == value_if_left_out(parameters_[i])) {
      has_gap = true;
      continue;
    }
    text += text.empty() ? "(" : ",";
    if (has_gap) text += parameters_[i].name + "=";
    text += text_of(values_[i]);
  }
  return name_ + text + (text.empty() ? "" : ")");
}

}  // namespace faultwave
